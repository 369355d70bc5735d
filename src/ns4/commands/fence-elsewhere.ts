// What an ns4 that does not fence itself (`[SCAN] fences = no`) can tell of fence devices: what they say, through a
// vantage point that fences. `--fence` for that, and its line of `--check`.
import type { Settings } from '../../shared/config/settings.ts';
import type { Hosts, Hypervisor } from '../../shared/documents/inventory.ts';
import { fencesElsewhereText } from '../../shared/documents/terms/fencing-mode.ts';
import { fencingPlansOf, fencingPlansText } from '../../shared/documents/terms/fencing-plans.ts';
import { answerWithin, systemClock } from '../../shared/ground/clock.ts';
import { OperationalError, UsageError } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { Channel, fenceQueue } from '../../shared/jobs/queue.ts';
import type { Check } from '../../shared/process/check.ts';
import type { ExitCode } from '../../shared/process/frame.ts';
import { VantagePointRegistry } from '../../shared/vantage-points/registry.ts';
import type { Devices } from '../fencing/devices.ts';
import { farDevices } from '../fencing/far/far-devices.ts';
import { RedisFenceOrders } from '../fencing/far/orders.ts';
import { agentsOf, type DeviceOutline } from '../fencing/plan.ts';
import type { CephByHand } from './ceph-by-hand.ts';
import type { CheckMeans } from './check-means.ts';
import type { Ns4Options } from './command-line.ts';
import { type Doubt, ifBelieved } from './devices-in-doubt.ts';
import { type CephAsked, cutSeen } from './fencing-checks.ts';
import { type Tried, triedTogether } from './try-out.ts';

export interface FencedElsewhere {
  readonly devices: Devices | null;
  readonly registry: Pick<VantagePointRegistry, 'list'>;
}

/** A device is given as long as a far job has. */
const longestLookMs = 30_000;
const checkLookMs = 10_000;
/** For Redis to say who fences. */
const readLimitMs = 3_000;

/** `--fence HOST`: only its status; who may tell the devices anything sits where they are. Ceph is asked from here. */
export async function askElsewhere(
  host: string,
  { action = 'status', level: wanted }: Pick<Ns4Options, 'action' | 'level'>,
  parts: FencedElsewhere & {
    readonly settings: Settings;
    /** Null: no [CEPH]. Asked from here. */
    readonly ceph: Pick<CephByHand, 'status'> | null;
    readonly stop: AbortSignal;
    print(line: string): void;
    /** Are the devices of the host in doubt? */
    doubt(): Promise<Doubt>;
  },
): Promise<ExitCode> {
  const { devices, registry, settings, ceph, stop, print } = parts;
  if (devices === null)
    throw new UsageError(['--fence: [SCAN] fences is no and [FENCING] mode none: nobody is asked from here']);
  if (action !== 'status') {
    const listed = await answerWithin(systemClock, readLimitMs, registry.list()).catch(() => null);
    const names = [...new Set(listed?.plans.map(({ name }) => name))].sort().join(', ');
    throw new UsageError([
      `--fence: [SCAN] fences is no, so no device is told "${action}" from here; expected on an ns4 that fences (now: ${names || 'none is known'})`,
    ]);
  }
  const levels = await devices.levelsOf(host, stop);
  if ('failure' in levels) throw new OperationalError(`nobody fences for this ns4: ${levels.detail}`);
  const asked = wanted === undefined ? levels : levels.filter(({ number }) => number === wanted);
  if (asked.length === 0)
    throw new UsageError([`${host} has ${levels.length} levels where it is fenced, expected one of them`]);
  let well = true;
  const doubt = await parts.doubt();
  const timeoutMs = Math.min(settings.fencing.timeoutMs, longestLookMs);
  for (const level of asked) {
    const tried =
      level.kind === 'ceph'
        ? ((await ceph?.status(host)) ?? noCeph)
        : ifBelieved(await lookFrom(devices, host, level, timeoutMs, stop), doubt);
    print(
      `${tried.well ? 'ok    ' : 'FAILED'}  ${host}, level ${level.number}, ${agentsOf(level)}: ${tried.text}`,
    );
    well = well && tried.well;
  }
  return well ? 0 : 1;
}

