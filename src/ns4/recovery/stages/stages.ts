// The stages of a recovery in their order. This list is the documentation; each stage is one file beside it.
//
// That an instance is as it was (its state, its ports) is part of moving it. Its guest may take minutes to boot, and its
// place is wanted for the next one: whether that answers is asked when all are moved.
import type { Stage } from '../recovery.ts';
import { closeServices } from './close-services.ts';
import { cutOff } from './cut-off.ts';
import { freshFacts } from './fresh-facts.ts';
import { mayGoOn } from './may-go-on.ts';
import { move } from './move.ts';
import { openJournal } from './open-journal.ts';
import { pickUp } from './pick-up.ts';
import { proveOff } from './prove-off.ts';
import { report } from './report.ts';
import { settle } from './settle.ts';
import { takeLock } from './take-lock.ts';

export const stages: readonly Stage[] = [
  /** One worker at a time is at a host, and only on an order that is not too old. */
  takeLock,
  /** Inventory and scan, asked now: the monitor judged seconds ago. */
  freshFacts,
  /** Is this the beginning, or was the first change made already? */
  pickUp,
  /** Every gate once more, by the fresh facts. */
  mayGoOn,
  /** Whom it is about is written down before anything is done. */
  openJournal,
  /** Where proof is demanded, nothing is changed before the host is proven to be off. */
  proveOff,
  /** Where Ceph has the disks, the host is kept from writing to them, proven off or not. */
  cutOff,
  /** The dead compute service is forced down, the spare is enabled. */
  closeServices,
  /** The instances, each until it has its end. */
  move,
  /** Those who answered before answer again, or it is said that they do not. */
  settle,
  report,
];

/** Where a recovery goes on whose facts grew old: the lock is still held. */
export const againFrom: Stage = freshFacts;
