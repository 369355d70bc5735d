// The words of the monitor's core: read this first. A state is what survives a restart (it is stored as JSON). Its root
// are incidents: one dead or dying host each, from its first suspicion to its return to service.
import { z } from 'zod';
import type { Assignments } from '../../../shared/documents/assignments.ts';
import { contracts, type JobRequest } from '../../../shared/documents/jobs/contracts.ts';
import { recoveryReportSchema } from '../../../shared/documents/jobs/recover.ts';
import { refusalSchema } from '../../../shared/documents/refusals/refusals.ts';
import { planSchema } from '../../../shared/documents/terms/plan.ts';
import { type Scope, scopeSchema } from '../../../shared/documents/terms/scope.ts';
import { firstReturnsPhase, returnsPhaseSchema } from './returns.ts';
import { firstSurveyPhase, surveyPhaseSchema } from './survey.ts';

const witnessesSchema = z.record(
  z.string(),
  z.array(
    z.object({
      target: z.string(),
      /** The instance's, with the reason when its silence says nothing. */
      name: z.string(),
      /** Does its silence mean something? Whoever answers lives all the same. */
      testifies: z.boolean().default(true),
      /** Where it can be asked: somebody else on each must answer, or its silence does not count. */
      networks: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
    }),
  ),
);

/** Hosts that never answered, with the vantage points that scanned: their own silence is no evidence. */
const neverHeardSchema = z.record(z.string(), z.array(z.string())).default({});

/**
 * Where the watch over hosts stands in its round. Each waiting phase says since when, and ends on a tick after its
 * limit.
 */
const hostsPhaseSchema = z.discriminatedUnion('kind', [
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
    kind: z.literal('reading-servers'),
    sinceMs: z.number(),
    job: contracts['refresh-inventory'].request,
    /** When the youngest suspicion among the silent ones arose. */
    suspectedAtMs: z.number(),
    /** Hosts that did not answer, with what the host scan found. */
    silent: z.record(z.string(), z.string()),
    neverHeard: neverHeardSchema,
  }),
  z.object({
    kind: z.literal('scanning-guests'),
    sinceMs: z.number(),
    job: contracts.scan.request,
    silent: z.record(z.string(), z.string()),
    neverHeard: neverHeardSchema,
    /** Per silent host, the scan targets that testify for it. */
    witnesses: witnessesSchema,
    /** Per silent host, its instances that may run elsewhere and were not asked, by name with the task. */
    moving: z.record(z.string(), z.array(z.string())).default({}),
    controlGuests: z.array(
      z.object({ target: z.string(), name: z.string(), networks: z.array(z.string()).default([]) }),
    ),
    /** Hypervisors unheard of since this round's suspicion, scanned along: they may be dying too. */
    bystanders: z.array(z.string()),
    /** Silent hosts none of whose instances can testify: fencing is to prove them off. */
    unwitnessed: z.array(z.string()),
  }),
]);
export type HostsPhase = z.infer<typeof hostsPhaseSchema>;

/** A refusal that stands until its own reason is gone: said once, and its end is said once. */
const raisedSchema = z.object({
  scope: scopeSchema,
  refusal: refusalSchema,
  /** What makes it another one worth saying: changes in evidence that is not mere passing of time. */
  signature: z.string(),
  sinceMs: z.number(),
  /** Found by the monitor itself, or by the ns4 that was to carry a recovery out. */
  by: z.enum(['monitor', 'ns4']),
});
export type Raised = z.infer<typeof raisedSchema>;

const recoverySchema = z.object({
  id: z.string(),
  /** Of the incident's recoveries, from 1. */
  number: z.number(),
  plan: planSchema,
  sinceMs: z.number(),
  /** The job that may work at it now: one more each time a worker was lost with it. */
  job: contracts.recover.request,
  /** Set while a further attempt waits for its time; the job is then not yet asked for. */
  retryAtMs: z.number().nullable(),
  /** Id of the operator's order it was begun by; null: the watch found the host dead. */
  order: z.string().nullable(),
});
export type Recovery = z.infer<typeof recoverySchema>;

