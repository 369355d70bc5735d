// Refusals by ns4, which asks everything again before the first change and while instances move.

import { z } from 'zod';
import { quoted } from '../../ground/plain.ts';
import { distrustSchema, distrustText } from '../terms/distrust.ts';
import { shortened } from '../terms/shortened.ts';
import { refusal, theHost } from './entry.ts';
import { seconds } from './words.ts';

const host = z.string();

export const fenceFailureSchema = z.object({
  agent: z.string(),
  /**
   * off-failed: `off` did not succeed; not-verified: no `status` said off afterwards; cannot-run: no such program…;
   * switched-on: `status` says on, after it said off; not-again: `off` was sent before, and nobody knows what it did;
   * no-message: nothing was heard of a crash kernel; no-silence: its message would prove nothing, so nobody listened;
   * not-cut-off: the host could not be cut off from Ceph; lifted: it was, and somebody took its entries away. Of a
   * vantage point that fences in this one's stead: nobody-fences: none answers; not-told: it was handed over, and for
   * certain nobody was told; lost: nobody knows what became of it.
   */
  failure: z.enum([
    ...(['off-failed', 'not-verified', 'timed-out', 'cannot-run'] as const),
    ...(['switched-on', 'not-again', 'no-message', 'no-silence', 'not-cut-off', 'lifted'] as const),
    ...(['nobody-fences', 'not-told', 'lost'] as const),
  ]),
  /** What the agent said, secrets masked, one line. */
  detail: z.string(),
});
/** How one fence level failed to prove that a host is off. */
export type FenceFailure = z.infer<typeof fenceFailureSchema>;

const unknownHost = refusal(
  'unknown-host',
  { host },
  {
    stage: 'recovery',
    by: ['monitor', 'ns4'],
    level: 'warning',
    about: theHost,
    says: (r) => `${r.host} is no hypervisor of this cloud. Nothing done.`,
    means: 'Nova knows no such hypervisor',
    remedy: 'check the name: the service host, not the FQDN',
  },
);

const cameBack = refusal(
  'came-back',
  { host, evidence: z.string() },
  {
    stage: 'recovery',
    by: ['ns4'],
    level: 'warning',
    about: theHost,
    says: (r) => `${r.host} shows signs of life (${r.evidence}). Its recovery stops here.`,
    means: 'a sign of life just before or during the evacuation',
    remedy: 'look at the host',
  },
);

const spareUnfit = refusal(
  'spare-unfit',
  { host, spare: host, why: z.string() },
  {
    stage: 'recovery',
    by: ['monitor', 'ns4'],
    level: 'error',
    about: theHost,
    sameWhen: ({ why }) => why,
    says: (r) => `${r.spare} cannot take over from ${r.host}: ${r.why}. Nothing done.`,
    means: 'the spare changed since it was chosen',
    remedy: 'another is chosen at the next check',
  },
);

const alreadyRecovering = refusal(
  'already-recovering',
  { host, incident: z.string(), spare: host },
  {
    stage: 'recovery',
    by: ['monitor', 'ns4'],
    level: 'warning',
    about: theHost,
    says: (r) => `${r.host} is already being recovered to ${r.spare} (incident ${r.incident}). Nothing done.`,
    means: 'another worker is at it',
    remedy: 'nothing',
  },
);

/** `recovery`: the other one's, as its mark says; null: an earlier version's mark, which does not say. */
const foreignMark = refusal(
  'foreign-mark',
  { host, recovery: z.string().nullable() },
  {
    stage: 'recovery',
    by: ['ns4'],
    level: 'error',
    about: theHost,
    sameWhen: ({ recovery }) => recovery ?? '',
    says: (r) =>
      `Another Sonny${r.recovery === null ? '' : ` (recovery ${r.recovery})`} works at ${r.host}: Nova shows its mark there. Nothing more is asked for from here. Two Sonnys must never watch one cloud: please look. When the other one is no more: "ns4 -d ${r.host} -s SPARE --despite foreign-mark".`,
    means: 'another Sonny, which shares no Redis with this one, forced the host down',
    remedy: 'stop one of the two; if it is gone for good, `ns4 -d HOST -s SPARE --despite foreign-mark`',
  },
);

/** Where Ceph has the disks, nothing moves before the host is kept from writing to them, or proven off otherwise. */
const notCutOff = refusal(
  'not-cut-off',
  { host, detail: z.string() },
  {
    stage: 'recovery',
    by: ['ns4'],
    level: 'error',
    about: theHost,
    says: (r) =>
      `${r.host} could not be cut off from Ceph: ${r.detail}. Nothing is evacuated, as nothing else proves that it cannot write. If it is off: "ns4 --confirm-fenced ${r.host}".`,
    means:
      'the dead host could not be kept from writing to the disks of its instances, and no other proof stands',
    remedy: '`ceph -s`; make sure that the host is off, then `ns4 --confirm-fenced HOST`',
  },
);

const tooLate = refusal(
  'too-late',
  { host, ageMs: z.number() },
  {
    stage: 'recovery',
    by: ['monitor', 'ns4'],
    level: 'warning',
    about: theHost,
    says: (r) =>
      `The order to recover ${r.host} is ${seconds(r.ageMs)} old; what it was based on no longer counts. Nothing done.`,
    means: 'the order lay in the queue for more than two minutes',
    remedy: 'nothing: it is judged anew; one given by hand: look at the host, then give it again',
  },
);

