// The network agents of the cloud as the inventory has them: listed (on OVN clouds twice and more, as the list itself is
// the ping), matched to hypervisors, with what is odd about them.
import {
  type Agent,
  deletedChassis,
  type Hypervisor,
  kindOfAgent,
} from '../../shared/documents/inventory.ts';
import { shortened } from '../../shared/documents/terms/shortened.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { groupBy } from '../../shared/ground/group-by.ts';
import type { AgentRecord, Cloud } from '../cloud/cloud.ts';
import { matchHosts } from './agent-hosts.ts';
import { isSomebodyLate, judgeLooks, type Look } from './ovn-looks.ts';

/** Every living ovn-controller shows its new beat this long after the list that pinged (docs/facts.md#ovn). */
const secondLookMs = 2_000;
/** Who has not by then is looked at once more, so long after the first. */
const lastLookMs = 5_000;
/** An agent that has been silent for longer was replaced or forgotten, and tells nothing of its host. */
const forgottenMs = 86_400_000;
const mostNamed = 5;

/** One list; where it shows OVN's rows, again 2 s later, and for those who are late once more. @throws CloudError */
export async function lookAtAgents(
  cloud: Pick<Cloud, 'listAgents'>,
  earlier: readonly Agent[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Look[]> {
  const look = async (): Promise<Look> => ({ atMs: clock.nowMs(), agents: await cloud.listAgents(signal) });
  const beganAtMs = clock.steadyMs();
  const until = (ms: number) => clock.sleep(Math.max(0, beganAtMs + ms - clock.steadyMs()), signal);
  const looks = [await look()];
  if (!looks[0]?.agents.some((agent) => kindOfAgent(agent) !== 'reports')) return looks;
  await until(secondLookMs);
  looks.push(await look());
  if (!isSomebodyLate(looks, earlier)) return looks;
  await until(lastLookMs);
  looks.push(await look());
  return looks;
}

interface Read {
  readonly looks: readonly Look[];
  /** As the inventory had them before. */
  readonly earlier: readonly Agent[];
  readonly hypervisors: readonly Pick<Hypervisor, 'host' | 'name'>[];
  /** Cloud clock minus ours, as far as it is to be taken out. */
  readonly correctionMs: number;
  readonly nowMs: number;
}

export function agentsOf(read: Read): { agents: Agent[]; oddities: string[] } {
  const { looks, earlier, hypervisors, correctionMs, nowMs } = read;
  const ovn = judgeLooks(looks, earlier);
  const reporting = (looks.at(-1)?.agents ?? []).filter((agent) => kindOfAgent(agent) === 'reports');
  const records = [
    ...reporting.map((record) => ({ record, state: null })),
    ...ovn.map(({ record, state }) => ({ record, state })),
  ];
  const stated = records.map(({ record }) => record.host).filter((host) => host !== deletedChassis);
  const match = matchHosts(stated, hypervisors);
  const knownHosts = new Map(earlier.map(({ id, host }) => [id, host]));
  const placed = records.map(
    ({ record, state }): Agent => ({
      id: record.id,
      host: match.hostOf.get(record.host) ?? knownHostOf(record, knownHosts) ?? record.host,
      statedHost: record.host,
      binary: record.binary,
      heartbeatAtMs: record.heartbeatAtMs - correctionMs,
      alive: record.alive,
      ovn: state,
    }),
  );
  const isOurs = new Set(hypervisors.map(({ host }) => host));
  const isForgotten = (agent: Agent) => nowMs - lastHeardMs(agent, nowMs) > forgottenMs;
  // Of a hypervisor that is gone as well nobody asks any more.
  const isLeft = ({ ovn: state, host }: Agent) => state?.why === 'vanished' && !isOurs.has(host);
  const kept = placed.filter((agent) => !isForgotten(agent) && !isLeft(agent));
  return {
    agents: kept.sort((a, b) => byText(a.host, b.host) || byText(a.binary, b.binary) || byText(a.id, b.id)),
    oddities: odditiesOf(placed, kept, match, hypervisors.length),
  };
}

const knownHostOf = ({ id, host }: AgentRecord, known: ReadonlyMap<string, string>): string | undefined =>
  host === deletedChassis ? known.get(id) : undefined;

function lastHeardMs({ heartbeatAtMs, ovn }: Agent, nowMs: number): number {
  if (ovn === null) return heartbeatAtMs;
  return ovn.says === 'silent' ? (ovn.silentSinceMs ?? nowMs) : nowMs;
}

function odditiesOf(
  placed: readonly Agent[],
  kept: readonly Agent[],
  { ambiguous, unmatched }: ReturnType<typeof matchHosts>,
  hypervisors: number,
): string[] {
  const oddities: string[] = [];
  if (placed.length === 0 && hypervisors > 0)
    oddities.push(
      'Neutron shows no agent at all: this user may not see agents, or its token has the wrong scope, or the cloud has none; hypervisors are judged by their nova-compute alone',
    );
  if (ambiguous.length > 0)
    oddities.push(`network agents of ${named(ambiguous)} fit no single hypervisor: left out`);
  if (unmatched.length > 0) oddities.push(`network agents of ${named(unmatched)} belong to no hypervisor`);
  const old = placed.filter(
    (agent) => !kept.includes(agent) && !(agent.ovn?.why === 'vanished' && agent.alive),
  );
  for (const [host, agents] of groupBy(old, (agent) => agent.host))
    oddities.push(
      `${named(agents.map(({ binary }) => binary))} on ${host}: silent for more than a day, ignored`,
    );
  if (placed.some(({ ovn }) => ovn?.why === 'stamp-is-the-request'))
    oddities.push(
      'this Neutron stamps OVN agents with the time of the request: their heartbeats tell nothing, nova-compute has to',
    );
  return oddities.sort(byText);
}

const named = (names: readonly string[]): string => shortened(names, mostNamed);

/** By code units: the same order on every machine, whatever its locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
