// The commands of fencing by hand, wired: `--confirm-fenced`, `--trust-devices` and `--fence`.
import type { OpenStackSettings, Settings } from '../../shared/config/settings.ts';
import { answerWithin, type Clock } from '../../shared/ground/clock.ts';
import { OperationalError, UsageError } from '../../shared/ground/errors.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import type { ExitCode } from '../../shared/process/frame.ts';
import { operator } from '../../shared/process/operator.ts';
import type { Db } from '../../shared/redis/db.ts';
import type { EventLog } from '../../shared/redis/event-log.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { leaveOrder } from '../../shared/redis/orders.ts';
import type { Trust } from '../../shared/trust/trust.ts';
import type { Bystanders } from '../fencing/bystanders.ts';
import type { OperatorConfirmations } from '../fencing/operator-confirmations.ts';
import { builtIn, type FencingPlan } from '../fencing/plan.ts';
import { askForName } from './ask-name.ts';
import type { CephByHand } from './ceph-by-hand.ts';
import type { Ns4Options } from './command-line.ts';
import { confirmFenced } from './confirm.ts';
import { doubtIn, whoFell } from './devices-in-doubt.ts';
import { askElsewhere, type FencedElsewhere } from './fence-elsewhere.ts';
import type { Recoveries } from './recoveries.ts';
import { tryLevels } from './try-out.ts';

/** For what Redis knows of a host: without it the host counts as alive, and somebody waits at the terminal. */
const readLimitMs = 3_000;

interface ByHandParts {
  readonly settings: Settings;
  readonly openstack: OpenStackSettings;
  readonly redis: Db;
  readonly keys: Keys;
  readonly trust: Trust;
  readonly confirmations: OperatorConfirmations;
  readonly plan: FencingPlan | null;
  /** Null: no [CEPH]. */
  readonly ceph: CephByHand | null;
  readonly inventory: InventoryStore;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  print(line: string): void;
}

/** Records the operator's word. */
export async function confirmByHand(
  host: string,
  options: Pick<Ns4Options, 'yes'>,
  parts: ByHandParts,
): Promise<ExitCode> {
  const { settings, redis, keys, trust, confirmations, inventory, clock, print } = parts;
  if (settings.fencing.mode === 'none' && settings.ceph === null)
    throw new UsageError([
      '--confirm-fenced: nobody asks for proof, as [FENCING] mode is none and there is no [CEPH]',
    ]);
  await confirmFenced(host, operator(), {
    ...{ confirmations, inventory, clock },
    heartbeatPeriodMs: settings.monitor.heartbeatPeriodMs,
    ask: asker(host, options, parts),
    announce: async ({ by, atMs }) => {
      await leaveOrder(redis, keys, trust, { kind: 'confirm-fenced', host, by, atMs });
    },
  });
  print(
    `recorded for an hour: ${host} is off by the word of ${operator()}; its recovery goes on at the monitor's next look`,
  );
  return 0;
}

/** Ends the doubt in the devices of a host: another machine fell silent when it was told `off`. */
export async function trustByHand(
  host: string,
  options: Pick<Ns4Options, 'yes'>,
  parts: Pick<ByHandParts, 'stop' | 'print'> & {
    readonly bystanders: Pick<Bystanders, 'of' | 'forget'>;
  },
): Promise<ExitCode> {
  const fell = await whoFell(parts.bystanders, host);
  if (fell === null) throw new OperationalError(`nothing speaks against the fence devices of ${host}`);
  await asker(
    host,
    options,
    parts,
  )(`the fence devices of ${host} are its own: you have made sure that they did not switch off ${fell}`);
  await parts.bystanders.forget(host);
  parts.print(`the fence devices of ${host} are told and believed again`);
  return 0;
}

/** The level that is built in needs none. */
const noPlan: FencingPlan = { file: 'fencing.yaml', hosts: new Map(), others: null, secrets: [] };

/** Tries the levels of a host. */
export async function fenceByHand(
  host: string,
  options: Ns4Options,
  parts: ByHandParts &
    FencedElsewhere & {
      readonly bystanders: Pick<Bystanders, 'of'>;
      readonly recoveries: Recoveries;
    },
): Promise<ExitCode> {
  const { settings, ceph, recoveries, inventory, clock, stop, print } = parts;
  const doubt = () => doubtIn(host, parts);
  // Ceph is asked and told from here, whoever fences.
  if (!settings.scan.fences && options.level !== builtIn)
    return askElsewhere(host, options, { ...parts, doubt });
  const plan = options.level === builtIn ? (parts.plan ?? noPlan) : parts.plan;
  if (plan === null)
    throw new UsageError(['--fence: [FENCING] hosts is not set, expected the file with the levels']);
  if (options.level === builtIn && ceph === null)
    throw new UsageError([`--level ${builtIn}: [CEPH] is not set, expected the way to Ceph`]);
  const well = await tryLevels(
    { host, action: options.action ?? 'status', level: options.level },
    {
      ...{ plan, ceph, recoveries, clock, print, doubt },
      inventory: { read: () => answerWithin(clock, readLimitMs, inventory.read()) },
      signal: stop,
      timeoutMs: settings.fencing.timeoutMs,
      heartbeatPeriodMs: settings.monitor.heartbeatPeriodMs,
      ask: asker(host, options, parts),
    },
  );
  return well ? 0 : 1;
}

function asker(host: string, { yes = false }: Pick<Ns4Options, 'yes'>, { stop }: Pick<ByHandParts, 'stop'>) {
  const terminal = { input: process.stdin, output: process.stdout };
  return (what: string) => askForName(host, what, { yes, signal: stop }, terminal);
}
