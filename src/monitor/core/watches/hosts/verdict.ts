// From the scan of guests to verdicts: which silent hosts are dead. Everything else is a refusal. Pure.

import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { ScanFinding } from '../../../../shared/documents/jobs/scan.ts';
import type { Refusal } from '../../../../shared/documents/refusals/refusals.ts';
import { shortened } from '../../../../shared/documents/terms/shortened.ts';
import { quoted } from '../../../../shared/ground/plain.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { disksName, disksRefusal } from '../../../../shared/rules/disks.ts';
import { heartbeatOf } from '../../../../shared/rules/senses/heartbeat.ts';
import { vantagePointsAgreeing, vouchedSilence } from '../../../../shared/rules/votes.ts';
import type { DeadHost } from '../../recoveries/begin.ts';
import type { Draft } from '../../state/draft.ts';
import type { HostsPhase } from '../../state/state.ts';
import { findingOf, type Judgement, judgeEach, type SeenScan, scannersOf, usableScan } from './judging.ts';
import { vouchersOf } from './vouchers.ts';

type GuestsPhase = HostsPhase & { kind: 'scanning-guests' };
/** What the scan found of an instance. */
type Testimony = GuestsPhase['witnesses'][string][number] & { readonly finding: ScanFinding };

/** One host under judgement. */
interface HostCase {
  readonly draft: Draft;
  readonly host: string;
  readonly scan: SeenScan;
  readonly phase: GuestsPhase;
  readonly picture: Picture | null;
  /** All of its instances that were asked. */
  readonly seen: readonly Testimony[];
}

/**
 * The silent hosts that are dead: all of whose witnesses are silent too. For each other one a refusal: one answering
 * instance makes a host unreachable, not dead.
 */
export function judgeWitnesses(
  draft: Draft,
  outcome: JobOutcome<'scan'>,
  phase: GuestsPhase,
  picture: Picture | null,
): DeadHost[] {
  // Whoever reads the cloud for another purpose stores it too: it may be heard again by now, as the next round will say.
  const isHeard = (host: string) =>
    picture !== null && heartbeatOf(host, picture, draft.nowMs, draft.rules).says === 'alive';
  const hosts = Object.keys(phase.silent).filter((host) => !isHeard(host));
  if (hosts.length === 0) return [];
  const scan = usableScan(draft, outcome, 'guests', hosts);
  if (scan === null) return [];
  return judgeEach(draft, { of: 'guests', scan, hosts, controls: silentControls(scan, phase) }, (host) =>
    judgeHost({ draft, host, scan, phase, picture, seen: testimonyOf(host, scan, phase) }),
  );
}

/** Who should have answered, for people: guests by their names. */
function silentControls(scan: SeenScan, { controlGuests }: GuestsPhase): string[] {
  const nameOf = new Map(controlGuests.map(({ target, name }) => [target, name]));
  const controls = Object.entries(scan.controls);
  const silent = controls.filter(([, { state }]) => state !== 'answers');
  return (silent.length > 0 ? silent : controls).map(([target]) => nameOf.get(target) ?? target);
}

const testimonyOf = (host: string, scan: SeenScan, { witnesses }: GuestsPhase): Testimony[] =>
  (witnesses[host] ?? []).map((witness) => ({
    ...witness,
    finding: findingOf(scan, witness.target, 'not reported on'),
  }));

function judgeHost(about: HostCase): Judgement<DeadHost> {
  const { host, scan, phase, seen } = about;
  // Whoever answers lives, and so does what he runs on: also one that Nova calls stopped.
  const answering = namesOf(seen, 'answers');
  if (answering.length > 0)
    return { refusal: { name: 'guests-answer', host, answering, silent: namesOf(seen, 'silent').length } };
  const itself = scan.targets[host];
  if (itself?.state === 'answers') return { refusal: { name: 'host-answers', host, on: itself.detail } };
  const open = about.draft.rules.asksDisks ? disksRefusal(host, scan.targets[disksName(host)]) : null;
  if (open?.name === 'disks-open') return { refusal: open };
  if (scan.outcome === 'too-few-vantage-points') return 'unseen';
  if (scan.outcome === 'blind') return 'blind';
  if (open !== null) return { refusal: open };
  const heard = phase.unwitnessed.includes(host) ? [] : seen.filter((w) => w.testifies && !isMute(w));
  return heard.length > 0 ? judgeBySilence(about, heard) : judgeByItself(about);
}

