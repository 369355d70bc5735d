// The words of the monitor's core: read this first. State is what survives a restart (it is stored as JSON), Input is
// everything that can happen, Output is what is to be done about it. Nothing here knows a clock, Redis or a queue.
import { z } from 'zod';
import type { Assignments } from '../../shared/documents/assignments.ts';
import type { EventFacts } from '../../shared/documents/events/events.ts';
import { type FencingMode, fencingModeSchema } from '../../shared/documents/fencing-mode.ts';
import { contracts, type Finished, type JobRequest } from '../../shared/documents/jobs/contracts.ts';
import { evacuationReportSchema } from '../../shared/documents/jobs/evacuate.ts';
import { refusalSchema } from '../../shared/documents/refusals/refusals.ts';
import type { Picture } from '../../shared/picture/picture.ts';

/** What the operator decided, from config.ini. */
export interface Rules {
  readonly monitorPeriodMs: number;
  readonly heartbeatPeriodMs: number;
  readonly suspiciousBackoff: number;
  readonly deadBackoff: number;
  readonly cooldownMs: number;
  readonly externalNetworks: readonly string[];
  readonly hypervisorPorts: readonly number[];
  readonly instancePorts: readonly number[];
  /** `required`: ns4 proves a host off before it evacuates, so a silent one without witnesses may be recovered. */
  readonly fencing: FencingMode;
}

/** An inventory older than this judges nobody (the original: API alive within the last 60 s). */
export const freshMs = 60_000;
/** Shortest pause between two checks, however many heartbeats are about to run out. */
export const shortestPauseMs = 1_000;
/** Guests of healthy hypervisors, probed along with a scan of guests as controls. */
export const controlGuestCount = 20;
/** How often a recovery is handed to a further worker before the monitor gives it up. */
export const mostAttempts = 20;

const witnessesSchema = z.record(z.string(), z.array(z.object({ target: z.string(), name: z.string() })));

/** Where the monitor stands in its round. Each waiting phase says since when, and ends on a tick after its limit. */
const phaseSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('watching'), nextCheckMs: z.number() }),
  z.object({
    kind: z.literal('refreshing'),
    sinceMs: z.number(),
    job: contracts['refresh-inventory'].request,
  }),
  z.object({
    kind: z.literal('scanning-hosts'),
    sinceMs: z.number(),
    job: contracts.scan.request,
    suspects: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('refreshing-servers'),
    sinceMs: z.number(),
    job: contracts['refresh-inventory'].request,
    /** When the youngest suspicion among the silent ones arose. */
    suspectedAtMs: z.number(),
    /** Silent hosts with what the host scan found. */
    silent: z.record(z.string(), z.string()),
  }),
  z.object({
    kind: z.literal('scanning-guests'),
    sinceMs: z.number(),
    job: contracts.scan.request,
    silent: z.record(z.string(), z.string()),
    /** Per silent host, the scan targets that testify for it. */
    witnesses: witnessesSchema,
    controlGuests: z.array(z.object({ target: z.string(), name: z.string() })),
    /** Hypervisors unheard of since this round's suspicion, scanned along: they may be dying too. */
    bystanders: z.array(z.string()),
    /** Silent hosts none of whose instances can testify, scanned again themselves: fencing is to prove them off. */
    unwitnessed: z.array(z.string()).default([]),
  }),
]);
export type Phase = z.infer<typeof phaseSchema>;

const recoverySchema = z.object({
  incident: z.string(),
  dead: z.string(),
  spare: z.string(),
  sinceMs: z.number(),
  job: contracts.evacuate.request,
  /** Set while a further attempt waits for its time; the job is then not yet asked for. */
  retryAtMs: z.number().nullable(),
});
export type Recovery = z.infer<typeof recoverySchema>;

/** Something that is so until it changes: said once, and its end is said once. */
const standingSchema = z.object({
  /** Refusal's name, or "suspect". */
  name: z.string(),
  /** What makes it another one worth saying: changes in evidence that is not mere passing of time. */
  signature: z.string(),
  sinceMs: z.number(),
  /** When the first of an unbroken row of matters about this scope began: for a host, its suspicion. */
  firstMs: z.number(),
  refusal: refusalSchema.nullable(),
});
export type Standing = z.infer<typeof standingSchema>;

