// Every reason Sonny can have for doing nothing, as a named value with its evidence, and the one sentence for each.
// A refusal is never only a log line: it is announced, tested and listed in README's "why Sonny did nothing".
import { z } from 'zod';
import { eyesOf } from '../../rules/votes.ts';
import type { ScanResult } from '../jobs/contracts.ts';

const host = z.string();

const fenceFailureSchema = z.object({
  agent: z.string(),
  /** off-failed: `off` did not succeed; not-verified: no `status` said off afterwards; cannot-run: no such program… */
  failure: z.enum(['off-failed', 'not-verified', 'timed-out', 'cannot-run']),
  /** What the agent said, secrets masked, one line. */
  detail: z.string(),
});
/** How one fence level failed to prove that a host is off. */
export type FenceFailure = z.infer<typeof fenceFailureSchema>;

/** Refusals by the monitor and by ns4. `name` is what tests, docs and operators refer to. */
export const refusalSchema = z.discriminatedUnion('name', [
  // The picture of the cloud is missing or old.
  z.object({ name: z.literal('inventory-unavailable'), detail: z.string() }),
  z.object({ name: z.literal('inventory-stale'), ageMs: z.number(), limitMs: z.number() }),
  z.object({ name: z.literal('worker-silent'), job: z.string(), waitedMs: z.number() }),
  z.object({ name: z.literal('servers-unavailable'), detail: z.string() }),
  /** Most agents or compute services of the cloud, a zone or an aggregate are stale together. */
  z.object({
    name: z.literal('control-plane-suspect'),
    /** "cloud", "zone NAME" or "aggregate NAME". */
    scope: z.string(),
    of: z.enum(['agents', 'compute services']),
    stale: z.array(host),
    total: z.number(),
    /** most are stale; or many, and nobody is left who could answer a scan, or none of those left answered it. */
    why: z.enum(['most', 'nobody-to-ask', 'no-answer']),
    /** Kept from being judged by this; none: the whole cloud. */
    hosts: z.array(host),
  }),
  // Suspects, not yet dead.
  z.object({ name: z.literal('too-many-suspects'), suspects: z.array(host), limit: z.number() }),
  z.object({ name: z.literal('already-handled'), host, servers: z.number() }),
  z.object({ name: z.literal('nothing-to-recover'), host }),
  z.object({ name: z.literal('no-address'), host }),
  z.object({ name: z.literal('host-answers'), host, on: z.string() }),
  z.object({
    name: z.literal('scan-failed'),
    of: z.enum(['hosts', 'guests']),
    hosts: z.array(host),
    detail: z.string(),
  }),
  z.object({
    name: z.literal('scanner-blind'),
    of: z.enum(['hosts', 'guests']),
    hosts: z.array(host),
    controls: z.array(z.string()),
  }),
  /** Fewer vantage points scanned than must agree. */
  z.object({
    name: z.literal('too-few-eyes'),
    hosts: z.array(host),
    /** Those that scanned, and those that were asked and did not. */
    eyes: z.array(z.string()),
    missing: z.array(z.string()),
    quorum: z.number(),
  }),
  z.object({ name: z.literal('scan-unknown'), host, detail: z.string() }),
  z.object({ name: z.literal('no-witness'), host, servers: z.number() }),
  z.object({ name: z.literal('guests-answer'), host, answering: z.array(z.string()), silent: z.number() }),
  // Dead, not permitted.
  z.object({ name: z.literal('dry-mode'), hosts: z.array(host) }),
  /** Redis lost what was known; no hosts: said when it is found out. */
  z.object({ name: z.literal('state-lost'), hosts: z.array(host), why: z.string() }),
  z.object({ name: z.literal('too-many-dead'), hosts: z.array(host), limit: z.number() }),
  /** Others may be dying with it: unheard of since the suspicion, and silent to the same scan. */
  z.object({
    name: z.literal('perhaps-more-dead'),
    hosts: z.array(host),
    others: z.array(host),
    limit: z.number(),
  }),
  z.object({ name: z.literal('cooldown'), host, sinceMs: z.number(), untilMs: z.number() }),
  z.object({ name: z.literal('no-spare'), host, candidates: z.array(z.object({ host, why: z.string() })) }),
  // ns4, asking everything again before the first change.
  z.object({ name: z.literal('unknown-host'), host }),
  z.object({ name: z.literal('came-back'), host, evidence: z.string() }),
  z.object({ name: z.literal('spare-unfit'), host, spare: z.string(), why: z.string() }),
  z.object({ name: z.literal('already-recovering'), host, incident: z.string(), spare: z.string() }),
  z.object({ name: z.literal('too-late'), host, ageMs: z.number() }),
  z.object({ name: z.literal('api-unavailable'), host, detail: z.string() }),
  /** No level proved it off, in their order; none: no level is configured for it. */
  z.object({ name: z.literal('fence-failed'), host, levels: z.array(fenceFailureSchema) }),
]);
export type Refusal = z.infer<typeof refusalSchema>;
export type RefusalName = Refusal['name'];

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
const list = (names: readonly string[]): string =>
  names.length <= 8 ? names.join(', ') : `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`;
