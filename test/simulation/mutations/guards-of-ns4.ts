// The guards that keep ns4 from a wrong change, each with the text that takes it out.
import { type Guard, guard, inFocus, rarely } from './guard.ts';

const permit = 'ns4/recovery/permit.ts';
const run = 'ns4/recovery/run.ts';
const look = 'ns4/recovery/movers/instance-progress.ts';
const byApi = 'ns4/recovery/movers/nova/by-api.ts';
const journal = 'ns4/recovery/journal/journal.ts';

export const ns4Guards: readonly Guard[] = [
  inFocus(
    'reports before the order is begun',
    guard('came back: heartbeat', 'a host that reports again is left alone', [
      permit,
      'if (heard)',
      'if (false)',
    ]),
  ),
  inFocus(
    'answers before the order is begun',
    guard('came back: answers', 'a host that answers again is left alone', [
      permit,
      "if (finding?.state === 'answers') return { name: 'came-back', host, evidence: finding.detail };",
      "if (finding?.state === 'answers') return null;",
    ]),
  ),
  guard(
    'blind scan, before the change',
    'ns4 trusts only a scan whose controls answer',
    [permit, "if (scan.outcome === 'blind')", 'if (false)'],
    [
      'shared/rules/votes.ts',
      "eyes.filter((e) => e.sighted && e.finding.state === 'silent');",
      "eyes.filter((e) => e.finding.state === 'silent');",
    ],
  ),
  guard('silence is confirmed', 'each further request follows a recent sign of silence', [
    byApi,
    'if (ready.length > 0 && room > 0) await work.confirmSilence();',
    '',
  ]),
  guard('fence before evacuate', 'with fencing required nothing moves without proof', [
    run,
    'if (parts.fencing !== null) {',
    'if (false) {',
  ]),
  guard('no proof, no change', 'a fencing that proved nothing ends the recovery', [
    run,
    'if (unproven !== null) return withoutProof(course, incident, ownership, unproven, begun);',
    '',
  ]),
  inFocus(
    'back between two levels of fencing',
    guard('silent before it is shot', 'nobody who answers is powered off', [
      'ns4/recovery/prove-off.ts',
      'await work.confirmSilence(renewMs);\n        // The last thing',
      '// The last thing',
    ]),
  ),
  guard('forced_down before evacuate', 'the dead host is forced down before the first instance moves', [
    run,
    'await forceDown(work);',
    '',
  ]),
  guard('spare enabled', 'the spare is enabled before the first instance moves', [
    run,
    'await enableSpare(work);',
    '',
  ]),
  rarely(
    guard('spare still fits', 'ns4 looks at the spare again before the first change', [
      permit,
      ': unfit(order, spareShortcoming({ dead, spare, hosts, servers, heartbeatPeriodMs, nowMs })))',
      ': null)',
    ]),
  ),
  inFocus(
    'an order waits in the queue',
    guard('too late', 'an order that waited too long is refused', [
      run,
      'if (startedAtMs > order.startByMs) {',
      'if (false) {',
    ]),
  ),
  rarely(
    guard(
      'look at migrations first',
      'an instance that Nova moves is not asked for again',
      [look, 'if (open) return', 'if (false) return'],
      [look, 'if (newest && !gaveUp.has(newest.status))', 'if (false)'],
      [
        look,
        "if (server.status === 'REBUILD' || (server.taskState?.startsWith('rebuild') ?? false))",
        'if (false)',
      ],
    ),
  ),
  rarely(
    guard('request without a trace', 'a request whose answer was lost is waited for', [
      look,
      'if (seen.lookedForMs < lostRequestMs)',
      'if (false)',
    ]),
  ),
  rarely(
    guard('journal before the request', 'the next worker knows what may have been asked for', [
      byApi,
      'incident.acted = true;\n  await ownership.save(incident);',
      'incident.acted = true;',
    ]),
  ),
  inFocus(
    'two workers at one order',
    guard(
      'claim is taken, ownership checks',
      'one worker at a time works at an incident (checks at saves and renewals make up for a claim not taken)',
      [
        journal,
        'if (await this.#storage.takeClaim(host, token, ownerMs))',
        'if ((await this.#storage.takeClaim(host, token, ownerMs)) || true)',
      ],
      [
        journal,
        "const answer = await this.#storage.save(this.#right, journal);\n      if (answer !== 'granted') await this.#lose(answer);",
        'await this.#storage.save(this.#right, journal);',
      ],
      [
        journal,
        "const answer = await this.#storage.renewClaim(this.#right, ownerMs);\n      if (answer !== 'granted') await this.#lose(answer);",
        'await this.#storage.renewClaim(this.#right, ownerMs);',
      ],
    ),
  ),
  inFocus(
    'workers stand still',
    guard('ownership check', 'whoever lost the claim changes nothing more', [
      journal,
      "const answer = await this.#storage.save(this.#right, journal);\n      if (answer !== 'granted') await this.#lose(answer);",
      'await this.#storage.save(this.#right, journal);',
    ]),
  ),
  inFocus(
    'workers stand still',
    guard('ownership is recent', 'a worker that stood still asks again before it goes on', [
      journal,
      'if (this.#clock.steadyMs() - sentAtMs <= ownershipFreshMs) return;',
      'return;',
    ]),
  ),
  rarely(
    guard('mandate check', 'only the job that the leader wants may change anything', [
      'shared/documents/assignments.ts',
      "return mandate.jobs[warrant.incident] === warrant.jobId ? 'valid' : 'superseded';",
      "return 'valid';",
    ]),
  ),
  inFocus(
    'Redis forgets during a recovery',
    guard('mandate known', 'without a mandate nothing is changed', [
      'shared/documents/assignments.ts',
      "if (mandate === null || warrant.epoch > mandate.epoch) return 'unknown';",
      "if (mandate === null || warrant.epoch > mandate.epoch) return 'valid';",
    ]),
  ),
  inFocus(
    'by hand onto another spare',
    guard('another spare', 'what was begun onto one spare is not continued onto another', [
      run,
      'if (begun && open.spare !== order.spare) return alreadyRecovering(course, open);',
      '',
    ]),
  ),
  guard('most requests', 'an instance is asked for three times, no more', [
    byApi,
    "return entry.attempts < mostRequests ? 'ask' : end('failed', sight.why, 'ERROR');",
    "return 'ask';",
  ]),
];
