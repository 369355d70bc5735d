// What a sense is: one way to tell whether a hypervisor lives. Each says alive, silent or that it cannot tell, and why.
// One `alive` is a veto; only a sense that can tell may be silent.
import type { ScanFinding } from '../../documents/jobs/scan.ts';
import type { Picture } from '../../picture/picture.ts';

export type Says = 'alive' | 'silent' | 'cannot-tell';

export interface Reading {
  readonly says: Says;
  /** For a person, without the host's name: "nova-compute reported 4 s ago". */
  readonly why: string;
  /** When it heard of the host last, by the clock of whoever asked the cloud; null: never, or not known. */
  readonly heardAtMs: number | null;
  /** It surely lived at some time since then; null: nobody can say. Absent: as `heardAtMs`. */
  readonly livedAtMs?: number | null;
  /** Of `alive`: from when on it may say otherwise, if nothing more is heard. Null: not by the passing of time. */
  readonly runsOutAtMs?: number | null;
}

/** An instance of a host that was asked, and what its silence is worth. */
export interface AskedGuest {
  /** Its name, with the reason when its silence says nothing. */
  readonly title: string;
  readonly tells: 'testifies' | 'only-alive' | 'nothing';
  readonly finding: ScanFinding;
}

/** What one fence device of a host says of its power. */
export interface DeviceWord {
  /** "level 1, fence_ipmilan" */
  readonly name: string;
  readonly power: 'on' | 'off' | 'unknown';
  /** Why it is unknown. */
  readonly detail: string;
}

/** What a look at a host brought, beside what the picture tells of it. */
export interface Looked {
  /** Null: it was not scanned. */
  readonly ports: ScanFinding | null;
  readonly guests: readonly AskedGuest[];
  /** Null: Ceph is not asked. */
  readonly disks: ScanFinding | null;
  readonly devices: readonly DeviceWord[];
}

/** Whom a sense is asked about, and by what. */
export interface SenseCase {
  /** The service host of a hypervisor. */
  readonly host: string;
  readonly picture: Picture;
  readonly nowMs: number;
  readonly rules: { readonly heartbeatPeriodMs: number };
  /** Null: nobody looked, the picture is all there is. */
  readonly looked: Looked | null;
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
