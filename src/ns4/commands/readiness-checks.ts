// The end of `ns4 --check`: what a round does, on the living. Every hypervisor is scanned once, with some of its
// instances; then it is asked of each whether it could be recovered if it died now.
import type { Status } from '../../shared/documents/status.ts';
import { systemClock } from '../../shared/ground/clock.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import { ScanQueues } from '../../shared/jobs/job-producer.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { Check } from '../../shared/process/check.ts';
import type { Frame } from '../../shared/process/frame.ts';
import { readLeader } from '../../shared/redis/leader.ts';
import { readStatus } from '../../shared/redis/status.ts';
import { policyOf } from '../../shared/rules/policy.ts';
import { isSpareCandidate } from '../../shared/rules/spare-choice.ts';
import { QuorumScan } from '../../shared/vantage-points/ask-all.ts';
import { VantagePointRegistry } from '../../shared/vantage-points/registry.ts';
import { HeardStore } from '../baseline/heard.ts';
import { heardByAny } from '../baseline/heard-by-any.ts';
import { lookWithBaseline } from '../baseline/look.ts';
import { AddressBook } from '../disks/address-book.ts';
import { Disks } from '../disks/disks.ts';
import { surveySenses } from '../jobs/survey-senses.ts';
import { KernelNeighbours } from '../scan/neighbours.ts';
import { IcmpOffenders } from '../scan/offenders.ts';
import type { CheckMeans } from './check-means.ts';
import { lookAtHosts, type SeenOfHosts } from './look-at-hosts.ts';
import { type LevelWord, proofToday, whyNotCutOff } from './proof-today.ts';
import { type Survey, surveyed } from './readiness.ts';
import { hostRemarks, isReady, recoveryText, scanText, sparesText } from './readiness-text.ts';
import { gatesText, scanTrouble } from './round-troubles.ts';
import type { StartedOnCloud } from './start-on-cloud.ts';

/** Instances that are asked in all, and of one hypervisor at most and at least. */
const guestsInAll = 3_000;
const guestsPerHost = { most: 50, least: 3 };

/** What the levels of a host said when they were asked; null: this ns4 tells no device. */
export type LevelWords = (host: string) => readonly LevelWord[] | null;

interface Round {
  readonly picture: Picture;
  readonly looked: SeenOfHosts;
  readonly survey: Survey;
  readonly status: Status | null;
}

/** `needs` Redis and the inventory; the last of them says how many could be recovered, and fails where none could. */
export function readinessChecks(
  means: CheckMeans,
  started: StartedOnCloud,
  levelWords: LevelWords,
  frame: Frame,
): Check[] {
  const { settings } = started;
  let round: Promise<Round> | null = null;
  const made = () => {
    round ??= goRound(means, started, levelWords, frame);
    return round;
  };
  return [
    {
      what: 'hypervisors',
      needs: ['Redis', 'inventory'],
      run: async () => {
        const { picture, looked, survey } = await made();
        return { found: scanText(looked), warnings: hostRemarks(picture, looked, survey, settings.monitor) };
      },
    },
    {
      what: 'spares',
      needs: 'hypervisors',
      run: async () => {
        const { picture, survey } = await made();
        const spares = picture.hypervisors.filter(isSpareCandidate).map(({ host }) => host);
        return sparesText(spares, survey);
      },
    },
    {
      what: 'gates',
      needs: 'hypervisors',
      run: async () => {
        const { picture, status } = await made();
        const redis = means.redis();
        const { names } = await new VantagePointRegistry(redis, means.keys).list();
        const leader = await readLeader(redis, means.keys);
        const policy = policyOf('', rulesOf(started));
        const nowMs = systemClock.nowMs();
        return gatesText({ ...{ picture, status, policy, nowMs, leader }, vantagePoints: names.length });
      },
    },
    {
      what: 'recovery',
      needs: 'hypervisors',
      run: async () => {
        const { picture, survey } = await made();
        const text = recoveryText(survey, picture.cellDown);
        if (survey.hosts.length > 0 && !survey.hosts.some(isReady)) throw new OperationalError(text);
        return text;
      },
    },
  ];
}

const rulesOf = ({ settings }: StartedOnCloud) => ({
  ...settings.monitor,
  fencing: settings.fencing.mode,
  disabledHosts: settings.recovery.disabledHosts,
});

