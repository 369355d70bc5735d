// The job contracts: everything the monitor (or an operator by hand) may ask of ns4, with data, result and time
// limit, typed once for producer and worker. Expected failures are result values; a job that throws broke an assumption.
import { z } from 'zod';
import { refusalSchema } from '../refusals/refusals.ts';

const endpointSchema = z.object({ address: z.string(), port: z.number().int().min(1).max(65535) });
/** One address and port to connect to. */
export type Endpoint = z.infer<typeof endpointSchema>;

const scanTargetSchema = z.object({ name: z.string(), endpoints: z.array(endpointSchema) });
/** A host or guest under one name, with all endpoints that may speak for it: any answer counts. */
export type ScanTarget = z.infer<typeof scanTargetSchema>;

const scanFindingSchema = z.object({
  /** answers: open or refused; silent: no answer or host unreachable; unknown: the scanner's own trouble, never "down". */
  state: z.enum(['answers', 'silent', 'unknown']),
  /** For people: "127.0.1.2:22 open", "3 ports silent", "EMFILE on 127.0.1.2:22". */
  detail: z.string(),
});
export type ScanFinding = z.infer<typeof scanFindingSchema>;

const failureSchema = z.object({ ok: z.literal(false), detail: z.string() });

const refreshResultSchema = z.union([
  z.object({
    ok: z.literal(true),
    collectedAtMs: z.number(),
    /** Null when this refresh left the servers alone. */
    serversCollectedAtMs: z.number().nullable(),
    hypervisors: z.number(),
    servers: z.number().nullable(),
    tookMs: z.number(),
  }),
  failureSchema,
]);

const eyeReportSchema = z.object({
  name: z.string(),
  /** no-answer: it was asked and did not answer in time. */
  state: z.enum(['sighted', 'blind', 'failed', 'no-answer']),
  /** Targets it found silent. */
  silent: z.array(z.string()),
  /** Controls that answered it. */
  heard: z.array(z.string()),
});
/** What one vantage point (an ns4 by its `[SCAN] name`) had to say. */
export type EyeReport = z.infer<typeof eyeReportSchema>;

const scanResultSchema = z.union([
  z.object({
    ok: z.literal(true),
    /**
     * blind: no control answered, so silence of the targets means nothing; too-few-eyes: fewer vantage points scanned
     * than must agree. One eye by itself tells the first two only.
     */
    outcome: z.enum(['seen', 'blind', 'too-few-eyes']),
    targets: z.record(z.string(), scanFindingSchema),
    controls: z.record(z.string(), scanFindingSchema),
    tookMs: z.number(),
    /** Every eye that was asked, and how many must agree; set once the votes are merged (see votes.ts). */
    eyes: z.array(eyeReportSchema).optional(),
    quorum: z.number().optional(),
  }),
  failureSchema,
]);
export type ScanResult = z.infer<typeof scanResultSchema>;

/** What became of one instance of a dead host. */
export const instanceReportSchema = z.object({
  id: z.string(),
  name: z.string(),
  outcome: z.enum(['recovered', 'skipped', 'failed', 'unfinished']),
  /** Why skipped, failed or unfinished, in Nova's own words where it had some; null when recovered. */
  why: z.string().nullable(),
  /** Status before and after, as Nova showed it. */
  before: z.string(),
  after: z.string().nullable(),
  tookMs: z.number().nullable(),
});
export type InstanceReport = z.infer<typeof instanceReportSchema>;

export const evacuationReportSchema = z.object({
  incident: z.string(),
  dead: z.string(),
  spare: z.string(),
  /**
   * done: every instance was dealt with (see `instances`); refused: stopped before the first change;
   * stopped: stopped after changes were made (`refusal` says why); handed-back: the worker was told to stop, another
   * one is to continue; superseded: another worker owns the incident now, or the
   * monitor gave it to another job.
   */
  outcome: z.enum(['done', 'refused', 'stopped', 'handed-back', 'superseded']),
  refusal: refusalSchema.nullable(),
  /** Did anything that moves an instance leave for Nova or MySQL? Then the cooldown stands. */
  acted: z.boolean(),
  instances: z.array(instanceReportSchema),
  tookMs: z.number(),
});
export type EvacuationReport = z.infer<typeof evacuationReportSchema>;

const evacuateDataSchema = z.object({
  incident: z.string(),
  dead: z.string(),
  spare: z.string(),
  /** 1, then one more each time a worker was lost with the job. */
  attempt: z.number().int().min(1),
  /** Of the monitor that led when this attempt was decided; see mandate.ts. */
  epoch: z.number().default(0),
  requestedAtMs: z.number(),
  /** Not begun by then: refused as too late, as the evidence is old. */
  startByMs: z.number(),
  /** When this incident's suspicion was judged: a heartbeat later than this means the host came back. */
  judgedAtMs: z.number(),
  /** What the verdict rests on, for the journal, as sentences. */
  evidence: z.array(z.string()),
  /** The dead hypervisor's address as last known, scanned again while the inventory is refreshed. */
  address: z.string().nullable(),
  /** Healthy hypervisors to probe along as controls. */
  controls: z.array(scanTargetSchema),
  /** The monitor judged with less evidence, as the host will be proven to be off: an ns4 that cannot do that refuses. */
  proofDemanded: z.boolean().optional(),
});
export type EvacuateData = z.infer<typeof evacuateDataSchema>;

/**
 * All contracts. `timeoutMs` is how long the worker lets a job run before it aborts it; the producer waits
 * `waitMs`, counted from the request, before it calls the job lost.
 */
export const contracts = {
  'refresh-inventory': {
    queue: 'work',
    data: z.object({ servers: z.boolean(), requestedAtMs: z.number() }),
    result: refreshResultSchema,
    timeoutMs: 80_000,
    waitMs: 90_000,
  },
  /** Asked of every eye by its own queue; producer and worker see one eye's result, whoever asked sees the merged one. */
  scan: {
    queue: 'scan',
    data: z.object({
      targets: z.array(scanTargetSchema),
      controls: z.array(scanTargetSchema),
      requestedAtMs: z.number(),
    }),
    result: scanResultSchema,
    timeoutMs: 55_000,
    waitMs: 60_000,
  },
  evacuate: {
    queue: 'evacuate',
    data: evacuateDataSchema,
    result: evacuationReportSchema,
    timeoutMs: 3_600_000,
    waitMs: 3_700_000,
  },
} as const;

export type JobName = keyof typeof contracts;
export type JobData<N extends JobName> = z.infer<(typeof contracts)[N]['data']>;
export type JobResult<N extends JobName> = z.infer<(typeof contracts)[N]['result']>;
export type QueueName = (typeof contracts)[JobName]['queue'];

/** One handler per contract; the worker takes the whole table, so a missing one does not compile. */
export type Handlers = {
  readonly [N in JobName]: (data: JobData<N>, signal: AbortSignal) => Promise<JobResult<N>>;
};

/** What a producer learns of a job it asked for. */
export type JobOutcome<N extends JobName> =
  | { readonly state: 'waiting' }
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly result: JobResult<N> }
  /** Threw, was lost with its worker (that died or stood still), or returned what the contract does not allow. */
  | { readonly state: 'failed'; readonly detail: string; readonly workerLost?: boolean }
  /** Redis knows no such job (any more). */
  | { readonly state: 'missing' };