/**
 * Never heard since its launch, or not any more while its host was well: a firewall, as OpenStack's default security group
 * is one. Its silence says nothing.
 */
const isMute = ({ finding }: Testimony): boolean => finding.neverHeard === true;

const muteWords = ({ finding }: Testimony): string =>
  finding.goneMute === true ? 'did not answer any more while its host was well' : 'never heard';

/**
 * None of its instances answers, and some that do testify were heard before. One that could not be scanned makes the
 * host undecided. Each witness needs so many vantage points as must agree that heard somebody else on its network
 * themselves: else that network is dark for them, and their silence does not count.
 */
function judgeBySilence(about: HostCase, heard: Testimony[]): Judgement<DeadHost> {
  const { host, scan, phase, seen } = about;
  const vouching = new Map(heard.map((w) => [w, vouchersOf(w.networks, phase.controlGuests, scan.controls)]));
  const setsOf = (witness: Testimony) => vouching.get(witness)?.sets ?? [];
  if (heard.some((witness) => !vouchedSilence(scan, [], setsOf(witness)))) return 'blind';
  const unknown = seen.find((w) => w.finding.state === 'unknown' && !isMute(w));
  if (unknown) {
    const detail = `its instance ${unknown.name}: ${unknown.finding.detail}`;
    return { refusal: { name: 'scan-unknown', host, detail } };
  }
  if (heard.some((witness) => !vouchedSilence(scan, [witness.target], setsOf(witness)))) return 'blind';
  const agreeing = heard.map((witness) => vantagePointsAgreeing(scan, [witness.target], setsOf(witness)));
  const alone = [...new Set([...vouching.values()].flatMap((v) => v.alone))];
  const others = cannotTell(seen, phase.moving[host]);
  const evidence = [
    ...silence(about),
    `its instances do not answer (${shortened(namesOf(heard, 'silent'), 5)})`,
    ...disksSilence(about),
    ...(others.length > 0 ? [`others cannot tell (${shortened(others, 5)})`] : []),
    ...(alone.length > 0
      ? [
          `nobody else on ${shortened(
            alone.map((network) => quoted(network)),
            5,
          )} could be asked, so ${stoodIn(vouching.values())} vouched`,
        ]
      : []),
    ...controlsAnswer(scan, [...new Set(agreeing.flat())]),
  ];
  const neverHeard = phase.neverHeard[host] !== undefined;
  return { found: { host, witnesses: heard.map(({ target }) => target), evidence, neverHeard } };
}

const stoodIn = (vouching: Iterable<ReturnType<typeof vouchersOf>>): string =>
  [...vouching].some(({ sets }) => sets.length > 0) ? 'guests on other networks' : 'the control hosts';

/**
 * Nobody testifies. Where fencing is to prove it the host's own silence counts alone, so it is the control hosts that
 * must answer; answering guests are no help. Configured controls stand in only where no hypervisor was asked. A host
 * that was never heard either has nothing left but its heartbeats.
 */
function judgeByItself(about: HostCase): Judgement<DeadHost> {
  const { draft, host, scan, phase, picture, seen } = about;
  const others = cannotTell(seen, phase.moving[host]);
  if (disksSilence(about).length > 0) return judgeByDisks(about, others);
  const finding = findingOf(scan, host);
  if (phase.neverHeard[host] !== undefined || finding.neverHeard)
    return { refusal: neverHeard(host, scannersOf(scan), others, picture) };
  if (draft.rules.fencing === 'none') {
    const servers = picture?.instancesOn(host) ?? seen.length;
    return { refusal: { name: 'no-witness', host, servers, others } };
  }
  const isGuest = new Set(phase.controlGuests.map(({ target }) => target));
  const controls = Object.keys(scan.controls).filter((name) => !isGuest.has(name));
  const hypervisors = controls.filter((name) => picture?.hypervisor(name) !== undefined);
  const controlHosts = hypervisors.length > 0 ? hypervisors : controls;
  if (!vouchedSilence(scan, [], [controlHosts])) return 'blind';
  if (finding.state === 'unknown') return { refusal: { name: 'scan-unknown', host, detail: finding.detail } };
  if (!vouchedSilence(scan, [host], [controlHosts])) return 'blind';
  const evidence = [
    ...silence(about),
    `none of its instances could testify${inBrackets(others)}, so fencing has to prove it`,
    ...controlsAnswer(scan, vantagePointsAgreeing(scan, [host], [controlHosts])),
  ];
  return { found: { host, witnesses: [host], evidence, neverHeard: false } };
}