const apiUnavailable = refusal(
  'api-unavailable',
  { host, detail: z.string() },
  {
    stage: 'recovery',
    by: ['ns4'],
    level: 'error',
    about: theHost,
    says: (r) => `${r.host} cannot be recovered now: ${r.detail}. Nothing done.`,
    means: 'OpenStack was away before the first change',
    remedy: 'nothing: it is tried again',
  },
);

/** Of what an agent said: what went wrong is said last. */
const mostOfAgent = 400;

const failures = {
  'off-failed': '"off" failed',
  'not-verified': 'its "status" does not say off',
  'timed-out': 'timed out',
  'cannot-run': 'could not be run',
  'switched-on': 'it was off and is on again, so it is not shot again',
  'not-again': 'it was told "off" before and does not show off, so it is not told again',
  'no-message': 'no message of a crash kernel came',
  'no-silence': "a crash kernel's message counts only with the host's own silence, which is no evidence",
  'not-cut-off': 'it could not be cut off from Ceph',
  lifted: 'it was cut off from Ceph, and somebody lifted that, so it is not done again',
  'nobody-fences': 'no vantage point that fences answers',
  'not-told': 'the vantage point that fences did not tell it "off"',
  lost: 'the vantage point that was to tell it "off" does not say what became of that',
} as const satisfies Record<FenceFailure['failure'], string>;

/** No level proved it off, in their order; none: no level is configured for it. */
const fenceFailed = refusal(
  'fence-failed',
  { host, levels: z.array(fenceFailureSchema) },
  {
    stage: 'recovery',
    by: ['ns4'],
    level: 'error',
    about: theHost,
    // An agent's own words may hold times and counters.
    sameWhen: ({ levels }) => levels.map(({ agent, failure }) => `${agent} ${failure}`).join(';'),
    says: (r) => {
      const tried =
        r.levels.length === 0
          ? 'no fence level is configured for it'
          : r.levels
              .map(({ agent, failure, detail }, i) => {
                // Nobody knows its levels here.
                const which = failure === 'nobody-fences' ? '' : `level ${i + 1}, ${agent}: `;
                return `${which}${failures[failure]} (${quoted(detail, mostOfAgent)})`;
              })
              .join('; ');
      return `${r.host} is not proven to be off: ${tried}. Nothing evacuated. When you have made sure that it has no power: "ns4 --confirm-fenced ${r.host}".`;
    },
    means: 'no fence level proved the host off; each is named with what its agent said',
    remedy:
      'make sure yourself that it has no power, then `ns4 --confirm-fenced HOST`; or repair the BMC: it is asked at each check, and a host that it shows off is recovered; one that may have been switched on since is not shot again',
  },
);

/** Others answered before it was told `off`, and none of the vantage points hears them since. */
const wrongDevice = refusal(
  'wrong-device',
  { host, fell: z.array(host).min(1), atMs: z.number() },
  {
    stage: 'recovery',
    by: ['ns4'],
    level: 'error',
    about: theHost,
    sameWhen: ({ fell, atMs }) => `${fell.join(',')} ${atMs}`,
    says: (r) => {
      const names = shortened(r.fell, mostFallen);
      const isOne = r.fell.length === 1;
      return `PERHAPS THE WRONG MACHINE IS OFF: ${names} fell silent as ${r.host} was powered off. Either the fence device of ${r.host} is ${isOne ? 'that machine' : 'one of these machines'}'s, or ${isOne ? 'it' : 'they'} failed by chance just then. Nothing of ${r.host} is evacuated, and its devices are neither told nor believed, until you say so. Look at the machines: when ${r.host} has no power, "ns4 --confirm-fenced ${r.host}"; when its devices are surely its own, "ns4 --trust-devices ${r.host}".`;
    },
    means:
      'another hypervisor answered before the host was told "off", and is silent since: the device may be that of another machine, and the host may run on',
    remedy:
      'look which machines are off; the host: `ns4 --confirm-fenced HOST`; repair fencing.yaml or the wiring, then `ns4 --trust-devices HOST`',
  },
);
/** Of those that fell silent, in a sentence. */
const mostFallen = 5;

const journalNotBelieved = refusal(
  'journal-not-believed',
  { host, document: distrustSchema },
  {
    stage: 'recovery',
    by: ['ns4'],
    level: 'error',
    about: theHost,
    sameWhen: ({ document }) => `${document.about} ${document.why}`,
    says: (r) =>
      `${r.host} is not recovered: ${distrustText(r.document)}. What was begun with it, if anything, is left as it is.`,
    means:
      'the journal of the recovery in Redis is not signed by our key, is that of another host, or makes no sense to this version; or what was seen at an earlier shot makes none',
    remedy:
      'find out who wrote to Redis (docs/security.md); look in Nova what was done; when it is sure, `redis-cli del sonny:{CLOUD}:open-incident:HOST` has it judged anew; of a shot: look which machines are off, then `ns4 --trust-devices HOST`',
  },
);

export const recoveryRefusals = [
  unknownHost,
  cameBack,
  spareUnfit,
  alreadyRecovering,
  foreignMark,
  tooLate,
  notCutOff,
  apiUnavailable,
  fenceFailed,
  wrongDevice,
  journalNotBelieved,
] as const;
