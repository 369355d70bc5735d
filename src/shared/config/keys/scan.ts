// [SCAN] of config.ini: how hosts and guests are looked at, and from where.
import { key } from '../key.ts';
import { choice, endpoints, ports, seconds, textThat, whole } from '../value-types.ts';

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
      about: 'What a refused connection proves: a living host (alive), or nothing (silent).',
      more: 'A dead host refuses nothing; "silent" is for networks in which a firewall or a router refuses in the name of dead hosts.',
    }),
    controls: key('controls', endpoints(null), {
      default: '',
      example: '10.0.0.1:443, 10.0.0.11:22',
      about: 'Further endpoints that always answer, such as the gateway and the controllers.',
      more: 'They are probed along with some healthy hypervisors: when none of all those answers, it is the scanner that is blind, and the scan is void. Prefer addresses to names.',
    }),
    quorum: key('quorum', whole(1, mostVantagePoints), {
      default: '1',
      about: 'How many vantage points must agree that a host or guest is silent.',
      more: 'Each ns4 on a machine of its own is one; set the same for every ns4 and monitor. One that hears the host vetoes, a blind one does not count; with fewer than this, nobody is judged dead.',
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
  },
} as const;
