// [DEFAULT] of config.ini: the monitor's periods and limits.
import { key } from '../key.ts';
import { seconds, whole } from '../value-types.ts';

const day = 86_400;

export const monitorKeys = {
  name: 'DEFAULT',
  keys: {
    monitorPeriodMs: key('monitor_period', seconds(0.1, day), {
      default: '60',
      about:
        'The longest pause between two checks; the monitor wakes earlier when a heartbeat would run out.',
    }),
    heartbeatPeriodMs: key('heartbeat_period', seconds(0.1, day), {
      default: '40',
      about: 'A heartbeat older than this is missing.',
      more: "A hypervisor is suspicious when the heartbeats of all agents on it are missing. Neutron's agents report every 30 seconds unless configured otherwise; keep this above that.",
    }),
    suspiciousBackoff: key('suspicious_backoff', whole(0, 1_000_000), {
      default: '5',
      about: 'More suspects than this at once: Sonny backs off and inspects none of them.',
      more: 'That is no dying hypervisor but trouble in the network or the control plane.',
    }),
    deadBackoff: key('dead_backoff', whole(0, 1_000_000), {
      default: '1',
      about:
        'More dead hypervisors than this at once: Sonny does nothing and asks people to look; 0 is the dry mode.',
      more: 'The dry mode detects and reports, and never acts. A good way to begin.',
    }),
    cooldownMs: key('cooldown_period', seconds(0, 3650 * day), {
      default: '86400',
      about: 'The time without any further recovery after one; 86400 is a day.',
      more: '"ns4 -r" forgets the last recovery.',
    }),
  },
} as const;
