// States of older versions, read as one of today. Version 1 knew one round, recoveries beside it, and what stood by
// name of a host; the host of a recovery under way becomes an incident that is being recovered. Pure.
import { z } from 'zod';
import { recoverJobId } from '../../../shared/documents/assignments.ts';
import { liftReport } from '../../../shared/documents/jobs/lift-evacuate.ts';
import { refusalEntry, refusalSchema } from '../../../shared/documents/refusals/refusals.ts';
import { incidentId } from '../../../shared/documents/terms/incident-id.ts';
import { type Scope, scopeSchema } from '../../../shared/documents/terms/scope.ts';
import { type Incident, type Raised, type State, stateSchema } from './state.ts';

const recoverySchema = z.object({
  incident: z.string(),
  dead: z.string(),
  spare: z.string(),
  sinceMs: z.number(),
  job: z.object({
    data: z.object({
      attempt: z.number(),
      epoch: z.number(),
      requestedAtMs: z.number(),
      judgedAtMs: z.number(),
      evidence: z.array(z.string()),
      address: z.string().nullable(),
      controls: z.array(z.unknown()),
      proofDemanded: z.boolean().optional(),
    }),
  }),
  retryAtMs: z.number().nullable(),
});

const standingSchema = z.object({
  name: z.string(),
  signature: z.string(),
  sinceMs: z.number(),
  firstMs: z.number(),
  refusal: z.unknown(),
});

const firstVersionSchema = z.object({
  version: z.literal(1),
  epoch: z.number().default(0),
  revision: z.number().default(0),
  life: z.string(),
  sequence: z.number(),
  recoveries: z.array(recoverySchema),
  cooldown: z.object({ sinceMs: z.number(), incidents: z.array(z.string()) }).nullable(),
  standing: z.record(z.string(), standingSchema),
  backoffs: z.number(),
  lastReport: z.unknown(),
  recoveryEndedMs: z.number(),
  hold: z.object({ sinceMs: z.number(), why: z.string() }).nullable().default(null),
  unproven: z.boolean().default(false),
});
type FirstVersion = z.infer<typeof firstVersionSchema>;

/** A continuing attempt may begin this long after its recovery began: what began must be ended. */
const continueWithinMs = 3_600_000;

/** The stored document as a state of today, not yet checked; anything else is handed on as it is. */
function liftState(stored: unknown): unknown {
  const first = firstVersionSchema.safeParse(stored);
  return first.success ? fromFirst(first.data) : stored;
}

/** A stored state of this version or an older one. */
export const storedStateSchema = z.preprocess(liftState, stateSchema);

function fromFirst(old: FirstVersion): unknown {
  const report = liftReport(old.lastReport);
  const recovering = old.recoveries.map(recoveringIncident);
  const others = Object.entries(old.standing)
    .map(([scope, standing]) => standingIncident(scopeSchema.parse(scope), standing))
    .filter((incident) => incident !== null)
    .filter(({ subject }) => !old.recoveries.some(({ dead }) => dead === subject.name));
  return {
    version: 2,
    epoch: old.epoch,
    revision: old.revision,
    life: old.life,
    sequence: old.sequence,
    // The round begins anew: nobody asks for its jobs any more.
    watches: { hosts: { kind: 'watching', nextCheckMs: 0 } },
    incidents: [...recovering, ...others],
    // What stands about the cloud is found, and said, again.
    raised: [],
    cooldown:
      old.cooldown === null ? null : { sinceMs: old.cooldown.sinceMs, recoveries: old.cooldown.incidents },
    backoffs: old.backoffs,
    reports: report === null ? [] : [report],
    recoveryEndedMs: old.recoveryEndedMs,
    safeMode: old.hold,
    unproven: old.unproven,
  } satisfies Record<keyof State, unknown>;
}

/** Its recovery keeps the old incident's name, under which its journal is found. */
function recoveringIncident(old: FirstVersion['recoveries'][number]): Record<keyof Incident, unknown> {
  const { incident: id, dead, spare, sinceMs, retryAtMs } = old;
  const { data } = old.job;
  const move = { instances: 'others', target: { kind: 'host', host: spare }, otherwise: null, wave: 1 };
  const plan = { method: 'reserved_host', moves: [move], enable: [spare] };
  const job = {
    name: 'recover',
    id: recoverJobId(id, data.attempt),
    data: {
      ...data,
      incident: id,
      recovery: id,
      dead,
      plan,
      startByMs: sinceMs + continueWithinMs,
      proofDemanded: data.proofDemanded ?? false,
      despite: [],
      byHand: false,
    },
  };
  return {
    id,
    subject: { kind: 'host', name: dead },
    openedAtMs: sinceMs,
    suspectedAtMs: sinceMs,
    stage: 'recovering',
    raised: null,
    recoveries: 1,
    recovery: { id, number: 1, plan, sinceMs, job, retryAtMs, order: null },
    lookAgain: false,
  };
}

function standingIncident(scope: Scope, old: FirstVersion['standing'][string]): Incident | null {
  if (scope.kind !== 'host') return null;
  const refusal = refusalSchema.safeParse(old.refusal).data ?? null;
  const entry = refusal === null ? null : refusalEntry(refusal);
  const by: Raised['by'] = entry === null || entry.by.includes('monitor') ? 'monitor' : 'ns4';
  const isDead = entry !== null && (entry.stage === 'death' || by === 'ns4');
  return {
    id: incidentId(old.firstMs, scope.name),
    subject: { kind: 'host', name: scope.name },
    openedAtMs: old.firstMs,
    suspectedAtMs: old.firstMs,
    stage: isDead ? 'dead' : old.name === 'silent' ? 'silent' : 'suspect',
    raised: refusal === null ? null : { scope, refusal, signature: old.signature, sinceMs: old.sinceMs, by },
    recoveries: 0,
    recovery: null,
    lookAgain: false,
  };
}
