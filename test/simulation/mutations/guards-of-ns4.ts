// The guards that keep ns4 from a wrong change, each with the text that takes it out.
import { type Guard, guard, inFocus, rarely, withoutGate } from './guard.ts';

const senses = (name: string) => `shared/rules/senses/${name}.ts`;
const gates = 'ns4/recovery/gates.ts';
const life = 'ns4/recovery/sign-of-life.ts';
const progress = 'ns4/recovery/movers/instance-progress.ts';
const turns = 'ns4/recovery/movers/nova/turns.ts';
const lastLook = 'ns4/recovery/movers/last-look.ts';
const request = 'ns4/recovery/movers/nova/request.ts';
const journals = 'ns4/recovery/journal/journals.ts';
const lock = 'ns4/recovery/journal/lock.ts';
const stage = (name: string) => `ns4/recovery/stages/${name}.ts`;

export const ns4Guards: readonly Guard[] = [
  inFocus(
    'reports before the order is begun',
    guard('came back: heartbeat', 'a host that reports again is left alone', [
      life,
      'if (heardMs !== null) return cameBack',
      'if (nowMs < 0) return cameBack',
    ]),
  ),
  inFocus(
    'answers before the order is begun',
    guard('came back: answers', 'a host that answers again is left alone', [
      life,
      "if (finding?.state === 'answers') return { name: 'came-back', host, evidence: finding.detail };",
      "if (finding?.state === 'answers') return null;",
    ]),
  ),
  inFocus(
    "answers at other ports than ns4's",
    guard('asked where controls are', 'a control vouches for silence at its own ports only', [
      'ns4/recovery/recovery.ts',
      'return bothPorts(this.tools.hypervisorPorts, ofControls);',
      'return this.tools.hypervisorPorts;',
    ]),
  ),
  inFocus(
    "guests answer at other ports than ns4's",
    guard('guests asked where the monitor did', 'guests answer at the ports that the verdict rests on', [
      'ns4/recovery/recovery.ts',
      'return bothPorts(this.tools.instancePorts, this.order.instancePorts ?? []);',
      'return this.tools.instancePorts;',
    ]),
  ),
  guard(
    'blind scan, before the change',
    'ns4 trusts only a scan whose controls answer',
    [life, "if (scan.outcome === 'blind')", 'if (false)'],
    [
      'shared/rules/votes.ts',
      "vantagePoints.filter((e) => e.sighted && e.finding.state === 'silent');",
      "vantagePoints.filter((e) => e.finding.state === 'silent');",
    ],
  ),
  guard('heard before', 'the silence of somebody who never spoke is no evidence', [
    senses('baseline'),
    "if (past === 'heard') return finding;",
    'return finding;',
  ]),
  guard(
    "no error in a guest's name",
    'a router that says "unreachable" in the name of a guest is not that guest',
    ['ns4/scan/offence.ts', "if (kind !== 'guest' && !isNoWay)", 'if (true)'],
  ),
  inFocus(
    'guests that fell silent while all was well',
    guard('fell silent', 'a guest that fell silent while its host was well is no witness', [
      senses('baseline'),
      "own.some(({ isMute }) => !isMute) ? 'heard' : 'gone-mute'",
      "'heard'",
    ]),
  ),
  inFocus(
    'dead for long before anybody judges',
    guard('well after the pass', 'a host that dies does not make its guests mute', [
      'ns4/baseline/mute-watch.ts',
      'places.collectedAtMs > sinceMs && run.lastMs >= sinceMs + laterMs',
      'true',
    ]),
  ),
  // No history has a gateway as a control yet.
  rarely(
    guard('a hypervisor vouches', 'a gateway does not make a blind scanner sighted', [
      senses('vouching'),
      '(hosts.length > 0 ? hosts : controls)',
      'controls',
    ]),
  ),
  inFocus(
    'guests answer during a recovery',
    guard('silence is confirmed', 'each further request follows a recent sign of silence', [
      turns,
      'if (isAnyAsked) await moving.confirmSilence();',
      '',
    ]),
  ),
  inFocus(
    'ordered although its guests answer',
    guard(
      'guests answer, before the change',
      'an order does not recover a host whose guests answer',
      withoutGate('guests-answer'),
    ),
  ),
  inFocus(
    'guests answer during a recovery',
    guard('guests are asked again', 'those that are still to be moved are asked for signs of life', [
      'ns4/recovery/stages/watch-silence.ts',
      'guests: () => (isWaived ?',
      'guests: () => (isWaived || true ?',
    ]),
  ),
  inFocus(
    'power returns during a recovery',
    guard('the device is asked again', 'a host that its device shows on is left alone', [
      'ns4/recovery/stages/watch-silence.ts',
      "if (fencing === null || (proof?.by !== 'agent' && proof?.by !== 'ceph')) return null;",
      "if (fencing === null || (proof?.by !== 'agent' && proof?.by !== 'ceph') || true) return null;",
    ]),
  ),
  guard('fence before evacuate', 'with fencing required nothing moves without proof', [
    stage('prove-off'),
    'const unproven = await fence(tools.fencing, recovery);',
    'const unproven = null;',
  ]),
  guard('no proof, no change', 'a fencing that proved nothing ends the recovery', [
    stage('prove-off'),
    'if (unproven !== null) return withoutProof(recovery, unproven);',
    '',
  ]),
  inFocus(
    'back between two levels of fencing',
    guard('silent before it is shot', 'nobody who answers is powered off', [
      stage('prove-off'),
      'const [heard] = await Promise.all([hear, stillSilent.confirm(renewMs)]);',
      'const heard = await hear;',
    ]),
  ),
  guard('forced_down before evacuate', 'the dead host is forced down before the first instance moves', [
    stage('close-services'),
    'await forceDown(recovery);',
    '',
  ]),
  guard('spare enabled', 'the spare is enabled before the first instance moves', [
    stage('close-services'),
    'for (const host of plan.enable) await enable(recovery, host);',
    '',
  ]),
  rarely(
    guard('spare still fits', 'ns4 looks at the spare again before the first change', [
      gates,
      'if (why !== null) return { name',
      'if (false) return { name',
    ]),
  ),
  inFocus(
    'an order waits in the queue',
    guard('too late', 'an order that waited too long is refused', [
      stage('take-lock'),
      'if (startedAtMs > order.startByMs) {',
      'if (false) {',
    ]),
  ),
  rarely(
    guard(
      'look at migrations first',
      'an instance that Nova moves is not asked for again',
      [progress, 'if (evacuation) return', 'if (false) return'],
      [progress, 'if (newest && !gaveUp.has(newest.status))', 'if (false)'],
      [progress, 'if (newest && isRebuilding(server)) return', 'if (false) return'],
      [progress, 'if (isRebuilding(server) || server.taskState !== null)', 'if (false)'],
    ),
  ),
  rarely(
    guard('request without a trace', 'a request whose answer was lost is waited for', [
      progress,
      'if (isUntraced && lookedForMs < lostRequestMs)',
      'if (false)',
    ]),
  ),
  rarely(
    guard('journal before the request', 'the next worker knows what may have been asked for', [
      request,
      'journal.acted = true;\n  await lock.save(journal);',
      'journal.acted = true;',
    ]),
  ),
  inFocus(
    'two workers at one order',
    guard(
      'lock is taken, lock checks',
      'one worker at a time works at a recovery (checks at saves and renewals make up for a lock not taken)',
      [journals, 'if (held === null)', 'if (held === null || true)'],
      [
        lock,
        "const answer = await this.#storage.save(this.#token, text);\n      if (answer !== 'granted') await this.#lose(answer);",
        'await this.#storage.save(this.#token, text);',
      ],
      [
        lock,
        "const answer = await this.#storage.renewLocks(this.#token, lockMs);\n      if (answer !== 'granted') await this.#lose(answer);",
        'await this.#storage.renewLocks(this.#token, lockMs);',
      ],
    ),
  ),
  inFocus(
    'workers stand still',
    guard('lock check', 'whoever lost the lock changes nothing more', [
      lock,
      "const answer = await this.#storage.save(this.#token, text);\n      if (answer !== 'granted') await this.#lose(answer);",
      'await this.#storage.save(this.#token, text);',
    ]),
  ),
  inFocus(
    'workers stand still',
    guard('lock is recent', 'a worker that stood still asks again before it goes on', [
      lock,
      'if (this.#clock.steadyMs() - sentAtMs <= confirmationFreshMs) return;',
      'return;',
    ]),
  ),
  rarely(
    guard('assignment check', 'only the job that the leader wants may change anything', [
      'shared/documents/assignments.ts',
      "return assignments.jobs[token.recovery] === token.jobId ? 'valid' : 'superseded';",
      "return 'valid';",
    ]),
  ),
  inFocus(
    'Redis forgets during a recovery',
    guard('assignments known', 'without assignments nothing is changed', [
      'shared/documents/assignments.ts',
      "if (assignments === null || token.epoch > assignments.epoch) return 'unknown';",
      "if (assignments === null || token.epoch > assignments.epoch) return 'valid';",
    ]),
  ),
  inFocus(
    'by hand onto another spare',
    guard('another spare', 'what was begun onto one spare is not continued onto another', [
      stage('pick-up'),
      'if (!isSamePlan(open, order)) return alreadyRecovering(recovery, open);',
      '',
    ]),
  ),
  ...['', ', without fencing'].map((how) =>
    inFocus(
      `drained when it dies${how}`,
      guard(
        `left alone: migrations, tasks${how}`,
        'an instance that somebody else moves or works at is not evacuated',
        [progress, "if (other) return { kind: 'left-alone'", "if (false) return { kind: 'left-alone'"],
        [progress, 'if (isRebuilding(server) || server.taskState !== null)', 'if (isRebuilding(server))'],
      ),
    ),
  ),
  ...['', ', without fencing'].map((how) =>
    inFocus(
      `failed half-way, then by hand${how}`,
      guard(`left alone: failed half-way${how}`, 'what may run on one target is not given to another one', [
        progress,
        'if (elsewhere) return',
        'if (false) return',
      ]),
    ),
  ),
  inFocus(
    'machines of ns4 are paused',
    guard(
      'stood still',
      'a machine that was paused with its clocks looks again before its request',
      [
        lastLook,
        'if (tookMs <= lookFreshMs && isStillNow(moving, aheadMs)) return',
        'if (tookMs <= lookFreshMs) return',
      ],
      [request, ' || !isStillNow(moving, ground.aheadMs);', ';'],
    ),
  ),
  inFocus(
    'asked for in vain, and its guests answer again',
    guard('asked in vain', 'whoever was asked for in vain is asked before he is asked for again', [
      'ns4/recovery/movers/nova/turns.ts',
      'if (again.length === 0) return false;',
      'return false;',
    ]),
  ),
  inFocus(
    'late reports before it is gone on with',
    guard('late reports', 'what is proven off is not given up half-way for what it reported before', [
      stage('may-go-on'),
      "if (refusal.name === 'came-back' && (await isLateReport(recovery, journal, refusal.evidence)))\n    return 'later';",
      '',
    ]),
  ),
  inFocus(
    'recovered, as Nova has it',
    guard('answers again', 'who does not answer as before is not said to', [
      stage('settle'),
      "return note(finding?.state === 'silent' ? false : null);",
      'return note(true);',
    ]),
  ),
  inFocus(
    'recovered, as Nova has it',
    guard(
      'ports are bound',
      'an instance without a network at its target is not back',
      [progress, 'if (failed) return', 'if (false) return'],
      [progress, "return dark && wanted === 'ACTIVE' ?", "return dark && wanted !== 'ACTIVE' ?"],
    ),
  ),
  guard('most requests', 'an instance is asked for three times, no more', [
    request,
    'attempts - attemptsElsewhere < mostRequests;',
    'attempts >= 0;',
  ]),
  inFocus(
    'two Sonnys at one cloud',
    // Each of the three makes up for the others.
    guard(
      'mark of another one',
      'nothing is asked for at a host that bears the mark of another Sonny',
      ['ns4/recovery/mark.ts', 'if (!isMarkedBy(service, this.#journal)) {', 'if (false) {'],
      withoutGate('foreign-mark'),
      [stage('taken-before'), 'if (foreign !== null) return foreign;', ''],
    ),
  ),
  inFocus(
    'a host under maintenance',
    guard('operator at work', 'a host that an operator disabled is left to him', [
      'shared/documents/inventory.ts',
      "return recoveryMarkOf(disabledReason) === null ? (disabledReason ?? '') : null;",
      'return null;',
    ]),
  ),
  inFocus(
    'reasons that merely name a spare',
    guard('spare begins with the word', 'a host that waits for a spare part is no spare', [
      'shared/documents/terms/disabled-reason.ts',
      "/^\\s*spare(?![\\p{L}\\p{N}_])/u.test((reason ?? '').toLowerCase())",
      "/spare/i.test(reason ?? '')",
    ]),
  ),
  inFocus(
    'two recoveries onto one spare',
    guard('target is locked', 'no two recoveries work at one target', [
      stage('take-lock'),
      'targets: namedHosts(order.plan).filter((host) => host !== order.dead) }',
      'targets: [] }',
    ]),
  ),
];
