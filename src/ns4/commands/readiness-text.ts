// What `ns4 --check` says of how ready a cloud is: who could not be recovered and why, whom each spare fits, and the last
// line. However many hosts there are, it stays a page. Pure.
import { type Agent, kindOfAgent } from '../../shared/documents/inventory.ts';
import { firstOf, shortened } from '../../shared/documents/terms/shortened.ts';
import { counted } from '../../shared/ground/counted.ts';
import { groupBy } from '../../shared/ground/group-by.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import { addressTroubles } from './address-troubles.ts';
import type { SeenOfHosts } from './look-at-hosts.ts';
import type { Proof } from './proof-today.ts';
import type { Obstacle, Readiness, Survey } from './readiness.ts';

/** Names in one sentence, and sentences of one kind; more are counted. */
const mostNamed = 5;
const mostSentences = 12;
/** An agent of a living host that is silent for longer is not late: it stands still, or its row is left over. */
const staleAgentMs = 600_000;

/** The last words on a host, where there is room for few. */
const shortWords: Readonly<Record<Obstacle['kind'], string>> = {
  address: 'a useless address',
  scan: 'no scan',
  outage: 'an outage',
  senses: 'too few senses',
  disks: 'disks that cannot be asked',
  operator: 'a service that somebody disabled',
  proof: 'no proof',
  spare: 'no spare',
};

const proofWords: Readonly<Record<Proof, string>> = {
  device: 'with a proof by fence devices',
  ceph: 'with a proof by cutting off from Ceph',
  elsewhere: 'with a proof through another vantage point',
  'cut-off': 'by silence, cut off from Ceph as well',
  silence: 'by silence alone',
};

/** "16 hypervisors scanned, 15 answer; 20 of 22 instances asked answer" */
export function scanText({ seen }: SeenOfHosts): string {
  const all = [...seen.values()];
  const guests = all.flatMap((one) => one.guests);
  const answering = (findings: readonly ({ readonly state: string } | null)[]) =>
    findings.filter((finding) => finding?.state === 'answers').length;
  const instances =
    guests.length === 0
      ? 'no instance has an address that can be asked'
      : `${answering(guests.map(({ finding }) => finding))} of ${counted(guests.length, 'instance')} asked answer`;
  return `${counted(all.length, 'hypervisor')} scanned, ${answering(all.map(({ ports }) => ports))} answer; ${instances}`;
}

/** What an operator should change about single hosts, whether or not it keeps them from being recovered. */
export function hostRemarks(
  picture: Picture,
  { seen }: SeenOfHosts,
  survey: Survey,
  rules: { readonly heartbeatPeriodMs: number },
): string[] {
  const troubles = addressTroubles(picture.hypervisors);
  const ofHosts = survey.hosts.flatMap(({ host, obstacles }) =>
    obstacles.filter(({ kind }) => kind !== 'address').map(({ why }) => ({ host, why })),
  );
  const nowMs = picture.collectedAtMs;
  const quiet = picture.hypervisors.flatMap(({ host, address }) => {
    const { says, why } = heartbeatOf(host, picture, nowMs, rules);
    const ports = seen.get(host)?.ports ?? null;
    if (says !== 'alive' || address === null || ports === null || ports.state === 'answers') return [];
    if (ports.state === 'unknown' && ports.neverHeard !== true) return [];
    return [{ host, why: `lives (${why}) and does not answer the scan: ${ports.detail}`, alike: 'quiet' }];
  });
  const stale = picture.hypervisors.flatMap(({ host }) => {
    if (heartbeatOf(host, picture, nowMs, rules).says !== 'alive') return [];
    const old = picture.agentsOf(host).filter((agent) => isStale(agent, nowMs));
    return old.map(({ binary }) => ({
      host,
      why: `lives, and its ${binary} is silent for minutes or hours`,
    }));
  });
  const ofAddresses = [...troubles].map(([host, why]) => ({ host, why }));
  return sentences([...ofAddresses, ...quiet, ...stale, ...ofHosts]);
}