export const stateSchema = z.object({
  version: z.literal(1),
  /** Of the monitor that leads; grows with every take-over. */
  epoch: z.number().default(0),
  /** Counts the saves of an epoch: of two copies the later one counts. Kept by the driver. */
  revision: z.number().default(0),
  /** Tells the job ids of one life of this state from those of an earlier one that Redis may still remember. */
  life: z.string(),
  sequence: z.number(),
  phase: phaseSchema,
  recoveries: z.array(recoverySchema),
  /** Stamped before the first evacuation leaves; lifted when none of its incidents did anything. */
  cooldown: z.object({ sinceMs: z.number(), incidents: z.array(z.string()) }).nullable(),
  /** By scope: a host, or "cloud". */
  standing: z.record(z.string(), standingSchema),
  /** Rounds spent backing off; 0 when not. */
  backoffs: z.number(),
  lastReport: evacuationReportSchema.nullable(),
  /** When the last recovery ended: servers collected before then do not tell what is left on its host. */
  recoveryEndedMs: z.number(),
  /** Redis lost what was known: nothing new is recovered until an operator accepts that. */
  hold: z.object({ sinceMs: z.number(), why: z.string() }).nullable().default(null),
  /** Begun on an empty Redis; the first inventory is to tell whether this cloud was watched before. */
  unproven: z.boolean().default(false),
  /** The rule at the last step, for whoever asks for the status. */
  fencing: fencingModeSchema.nullable().default(null),
});
export type State = z.infer<typeof stateSchema>;

/**
 * An operator's order, left in Redis: `ns4 -r`, `monitor --accept-empty-state`, or a look at once because something it
 * waited for is so now.
 */
export const orderSchema = z.object({
  kind: z.enum(['reset-cooldown', 'look-now', 'accept-empty-state']),
  by: z.string(),
  atMs: z.number(),
});
export type Order = z.infer<typeof orderSchema>;

/**
 * What a monitor that takes the lead goes on from. state: what Redis holds, or what this monitor remembers when Redis
 * lost its last moments; lost: Redis is empty, and what this monitor remembers is all there is; nothing: neither knows
 * anything of this cloud.
 */
export type Found = 'state' | 'lost' | 'nothing';

/** Everything that can happen. Time arrives in `atMs` only. */
export type Input = { readonly atMs: number } & (
  | { readonly kind: 'tick' }
  /** This monitor leads from now on, with the state it goes on from. */
  | { readonly kind: 'leads'; readonly epoch: number; readonly who: string; readonly found: Found }
  | { readonly kind: 'order'; readonly order: Order }
  | {
      readonly kind: 'outcome';
      readonly finished: Finished;
      /**
       * What Redis holds now, with the servers that picture-needs.ts names; null when the step needs no picture, when there is
       * none, or when it could not be read.
       */
      readonly picture: Picture | null;
    }
);

/** What is to be done: save the state together with the events, then request and withdraw the jobs. */
export interface Output {
  readonly state: State;
  readonly events: readonly EventFacts[];
  readonly withdraw: readonly JobRequest[];
}

/** A fresh state, for a cloud that was never watched. */
export function firstState(life: string): State {
  return {
    version: 1,
    epoch: 0,
    revision: 0,
    life,
    sequence: 0,
    phase: { kind: 'watching', nextCheckMs: 0 },
    recoveries: [],
    cooldown: null,
    standing: {},
    backoffs: 0,
    lastReport: null,
    recoveryEndedMs: 0,
    hold: null,
    unproven: false,
    fencing: null,
  };
}

/** The jobs this state waits for: those the driver must have asked for, and asks for again after a restart. */
export function awaitedJobs(state: State): JobRequest[] {
  const phase = state.phase.kind === 'watching' ? [] : [state.phase.job];
  return [...phase, ...state.recoveries.filter((r) => r.retryAtMs === null).map((r) => r.job)];
}

/** Which job may work at each recovery of this state; written along with it, and asked by ns4. */
export function assignmentsOf({ epoch, revision, recoveries }: State): Assignments {
  return { epoch, revision, jobs: Object.fromEntries(recoveries.map((r) => [r.incident, r.job.id])) };
}
