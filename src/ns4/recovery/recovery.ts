// A recovery that is being carried out: what was ordered, what it works with, and what its stages learned so far.

import type { AssignmentToken } from '../../shared/documents/assignments.ts';
import type { EventFacts } from '../../shared/documents/events/events.ts';
import { type Progress, progressText } from '../../shared/documents/events/progress.ts';
import type { Hosts, Servers } from '../../shared/documents/inventory.ts';
import type { RecoverData, RecoveryReport } from '../../shared/documents/jobs/recover.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { FencingPlans } from '../../shared/documents/terms/fencing-plans.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import { listenedToByMany } from '../../shared/ground/listened-to.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { Policy } from '../../shared/rules/policy.ts';
import type { Cloud } from '../cloud/cloud.ts';
import type { Asked } from '../disks/ask-instances.ts';
import type { CutOffRequest, CutOffResult } from '../disks/cut-off.ts';
import type { AskedToMove, MayMove } from '../disks/disks.ts';
import type { Fencing } from '../fencing/fencing.ts';
import type { Confirmation } from '../fencing/operator-confirmations.ts';
import type { GuestsAsked } from './guests-still-there.ts';
import { type Journal, namesOf } from './journal/journal.ts';
import type { Journals } from './journal/journals.ts';
import type { Lock } from './journal/lock.ts';
import type { MarkWatch } from './mark.ts';
import type { Mover } from './movers/mover.ts';
import type { StillSilent } from './still-silent.ts';

/** What every recovery of this ns4 works with. */
export interface RecoveryTools {
  readonly cloud: Cloud;
  readonly mover: Mover;
  /** Null: no proof is demanded, silence is enough. */
  readonly fencing: Fencing | null;
  /** Null: Ceph is not asked. */
  readonly storage: RecoveryStorage | null;
  /** By which plans the ns4 of this cloud fence now, this one included. */
  fencingPlans(): Promise<FencingPlans>;
  readonly journals: Pick<Journals, 'open' | 'read' | 'lock'>;
  /** Refreshes everything, servers included, and stores it. */
  refresh(signal: AbortSignal): Promise<{ hosts: Hosts; servers: Servers }>;
  /** The stored inventory with the servers of this host; null: there is none. */
  known(host: string): Promise<Picture | null>;
  scan(request: { targets: ScanTarget[]; controls: ScanTarget[] }, signal: AbortSignal): Promise<ScanResult>;
  say(facts: EventFacts): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** What this ns4 was configured to do. */
  readonly policy: Policy;
  readonly hypervisorPorts: readonly number[];
  readonly instancePorts: readonly number[];
  /** Instances that answered before have so long to answer again; 0: they are not asked. */
  readonly answerTimeoutMs: number;
  /** What to do with an instance whose disk Nova would make anew. */
  readonly localDisks: 'leave' | 'recover';
  readonly concurrency: number;
}

/** What a recovery asks of the storage that has the disks. */
export interface RecoveryStorage {
  /** See Disks.mayMove. */
  mayMove(instance: AskedToMove, host: string, signal: AbortSignal): Promise<MayMove>;
  /** See Disks.whereOpen. */
  whereOpen(instance: Asked, signal: AbortSignal): Promise<string | null>;
  /** See cutOff in disks/cut-off.ts. */
  cutOff(request: CutOffRequest): Promise<CutOffResult>;
  /** An operator's word that a host is off. */
  readonly word: {
    /** Null where it does not count; `heardAtMs`: the last sign of life. */
    of(host: string, heardAtMs: number | null): Promise<Confirmation | null>;
    /** It became the proof of a recovery: it counts for no other one. */
    useUp(host: string): Promise<void>;
  };
}

/** What a worker is asked for, by job or by hand. */
export type Order = Omit<RecoverData, 'attempt' | 'epoch'> & {
  /** Shown before every dangerous step; null by hand alone, where nobody else has to want it. */
  readonly assignment: AssignmentToken | null;
};

/**
 * One way through the list of stages: on to the next, once more with fresh facts, or over. later: with fresh facts as
 * well, after a wait that the stage itself bounds.
 */
export type Turn = 'next' | 'again' | 'later' | End;
export interface End {
  readonly report: RecoveryReport;
}
export interface Stage {
  readonly name: string;
  run(recovery: Recovery): Promise<Turn>;
}

/** What was asked just now, and since when (steady time). */
export interface Facts {
  readonly picture: Picture;
  readonly scan: ScanResult;
  /** Of its instances for which nothing was asked yet. */
  readonly guests: GuestsAsked;
  readonly askedAtMs: number;
}

