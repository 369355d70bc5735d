// The job `scan`: which hosts and guests answer, as one vantage point sees them, and as all of them do together.
import { z } from 'zod';
import { failureSchema, job } from './entry.ts';

export const portSchema = z.number().int().min(1).max(65535);
const endpointSchema = z.object({ address: z.string(), port: portSchema });
/** One address and port to connect to. */
export type Endpoint = z.infer<typeof endpointSchema>;

export const scanTargetSchema = z.object({
  name: z.string(),
  endpoints: z.array(endpointSchema),
  /** What it is, where that is known: a hypervisor vouches for others, a guest or gateway does not. */
  kind: z.enum(['host', 'guest', 'disks']).optional(),
  /** Of `disks`: whose are asked; `instances` null: all that the inventory has on the host. */
  disksOf: z.object({ host: z.string(), instances: z.array(z.string()).nullable() }).optional(),
  /**
   * Its silence counts only where it was heard since then (ms since the epoch), as for a guest since its launch. Absent:
   * within the last day. See senses/baseline.ts for what else it takes.
   */
  heardSinceMs: z.number().optional(),
});
/** A host, a guest or the disks of a host's instances under one name, with all endpoints that may speak for it: any answer counts. */
export type ScanTarget = z.infer<typeof scanTargetSchema>;

const scanFindingSchema = z.object({
  /**
   * answers: open, refused, or an error that a host itself sent; silent: no answer, or a router knows no way to it;
   * unknown: the scanner's own trouble, or a silence that says nothing, never "down".
   */
  state: z.enum(['answers', 'silent', 'unknown']),
  /** For people: "127.0.1.2:22 open", "3 ports silent", "EMFILE on 127.0.1.2:22". */
  detail: z.string(),
  /**
   * It gave no answer, and never did before, or did not any more while all was well (see senses/baseline.ts): unknown. Of
   * all vantage points together: so it is to each of them.
   */
  neverHeard: z.boolean().optional(),
  /** Of `neverHeard`: some vantage point heard it before, and did not any more although its host was well. */
  goneMute: z.boolean().optional(),
});
export type ScanFinding = z.infer<typeof scanFindingSchema>;

const vantagePointReportSchema = z.object({
  name: z.string(),
  /** no-answer: it was asked and did not answer in time. */
  state: z.enum(['sighted', 'blind', 'failed', 'no-answer']),
  /** Targets it found silent. */
  silent: z.array(z.string()),
  /** Controls that answered it. */
  heard: z.array(z.string()),
});
/** What one vantage point (an ns4 by its `[SCAN] name`) had to say. */
export type VantagePointReport = z.infer<typeof vantagePointReportSchema>;

const scanResultSchema = z.union([
  z.object({
    ok: z.literal(true),
    /**
     * blind: no control answered, so silence of the targets means nothing; too-few-vantage-points: fewer vantage points
     * scanned than must agree. One vantage point by itself tells the first two only.
     */
    outcome: z.enum(['seen', 'blind', 'too-few-vantage-points']),
    targets: z.record(z.string(), scanFindingSchema),
    controls: z.record(z.string(), scanFindingSchema),
    tookMs: z.number(),
    /** Every vantage point that was asked, and how many must agree; set once the votes are merged (see votes.ts). */
    vantagePoints: z.array(vantagePointReportSchema).optional(),
    quorum: z.number().optional(),
  }),
  failureSchema,
]);
export type ScanResult = z.infer<typeof scanResultSchema>;

/** Asked of every vantage point; producer and worker see one's result, whoever asked sees the merged one. */
export const scanJob = job('scan', 'scan', {
  data: z.object({
    targets: z.array(scanTargetSchema),
    controls: z.array(scanTargetSchema),
    requestedAtMs: z.number(),
  }),
  result: scanResultSchema,
  timeoutMs: 55_000,
  waitMs: 60_000,
  ofEachVantagePoint: true,
  concurrency: 4,
  keep: { ageSeconds: 3_600, count: 100 },
});
