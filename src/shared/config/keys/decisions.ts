// How Sonny judges and waits: the keys of [DEFAULT], [SCAN] and [FENCING], each with all that is known of it.
import { key } from './key.ts';
import { parseTruth } from './truth.ts';
import { boolean, choice, endpoints, ports, seconds, text, textThat, whole } from './value-types.ts';

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
      about:
        "A heartbeat older than this is missing. A hypervisor is suspicious when nobody hears it any more: neither its agents nor its nova-compute, which has half of this time where agents can tell as well. Neutron's agents report every 30 seconds, nova-compute every 10, unless configured otherwise; keep this above the one, and above twice the other.",
    }),
    suspiciousBackoff: key('suspicious_backoff', whole(0, 1_000_000), {
      default: '5',
      about:
        'More suspects than this at once: Sonny backs off and inspects none of them. That is no dying hypervisor but trouble in the network or the control plane.',
    }),
    deadBackoff: key('dead_backoff', whole(0, 1_000_000), {
      default: '1',
      about:
        'More dead hypervisors than this at once: Sonny does nothing and asks people to look; 0 is the dry mode. The dry mode detects and reports, and never acts. A good way to begin.',
    }),
    cooldownMs: key('cooldown_period', seconds(0, 3650 * day), {
      default: '86400',
      about:
        'The time without any further recovery after one; 86400 is a day. "ns4 -r" forgets the last recovery.',
    }),
    silenceAlarmMs: key('silence_alarm', seconds(0, day), {
      default: '300',
      about:
        "sonny says that nobody watches when a cloud's monitor has published nothing for so long, whatever the cause; 0: it does not. With long rounds it waits for three of them.",
    }),
  },
} as const;

/** More must never agree: a scan asks every vantage point there is, and waits for them. */
const mostVantagePoints = 15;

/** Part of a queue's name in Redis. */
export const isVantagePointName = (name: string): boolean =>
  /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/i.test(name);

export const scanKeys = {
  name: 'SCAN',
  keys: {
    hypervisorPorts: key('hypervisor_ports', ports(), {
      default: '22, 111, 16509',
      about: 'A hypervisor is silent when none of these ports answers: SSH, portmapper and libvirt.',
    }),
    instancePorts: key('instance_ports', ports(), {
      default: '22',
      about: 'The ports that are tried on instances.',
    }),
    // A scan job has less than a minute, whatever the network swallows.
    timeoutMs: key('timeout', seconds(0.1, 20), { default: '3', about: 'The time to wait for an answer.' }),
    refusedMeans: key('refused', choice('alive', 'silent'), {
      default: 'alive',
      about:
        'What a refused connection, or an ICMP error of the host itself, proves: a living host (alive), or nothing (silent). A dead host refuses nothing; "silent" is for networks in which a firewall or a router refuses in the name of dead hosts.',
    }),
    controls: key('controls', endpoints(null), {
      default: '',
      example: '10.0.0.1:443, 10.0.0.11:22',
      about:
        'Further endpoints that always answer, such as the gateway and the controllers. They are probed along with some healthy hypervisors: when no hypervisor of them answers, it is the scanner that is blind, and the scan is void. These endpoints stand in where there is no other healthy hypervisor. Prefer addresses to names.',
    }),
    quorum: key('quorum', whole(1, mostVantagePoints), {
      default: '1',
      about:
        'How many vantage points must agree that a host or guest is silent. Each ns4 on a machine of its own is one; set the same for every ns4 and monitor. One that hears the host vetoes, a blind one does not count; with fewer than this, nobody is judged dead.',
    }),
    name: key(
      'name',
      textThat(
        'up to 64 letters, digits, dots, dashes and underscores that begin and end with a letter or digit',
        isVantagePointName,
      ),
      {
        example: 'controller1',
        about: 'The vantage point of this ns4; those of one name count once.',
        without: "the machine's name",
      },
    ),
    fences: key('fences', boolean, {
      default: 'yes',
      about:
        'Does this ns4 ask and tell the fence devices itself? no: it has no way to them and no fencing.yaml, and has an ns4 that fences do so; see docs/fencing.md. It counts with "mode = required" only.',
    }),
  },
} as const;

const fencesItself = (fences: string | null): boolean => fences === null || parseTruth(fences) !== false;

export const fencingKeys = {
  name: 'FENCING',
  keys: {
    mode: key('mode', choice('none', 'required'), {
      default: 'none',
      about:
        "required: no instance moves before its hypervisor is proven to be off; see docs/fencing.md. The proof is a fence agent that powers it off and sees it off, or an operator's word. none: silence is the only proof that a hypervisor is dead.",
    }),
    file: key('hosts', text, {
      example: 'fencing.yaml',
      about:
        'The file with the fence levels of each hypervisor (see fencing.example.yaml), relative to config.ini; only ns4 reads it. It holds the passwords of BMCs, so "chmod 600" it. Required with "mode = required", unless [SCAN] fences is no: it is not read then.',
      needed: ({ text }) =>
        text('FENCING', 'mode')?.toLowerCase() === 'required' && fencesItself(text('SCAN', 'fences'))
          ? 'the file with the fence levels (fencing.yaml), as mode is required'
          : null,
    }),
    timeoutMs: key('timeout', seconds(1, 300), {
      default: '60',
      about: 'The time for one level: to power off and to see it off.',
    }),
  },
} as const;