async function goRound(
  means: CheckMeans,
  started: StartedOnCloud,
  levelWords: LevelWords,
  frame: Frame,
): Promise<Round> {
  const { settings } = started;
  const picture = await means.picture();
  const redis = means.redis();
  const found = await readStatus(redis, means.keys);
  const status = found.kind === 'found' ? found.status : null;
  const hosts = picture.hypervisors.map(({ host }) => host);
  const { most, least } = guestsPerHost;
  const guests = Math.max(least, Math.min(most, Math.floor(guestsInAll / Math.max(1, hosts.length))));
  const looked = await lookAtHosts(
    hosts,
    guests,
    picture,
    lookParts(means, started, picture, frame),
    frame.stop,
  );
  const registry = new VantagePointRegistry(redis, means.keys);
  const { name } = settings.scan;
  const isProven = settings.fencing.mode === 'required';
  const tooFew = await surveySenses({
    inventory: {
      readThrough: async (begin) => {
        const take = begin(picture);
        for (const host of picture.hostsRead) take(picture.serversOf(host));
        return picture;
      },
    },
    // What was heard just now is this vantage point's, whether or not an ns4 of its name runs.
    heardByAny: heardByAny(redis, means.keys, {
      list: async () => {
        const listed = await registry.list();
        return { ...listed, names: [...new Set([...listed.names, name])] };
      },
    }),
    opened: means.ceph?.().store ?? null,
    nowMs: systemClock.nowMs(),
    rules: { ...settings.monitor, isProven },
  });
  const proofs = await proofsOf(hosts, means, started, levelWords);
  const recoveries =
    status?.incidents.flatMap(({ subject, recovery }) =>
      recovery === null ? [] : [{ subject, recovery }],
    ) ?? [];
  const survey = surveyed({
    picture,
    seen: looked.seen,
    scanTrouble: scanTrouble(looked.scans),
    tooFew: tooFew?.unjudged ?? [],
    taken: new Set(
      recoveries.flatMap(({ recovery }) =>
        recovery.targets.flatMap((target) => (target.kind === 'host' ? [target.host] : [])),
      ),
    ),
    recovering: new Set(recoveries.flatMap(({ subject }) => (subject.kind === 'host' ? [subject.name] : []))),
    proofOf: (host) => proofs.get(host) ?? { by: null, why: 'nobody was asked for a proof' },
    policy: policyOf('', rulesOf(started)),
  });
  return { picture, looked, survey, status };
}

/** A scan by this process and all other vantage points, by the rules of a round. */
function lookParts(
  means: CheckMeans,
  { settings, openstack, log }: StartedOnCloud,
  picture: Picture,
  frame: Frame,
) {
  const [redis, keys, clock] = [means.redis(), means.keys, systemClock];
  const trust = means.trust();
  const registry = new VantagePointRegistry(redis, keys);
  const queues = new ScanQueues(settings.redis, openstack.cloud, trust, log);
  frame.onClose('scan queues', () => queues.close());
  const quorum = new QuorumScan({ ...{ redis, keys, trust, registry, queues }, rules: settings.scan, clock });
  const ceph = means.ceph?.() ?? null;
  const inventory = { read: async () => picture };
  const look = lookWithBaseline({
    disks: ceph === null ? null : new Disks({ ...ceph, inventory, clock }),
    settings: settings.scan,
    heard: new HeardStore(redis, keys, settings.scan.name),
    ears: { offenders: new IcmpOffenders(log), neighbours: new KernelNeighbours(clock) },
    ...{ clock, log },
  });
  const lookTogether: QuorumScan['ask'] = (data, own, signal) => quorum.ask(data, own, signal);
  return { ...{ settings, clock, look, lookTogether }, asksDisks: ceph !== null };
}

async function proofsOf(
  hosts: readonly string[],
  means: CheckMeans,
  { settings }: StartedOnCloud,
  levelWords: LevelWords,
) {
  const ceph = means.ceph?.() ?? null;
  const book = ceph === null ? null : new AddressBook(await ceph.store.addresses(), systemClock.nowMs());
  const nothingHere = ceph === null ? new Set<string>() : (await means.disks()).nothingHere;
  const { mode } = settings.fencing;
  return new Map(
    hosts.map((host) => [
      host,
      proofToday({
        mode,
        levels: mode === 'none' ? [] : levelWords(host),
        ...(book === null ? {} : { notCutOff: whyNotCutOff(book.presentOf(host), nothingHere.has(host)) }),
      }),
    ]),
  );
}
