// What a sense is: one way to tell whether a hypervisor lives. Each says alive, silent or that it cannot tell, and why.
// One `alive` is a veto; only a sense that can tell may be silent.
import type { Picture } from '../../picture/picture.ts';

export type Says = 'alive' | 'silent' | 'cannot-tell';

export interface Reading {
  readonly says: Says;
  /** For a person, without the host's name: "nova-compute reported 4 s ago". */
  readonly why: string;
  /** When it heard of the host last, by the clock of whoever asked the cloud; null: never, or not known. */
  readonly heardAtMs: number | null;
  /** Of `alive`: from when on it may say otherwise, if nothing more is heard. Null: not by the passing of time. */
  readonly runsOutAtMs?: number | null;
}

/** Whom a sense is asked about, and by what. */
export interface SenseCase {
  /** The service host of a hypervisor. */
  readonly host: string;
  readonly picture: Picture;
  readonly nowMs: number;
  readonly rules: { readonly heartbeatPeriodMs: number };
}

export interface Sense {
  readonly name: string;
  /** What it listens to. Silence needs two kinds of them before a host is dead. */
  readonly kind: 'control-plane' | 'host' | 'guests' | 'disks' | 'fence';
  /** As a heading. */
  readonly title: string;
  /** What would let it tell, where it cannot. */
  readonly help: string;
  speak(about: SenseCase): Reading;
}

/** "12 s ago" */
export const ago = (ms: number, nowMs: number): string =>
  `${Math.max(0, Math.round((nowMs - ms) / 1_000))} s ago`;
