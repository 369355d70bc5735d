// What `ns4 --check` tells of heartbeats: which kinds there are, whom they let it hear, and what is odd about them.
import { type Hosts, kindOfAgent } from '../../shared/documents/inventory.ts';
import { firstOf, shortened } from '../../shared/documents/terms/shortened.ts';
import { counted } from '../../shared/ground/counted.ts';
import { groupBy } from '../../shared/ground/group-by.ts';
import { Picture } from '../../shared/picture/picture.ts';
import { heartbeatOf, whoCannotBeJudged } from '../../shared/rules/senses/heartbeat.ts';
import { senses } from '../../shared/rules/senses/senses.ts';

const waysOfAgents = {
  reports: 'report by themselves',
  ovn: 'OVN, beat when asked',
  'ovn-helper': 'OVN, no measure',
} as const;

/** Told in one line. */
const mostOddities = 12;

/** As one line; `oddities` are those of the refresh that read the hosts. */
export function heartbeatsText(
  hosts: Hosts,
  oddities: readonly string[],
  nowMs: number,
  rules: { readonly heartbeatPeriodMs: number },
): string {
  const picture = Picture.of(hosts, null);
  const kinds = [...groupBy(hosts.agents, kindOfAgent)].map(
    ([kind, agents]) =>
      `${agents.length} (${waysOfAgents[kind]}: ${[...new Set(agents.map((a) => a.binary))].join(', ')})`,
  );
  const heard = hosts.hypervisors.map(({ host }) => heartbeatOf(host, picture, nowMs, rules));
  const bySense = senses
    .filter(({ kind }) => kind === 'control-plane')
    .map(({ name, title }) => {
      const hear = heard.filter(({ readings }) =>
        readings.some(({ sense, reading }) => sense.name === name && reading.says === 'alive'),
      );
      return `${title} ${hear.length}`;
    });
  const mute = whoCannotBeJudged(picture, nowMs, rules).map(({ host, reason }) => `${host} (${reason})`);
  return [
    `agents: ${kinds.join(', ') || 'none'}`,
    `of ${counted(hosts.hypervisors.length, 'hypervisor')} heard by ${bySense.join(', ')}`,
    ...(mute.length > 0 ? [`CANNOT BE JUDGED: ${shortened(mute, 5)}`] : []),
    ...firstOf(oddities, mostOddities),
  ].join('; ');
}