const what = { hosts: 'host', guests: 'guest' } as const;

const failures = {
  'off-failed': '"off" failed',
  'not-verified': 'its "status" does not say off',
  'timed-out': 'timed out',
  'cannot-run': 'could not be run',
} as const satisfies Record<FenceFailure['failure'], string>;
const fenceFailures = (levels: readonly FenceFailure[]): string =>
  levels.length === 0
    ? 'no fence level is configured for it'
    : levels.map((l, i) => `level ${i + 1}, ${l.agent}: ${failures[l.failure]} (${l.detail})`).join('; ');

/** The sentence that Slack, logs and terminals show for a refusal: what was seen, and that nothing was done. */
export function refusalSentence(r: Refusal): string {
  switch (r.name) {
    case 'inventory-unavailable':
      return `I cannot see the cloud: ${r.detail}. Nothing is judged until I can.`;
    case 'inventory-stale':
      return `What I know of the cloud is ${seconds(r.ageMs)} old (limit ${seconds(r.limitMs)}; do the clocks of ns4 and monitor agree?). Nothing is judged on it.`;
    case 'worker-silent':
      return `No ns4 worker finished "${r.job}" within ${seconds(r.waitedMs)}. Is ns4 running? Nothing is judged meanwhile.`;
    case 'servers-unavailable':
      return `The list of instances could not be refreshed: ${r.detail}. Old ones do not judge; nothing done.`;
    case 'control-plane-suspect':
      return outageSentence(r);
    case 'too-many-suspects':
      return `${r.suspects.length} hypervisors are suspicious at once (limit ${r.limit}): ${list(r.suspects)}. Backing off, none is inspected.`;
    case 'already-handled':
      return `${r.host} is down and was handled by Sonny before, yet Nova still has ${r.servers} instances on it. Nothing done: please look ("ns4 -d ${r.host} -s SPARE" continues by hand).`;
    case 'nothing-to-recover':
      return `${r.host} is silent, but Nova has no instance on it. Nothing to do.`;
    case 'no-address':
      return `${r.host} is suspicious, but Nova knows no address (host_ip) to scan it on. Nothing done.`;
    case 'host-answers':
      return `${r.host}: its agents are silent, but the host answers (${r.on}). Nothing done.`;
    case 'scan-failed':
      return `The ${what[r.of]} scan for ${list(r.hosts)} failed: ${r.detail}. Nothing done.`;
    case 'scanner-blind':
      return r.controls.length === 0
        ? `The ${what[r.of]} scan for ${list(r.hosts)} is void: there was no control host to tell a silent host from a blind scanner. Nothing done.`
        : `The ${what[r.of]} scan for ${list(r.hosts)} is void: the controls (${list(r.controls)}) are silent too, so the scanner is blind. Nothing done.`;
    case 'too-few-eyes':
      return eyesSentence(r);
    case 'scan-unknown':
      return `${r.host} could not be scanned: ${r.detail}. That says nothing about the host; nothing done.`;
    case 'no-witness':
      return `${r.host} is silent, but none of its ${r.servers} instances could testify (none runs with an address on an external network). Nothing done: please look.`;
    case 'guests-answer':
      return `${r.host} is silent, but ${r.answering.length} of its instances answer (${list(r.answering)}); ${r.silent} are silent. It is unreachable, not dead; nothing done.`;
    case 'dry-mode':
      return `Dry mode (dead_backoff = 0): ${list(r.hosts)} would be recovered. Nothing done.`;
    case 'state-lost':
      return r.hosts.length === 0
        ? `${r.why}. When the last recovery was, and what was done in it, is not known for sure, so nothing new is recovered until an operator looks and accepts it with "monitor --accept-empty-state". Watching goes on.`
        : `${list(r.hosts)} is dead, but ${r.why[0]?.toLowerCase()}${r.why.slice(1)}, and nobody accepted that yet. Nothing done: please look ("monitor --accept-empty-state" allows recoveries again).`;
    case 'too-many-dead':
      return `${r.hosts.length} hypervisors are dead at once (limit ${r.limit}): ${list(r.hosts)}. Nothing done: please look.`;
    case 'perhaps-more-dead':
      return `${list(r.hosts)} is dead, but ${list(r.others)} gave no sign since and does not answer either. Waiting until their heartbeats tell how many are dying (limit ${r.limit}).`;
    case 'cooldown':
      return `${r.host} is dead, but the last recovery began ${utc(r.sinceMs)} and the cooldown lasts until ${utc(r.untilMs)}. Nothing done ("ns4 -r" forgets it).`;
    case 'no-spare':
      return `${r.host} is dead, but there is no fitting spare: ${
        r.candidates.length === 0
          ? 'no compute service is disabled with "spare" in its reason'
          : r.candidates.map((c) => `${c.host} ${c.why}`).join('; ')
      }. Nothing done.`;
    case 'unknown-host':
      return `${r.host} is no hypervisor of this cloud. Nothing done.`;
    case 'came-back':
      return `${r.host} shows signs of life (${r.evidence}). Its recovery stops here.`;
    case 'spare-unfit':
      return `${r.spare} cannot take over from ${r.host}: ${r.why}. Nothing done.`;
    case 'already-recovering':
      return `${r.host} is already being recovered to ${r.spare} (incident ${r.incident}). Nothing done.`;
    case 'too-late':
      return `The order to recover ${r.host} is ${seconds(r.ageMs)} old; what it was based on no longer counts. Nothing done.`;
    case 'api-unavailable':
      return `${r.host} cannot be recovered now: ${r.detail}. Nothing done.`;
    case 'fence-failed':
      return `${r.host} is not proven to be off: ${fenceFailures(r.levels)}. Nothing evacuated. When you have made sure that it has no power: "ns4 --confirm-fenced ${r.host}".`;
  }
}