/**
 * continued: the first change was made, by whomever: its journal is gone on with. anew: nothing was changed, or an
 * operator put the host back since; then of an `earlier` journal of the same recovery only its proof counts.
 */
type Beginning =
  | { readonly kind: 'continued'; readonly journal: Journal }
  | { readonly kind: 'anew'; readonly earlier: Journal | null };

/** More are somebody's mistake, or worse: each is a connection to everybody who is asked. */
const mostOtherPorts = 64;

const bothPorts = (own: readonly number[], others: readonly number[]): readonly number[] => [
  ...new Set([...own, ...[...new Set(others)].slice(0, mostOtherPorts)]),
];

/** Under one lock, from its taking to its end. */
export class Recovery {
  readonly order: Order;
  readonly tools: RecoveryTools;
  /** When this worker began with it, for the report. */
  readonly startedAtMs: number;
  /** Told to stop: what is under way is handed back. */
  readonly stop: AbortSignal;
  /** The host's open journal, which may be another recovery's; from open-journal on the one that is worked on. */
  journal: Journal | null = null;
  /** Scanned along with the dead host: they must answer. The order's, until none of them does. */
  controls: readonly ScanTarget[];
  /** Since when (steady time) a target is waited for; null: none is. */
  targetAwaitedSinceMs: number | null = null;
  /** Moves the instances; null: the mover has not begun to look at them. */
  move: (() => Promise<void>) | null = null;
  #lock: Lock | null = null;
  #signal: AbortSignal;
  #facts: Facts | null = null;
  #beginning: Beginning | null = null;
  #stillSilent: StillSilent | null = null;
  #mark: MarkWatch | null = null;

  constructor(order: Order, tools: RecoveryTools, startedAtMs: number, stop: AbortSignal) {
    this.order = order;
    this.controls = order.controls;
    this.tools = tools;
    this.startedAtMs = startedAtMs;
    this.stop = stop;
    this.#signal = stop;
  }

  /**
   * At which ports hypervisors are asked: at this ns4's own, and wherever a control is asked. A control vouches for silence
   * at its own ports only: beside one that answers at a monitor's ports, a living host would look silent to an ns4 with
   * other ones and `refused = silent`.
   */
  get hypervisorPorts(): readonly number[] {
    const ofControls = this.controls.flatMap(({ endpoints }) => endpoints.map(({ port }) => port));
    return bothPorts(this.tools.hypervisorPorts, ofControls);
  }

  /** At which ports guests are asked: at this ns4's own, and at those that the verdict rests on. */
  get instancePorts(): readonly number[] {
    return bothPorts(this.tools.instancePorts, this.order.instancePorts ?? []);
  }

  /** Aborted when this worker must not go on: told to stop, out of time, or without the lock. */
  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Null before it is taken. */
  get lockIfTaken(): Lock | null {
    return this.#lock;
  }

  get lock(): Lock {
    return learned(this.#lock, 'lock');
  }

  set lock(lock: Lock) {
    this.#lock = lock;
    this.#signal = listenedToByMany(AbortSignal.any([this.stop, lock.lost]));
  }

  get facts(): Facts {
    return learned(this.#facts, 'fresh facts');
  }

  set facts(facts: Facts) {
    this.#facts = facts;
  }

  get beginning(): Beginning {
    return learned(this.#beginning, 'beginning');
  }

  set beginning(beginning: Beginning) {
    this.#beginning = beginning;
  }

  /** The journal that is worked on. */
  get opened(): Journal {
    return learned(this.journal, 'journal');
  }

  get stillSilent(): StillSilent {
    return learned(this.#stillSilent, 'watch of its silence');
  }

  set stillSilent(watch: StillSilent) {
    this.#stillSilent = watch;
  }

  get mark(): MarkWatch {
    return learned(this.#mark, 'watch of its mark');
  }

  set mark(watch: MarkWatch) {
    this.#mark = watch;
  }

  /** Notes and tells how far it is; a worker that continues finds most of it told already. */
  async tell(progress: Progress): Promise<void> {
    const journal = this.opened;
    const known = [JSON.stringify(progress), JSON.stringify(progressText(journal.dead, progress))];
    if (journal.progress.some((noted) => known.includes(JSON.stringify(noted.progress)))) return;
    journal.progress.push({ atMs: this.tools.clock.nowMs(), progress });
    await this.tools.say({ kind: 'progress', ...namesOf(journal), progress });
  }
}

/** Only a list of stages in a wrong order asks for what no stage learned yet. */
function learned<T>(what: T | null, name: string): T {
  if (what === null) throw new Error(`a stage asks for the ${name} of a recovery before there is one`);
  return what;
}