const noCeph: Tried = { well: false, text: 'this ns4 has no [CEPH]' };

async function lookFrom(
  devices: Devices,
  host: string,
  level: DeviceOutline,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Tried> {
  if (level.isListener) return { well: true, text: 'listens for its crash kernel, and switches nothing' };
  const asked = { number: level.number, agent: agentsOf(level) };
  const seen = (await devices.look(host, asked, timeoutMs, signal)) ?? [];
  const each = level.devices.map((_, i): Tried => {
    const { says, said } = seen[i] ?? { says: 'unknown', said: '' };
    return { well: says !== 'unknown', text: says === 'unknown' ? said || 'no answer' : `${says} (${said})` };
  });
  return triedTogether(level, each);
}

/** Somebody fences, by one plan, and takes the jobs of this one: it is asked for one host. */
export function checkElsewhere({
  settings,
  cloud,
  means,
  hypervisors,
  ceph,
  log,
  signal,
}: {
  readonly settings: Settings;
  readonly cloud: string;
  readonly means: Pick<CheckMeans, 'keys' | 'redis' | 'trust'>;
  readonly hypervisors: () => Promise<Hosts>;
  readonly ceph: CephAsked | null;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Check {
  return {
    what: 'fencing',
    needs: 'Redis',
    run: async () => {
      const { keys } = means;
      const [redis, trust] = [means.redis(), means.trust()];
      const queue = new Channel(fenceQueue, settings.redis, cloud, trust, log, null);
      try {
        const registry = new VantagePointRegistry(redis, keys);
        const plans = fencingPlansOf((await registry.list()).plans);
        const [plan, other] = plans;
        if (plan === undefined)
          throw new OperationalError(
            `${fencesElsewhereText}, and none is there: nobody can be proven to be off but by an operator's word`,
          );
        if (other !== undefined)
          throw new OperationalError(
            `they fence by different plans (${fencingPlansText(plans)}): nobody is fenced before all have the same`,
          );
        const [first] = (await hypervisors()).hypervisors.toSorted((a, b) => (a.host < b.host ? -1 : 1));
        const who = `required; ${fencesElsewhereText}: ${fencingPlansText(plans)}`;
        if (first === undefined) return who;
        const orders = new RedisFenceOrders(redis, keys, trust);
        const devices = farDevices({ queue, orders, registry, clock: systemClock });
        return `${who}; ${first.host}: ${await describeHost(devices, first, ceph, signal)}`;
      } finally {
        await queue.close();
      }
    },
  };
}

/** @throws OperationalError when one of its devices does not answer, or nobody could be cut off by the level `ceph` */
async function describeHost(
  devices: Devices,
  { host, runningVms }: Pick<Hypervisor, 'host' | 'runningVms'>,
  ceph: CephAsked | null,
  signal: AbortSignal,
): Promise<string> {
  const levels = await devices.levelsOf(host, signal);
  if ('failure' in levels) throw new OperationalError(levels.detail);
  if (levels.length === 0) return 'no level';
  const tried = await Promise.all(
    levels.map(async (level): Promise<Tried> => {
      if (level.kind !== 'ceph') return lookFrom(devices, host, level, checkLookMs, signal);
      const { says, text } = await cutSeen(host, ceph, checkLookMs, signal);
      // Runs nothing, so that nobody could know from where it opens disks.
      return { well: says !== 'unknown' || runningVms === 0, text };
    }),
  );
  const text = tried.map(({ text: one }, i) => `level ${levels[i]?.number}, ${one}`).join('; ');
  if (tried.some(({ well }) => !well)) throw new OperationalError(`${host}: ${text}`);
  return text;
}