/**
 * None of its instances can be asked by the network, but disks of some that answered before are silent. So many vantage
 * points as must agree found that (see mergeScans), each only while it heard disks of others; nobody else has to vouch.
 */
function judgeByDisks(about: HostCase, others: readonly string[]): Judgement<DeadHost> {
  const { host, scan, phase } = about;
  const witness = disksName(host);
  const evidence = [
    ...silence(about),
    ...disksSilence(about),
    `none of its instances could testify by the network${inBrackets(others)}`,
    ...controlsAnswer(scan, vantagePointsAgreeing(scan, [witness], [])),
  ];
  return {
    found: { host, witnesses: [witness], evidence, neverHeard: phase.neverHeard[host] !== undefined },
  };
}

/** That its disks answered before, and do not; none: they were not asked, or never answered. */
function disksSilence({ host, scan }: HostCase): string[] {
  const finding = scan.targets[disksName(host)];
  return finding?.state === 'silent' ? [`the disks of its instances do not answer (${finding.detail})`] : [];
}

const inBrackets = (names: readonly string[]): string =>
  names.length === 0 ? '' : ` (${shortened(names, 5)})`;

/** The refusal of a host that only its heartbeats tell of. */
export function neverHeard(
  host: string,
  vantagePoints: readonly string[],
  others: readonly string[],
  picture: Picture | null,
): Refusal {
  const address = picture?.hypervisor(host)?.address ?? null;
  return { name: 'never-heard', host, address, vantagePoints: [...vantagePoints], others: [...others] };
}

const namesOf = (seen: readonly Testimony[], state: ScanFinding['state']): string[] =>
  seen.filter(({ finding }) => finding.state === state).map(({ name }) => name);

/** Instances whose silence says nothing, each with the reason. */
const cannotTell = (seen: readonly Testimony[], moving: readonly string[] = []): string[] => [
  ...seen
    .filter((w) => !w.testifies || isMute(w))
    .map((w) => (w.testifies ? `${w.name} (${muteWords(w)})` : w.name)),
  ...moving,
];

/** What every verdict rests on. */
const silence = ({ draft, host, phase, picture }: HostCase): string[] => [
  ...(picture === null ? [] : [`no heartbeat (${heartbeatOf(host, picture, draft.nowMs, draft.rules).why})`]),
  phase.neverHeard[host] === undefined
    ? `the host does not answer (${phase.silent[host]})`
    : 'the host itself was never heard, so its own silence is no evidence',
];

/** Bystanders that did not answer the guest scan: silence and trouble count alike, as the doubt is about acting. */
export function silentBystanders(outcome: JobOutcome<'scan'>, phase: GuestsPhase): string[] {
  const targets = outcome.state === 'done' && outcome.result.ok ? outcome.result.targets : {};
  return phase.bystanders.filter((host) => targets[host]?.state !== 'answers');
}

/** That the scan can be believed; `agreeing` are the vantage points that found the same. */
function controlsAnswer(scan: SeenScan, agreeing: readonly string[]): string[] {
  const all = Object.values(scan.controls);
  const answering = all.filter(({ state }) => state === 'answers');
  const vantagePoints = scan.vantagePoints?.length ?? 1;
  return [
    `the controls answer (${answering.length} of ${all.length})`,
    ...(vantagePoints > 1
      ? [`${agreeing.length} of ${vantagePoints} vantage points saw it so (${agreeing.join(', ')})`]
      : []),
  ];
}