const isStale = (agent: Agent, nowMs: number): boolean =>
  kindOfAgent(agent) === 'reports' && nowMs - agent.heartbeatAtMs > staleAgentMs;

interface Remark {
  readonly host: string;
  readonly why: string;
  /** Remarks of one such kind are told together, in the words of the first. */
  readonly alike?: string;
}

/** One sentence for all hosts of which the same is said. */
function sentences(remarks: readonly Remark[]): string[] {
  const told = [...groupBy(remarks, ({ why, alike }) => alike ?? why).values()].map(
    (group) => `${named(group.map(({ host }) => host))} ${group[0]?.why}`,
  );
  return firstOf(told, mostSentences);
}

const named = (hosts: readonly string[]): string => {
  const each = [...new Set(hosts)];
  if (each.length === 1) return each[0] ?? '';
  return each.length <= mostNamed
    ? `${each.join(', ')}: each`
    : `${counted(each.length, 'hypervisor')} (${shortened(each, mostNamed)}): each`;
};

/** Whom each spare fits, and of those that fit nobody why. */
export function sparesText(
  spares: readonly string[],
  { hosts }: Pick<Survey, 'hosts'>,
): { readonly found: string; readonly warnings: string[] } {
  if (hosts.length === 0) return { found: spares.join(', ') || 'none', warnings: [] };
  const fits = (spare: string) => hosts.filter((one) => one.spares.fitting.includes(spare)).length;
  const useless = spares.filter((spare) => fits(spare) === 0);
  const warnings = useless.map((spare) => {
    const reasons = hosts.flatMap(({ spares: choice }) =>
      choice.unfit.filter(({ host }) => host === spare).map(({ why }) => why),
    );
    return `${spare} fits nobody: it ${shortened([...new Set(reasons)], 3)}`;
  });
  const texts = spares.map((spare) => `${spare} fits ${fits(spare)} of ${hosts.length}`);
  return { found: shortened(texts, mostSentences) || 'none', warnings: firstOf(warnings, mostSentences) };
}

/** Could be recovered, each by itself, or not. */
export const isReady = ({ obstacles }: Readiness): boolean => obstacles.length === 0;

/** The last line: how many of how many hypervisors could be recovered today, by what, onto what; and who not. */
export function recoveryText({ hosts, empty, gone }: Survey, cellDown: readonly string[]): string {
  const ready = hosts.filter(isReady);
  const proofs = [...groupBy(ready, ({ proof }) => proof ?? 'silence')].map(
    ([proof, all]) => `${all.length} ${proofWords[proof]}`,
  );
  const targets = [...new Set(ready.map(({ spares }) => spares.fitting[0] ?? ''))];
  const how = ready.length === 0 ? '' : `: ${proofs.join(', ')}; onto ${shortened(targets, mostNamed)}`;
  const kept = groupBy(
    hosts.filter((one) => !isReady(one)),
    ({ obstacles }) => obstacles.map(({ kind }) => shortWords[kind]).join(' and '),
  );
  const not = [...kept].map(
    ([why, all]) =>
      `${why} (${shortened(
        all.map(({ host }) => host),
        mostNamed,
      )})`,
  );
  const apart = [
    ...(empty.length > 0 ? [`${empty.length} run nothing`] : []),
    ...(gone.length > 0 ? [`${shortened(gone, mostNamed)} gone already`] : []),
    ...(cellDown.length > 0 ? [`${cellDown.length} in a cell that does not answer`] : []),
  ];
  const count = `${ready.length} of ${counted(hosts.length, 'hypervisor')} with instances could be recovered today`;
  return [
    hosts.length === 0 ? 'no hypervisor that lives runs anything: nothing to recover' : `${count}${how}`,
    ...(not.length > 0 ? [`not: ${shortened(not, mostNamed)}`] : []),
    ...(apart.length > 0 ? [`besides: ${apart.join(', ')}`] : []),
  ].join('; ');
}