function eyesSentence({ hosts, eyes, missing, quorum }: Refusal & { name: 'too-few-eyes' }): string {
  const looked = eyes.length === 0 ? 'no ns4' : `only ${list(eyes)}`;
  const others = missing.length === 0 ? '' : `; ${list(missing)} did not answer`;
  return `The silence of ${list(hosts)} is not proven: ${quorum === 1 ? 'a vantage point is needed' : `${quorum} vantage points must agree`}, and ${looked} scanned${others}. Nothing done: are enough ns4 running?`;
}

function outageSentence(r: Refusal & { name: 'control-plane-suspect' }): string {
  const where = r.scope === 'cloud' ? 'the cloud' : r.scope;
  const seen = `${r.stale.length} of ${r.total} ${
    r.of === 'agents' ? 'hypervisors have silent agents' : 'compute services are down'
  } in ${where} (${list(r.stale)})`;
  switch (r.why) {
    case 'most':
      return `${seen}: that looks like the control plane or the network, not like dead hosts. ${
        r.scope === 'cloud' ? 'Nobody is judged' : 'None of its hosts is judged'
      } meanwhile.`;
    case 'nobody-to-ask':
      return `${seen}, and nobody is left there to tell dead hosts from a network that is cut. None of them is judged.`;
    case 'no-answer':
      return `No answer from ${list(r.hosts)}; but ${seen}, and nobody else there answers either: that looks like a network that is cut, not like dead hosts. Nothing done.`;
  }
}

/** The refusal that a scan by fewer eyes than must agree leads to. */
export function tooFewEyes(hosts: readonly string[], scan: ScanResult & { ok: true }): Refusal {
  const { scanned, missing } = eyesOf(scan);
  return { name: 'too-few-eyes', hosts: [...hosts], eyes: scanned, missing, quorum: scan.quorum ?? 1 };
}

/** The hosts a refusal is about (none: the whole cloud). */
export function refusalHosts(r: Refusal): readonly string[] {
  if ('hosts' in r) return r.hosts;
  if ('suspects' in r) return r.suspects;
  return 'host' in r ? [r.host] : [];
}