const incidentSchema = z.object({
  id: z.string(),
  /** Whom it is about. */
  subject: z.object({ kind: z.literal('host'), name: z.string() }),
  openedAtMs: z.number(),
  /** When the present suspicion arose: anew after each recovery that ended. */
  suspectedAtMs: z.number(),
  /**
   * suspect: no heartbeat; silent: the host scan found it so; dead: judged so, or ordered to be recovered; recovering:
   * see `recovery`; away: a recovery was made or tried (by whomever: Nova shows its mark), and the host is not back in
   * service.
   */
  stage: z.enum(['suspect', 'silent', 'dead', 'recovering', 'away']),
  /** Why nothing is done about it; null: something is, or nothing was found yet. */
  raised: raisedSchema.nullable(),
  /** How many recoveries were begun. */
  recoveries: z.number(),
  recovery: recoverySchema.nullable(),
  /** An operator's word that the host is off came and was not followed by a look yet. */
  lookAgain: z.boolean(),
});
export type Incident = z.infer<typeof incidentSchema>;
export type Stage = Incident['stage'];

/** When recoveries began together; it counts as long as one of them may have done something. */
const stampSchema = z.object({ sinceMs: z.number(), recoveries: z.array(z.string()) });

export const stateSchema = z.object({
  version: z.literal(2),
  /** Of the monitor that leads; grows with every take-over. */
  epoch: z.number(),
  /** Counts the saves of an epoch: of two copies the later one counts. Kept by the driver. */
  revision: z.number(),
  /**
   * Tells the job ids of one life of this state from those of an earlier one that Redis may still remember, and its
   * marks in Nova from those of another Sonny.
   */
  life: z.string(),
  sequence: z.number(),
  /** The phase of each watch. */
  watches: z.object({
    hosts: hostsPhaseSchema,
    senses: surveyPhaseSchema.default(firstSurveyPhase),
    returns: returnsPhaseSchema.default(firstReturnsPhase),
  }),
  incidents: z.array(incidentSchema),
  /** What stands about the cloud, its zones and aggregates. */
  raised: z.array(raisedSchema),
  /**
   * Stamped before the first recovery leaves; lifted when none of them did anything. `earlier`, oldest first: what counts
   * again then, as an order of an operator may begin one before the last one cooled down.
   */
  cooldown: stampSchema.extend({ earlier: z.array(stampSchema).default([]) }).nullable(),
  /** Rounds spent backing off; 0 when not. */
  backoffs: z.number(),
  /** Of the recoveries that ended last. */
  reports: z.array(recoveryReportSchema),
  /** When the last recovery ended: servers collected before then do not tell what is left on its host. */
  recoveryEndedMs: z.number(),
  /** Redis lost what was known: nothing new is recovered until an operator accepts that. */
  safeMode: z.object({ sinceMs: z.number(), why: z.string() }).nullable(),
  /** Begun on an empty Redis; the first inventory is to tell whether this cloud was watched before. */
  unproven: z.boolean(),
});
export type State = z.infer<typeof stateSchema>;

/** A fresh state, for a cloud that was never watched. */
export function firstState(life: string): State {
  return {
    version: 2,
    epoch: 0,
    revision: 0,
    life,
    sequence: 0,
    watches: {
      hosts: { kind: 'watching', nextCheckMs: 0 },
      senses: firstSurveyPhase,
      returns: firstReturnsPhase,
    },
    incidents: [],
    raised: [],
    cooldown: null,
    backoffs: 0,
    reports: [],
    recoveryEndedMs: 0,
    safeMode: null,
    unproven: false,
  };
}

/** Recoveries under way, with the host that each is about. */
export function recoveriesOf({
  incidents,
}: Pick<State, 'incidents'>): { host: string; recovery: Recovery }[] {
  return incidents.flatMap(({ subject, recovery }) =>
    recovery === null ? [] : [{ host: subject.name, recovery }],
  );
}

/** Hosts with a recovery under way. */
export const recoveringHosts = (state: Pick<State, 'incidents'>): Set<string> =>
  new Set(recoveriesOf(state).map(({ host }) => host));

/** The jobs of recoveries that were to be asked for by now. */
export const recoveryJobs = (state: State): JobRequest<'recover'>[] =>
  recoveriesOf(state).flatMap(({ recovery }) => (recovery.retryAtMs === null ? [recovery.job] : []));

/** Which job may work at each recovery of this state; written along with it, and asked by ns4. */
export function assignmentsOf(state: State): Assignments {
  const { epoch, revision } = state;
  const jobs = Object.fromEntries(recoveriesOf(state).map(({ recovery }) => [recovery.id, recovery.job.id]));
  return { epoch, revision, jobs };
}

/** Does it concern a single host or instance, which has an incident of its own? */
export const isOfIncident = (scope: Scope): boolean => scope.kind === 'host' || scope.kind === 'instance';
