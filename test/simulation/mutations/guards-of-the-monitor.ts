// The guards that keep the monitor from a wrong decision, each with the text that takes it out.
import { type Guard, guard, inFocus, rarely, withoutGate } from './guard.ts';

const verdict = 'monitor/core/watches/hosts/verdict.ts';
const silentOnes = 'monitor/core/watches/hosts/silent-ones.ts';
const judging = 'monitor/core/watches/hosts/judging.ts';
const refreshed = 'monitor/core/watches/hosts/refreshed.ts';
const serversRead = 'monitor/core/watches/hosts/servers-read.ts';
const watch = 'monitor/core/watches/hosts/watch.ts';
const returns = 'monitor/core/watches/returns/watch.ts';

const withoutAgreement = [
  verdict,
  "if (heard.some((witness) => !vouchedSilence(scan, [witness.target], setsOf(witness)))) return 'blind';",
  '',
] as const;

export const monitorGuards: readonly Guard[] = [
  guard('heartbeat fresh', 'a host whose agents report is no suspect', [
    'monitor/core/watches/hosts/suspicion.ts',
    "if (says === 'alive') {",
    'if (nowMs < 0) {',
  ]),
  inFocus(
    'heard again while it is scanned',
    guard(
      'heard again',
      'a suspect whose agents report while it is scanned is none any more',
      [serversRead, 'else if (!still.has(host)) clearHost(draft, host);', ''],
      [
        'monitor/core/watches/hosts/verdict.ts',
        'const hosts = Object.keys(phase.silent).filter((host) => !isHeard(host));',
        'const hosts = Object.keys(phase.silent);',
      ],
    ),
  ),
  guard(
    'host answers',
    'a host that answers the scan is not dead',
    [
      silentOnes,
      "blind the scanner is otherwise.\n  if (finding.state === 'answers') return",
      'blind the scanner is otherwise.\n  if (false) return',
    ],
    [verdict, "if (itself?.state === 'answers') return", 'if (false) return'],
  ),
  rarely(
    guard(
      'guests answer',
      'a host whose instances answer is not dead',
      [verdict, 'if (answering.length > 0)', 'if (false)'],
      withoutAgreement,
    ),
  ),
  rarely(
    guard(
      'blind scan of hosts',
      'silence counts only for vantage points that hear controls',
      [silentOnes, "if (scan.outcome === 'blind') return 'blind';", ''],
      [
        'shared/rules/votes.ts',
        "vantagePoints.filter((e) => e.sighted && e.finding.state === 'silent');",
        "vantagePoints.filter((e) => e.finding.state === 'silent');",
      ],
    ),
  ),
  guard(
    'guests elsewhere dark',
    'silence of guests counts only for vantage points that hear guests elsewhere',
    [verdict, "if (heard.some((witness) => !vouchedSilence(scan, [], setsOf(witness)))) return 'blind';", ''],
    [verdict, "if (scan.outcome === 'blind') return 'blind';", ''],
    withoutAgreement,
  ),
  inFocus(
    'one of two networks is dark',
    guard('vouchers on its network', 'only somebody on its network lets the silence of a guest count', [
      'monitor/core/watches/hosts/vouchers.ts',
      'known.filter((guest) => guest.networks.includes(id));',
      'known.filter((guest) => guest.networks.includes(id) || true);',
    ]),
  ),
  // A vantage point that hears no hypervisor is blind by itself.
  inFocus(
    'no control host heard, and nobody testifies',
    rarely(
      guard(
        'control hosts dark',
        'a host without witnesses is judged only by vantage points that hear control hosts',
        [verdict, "if (!vouchedSilence(scan, [], [controlHosts])) return 'blind';", ''],
        [verdict, "if (!vouchedSilence(scan, [host], [controlHosts])) return 'blind';", ''],
      ),
    ),
  ),
  inFocus(
    'one vantage point lost the way',
    guard('veto', 'what one vantage point hears lives, whatever the others see', [
      'shared/rules/votes.ts',
      "const hearing = vantagePoints.find(({ finding }) => finding.state === 'answers');",
      'const hearing = undefined;',
    ]),
  ),
  guard(
    'quorum',
    'so many vantage points as demanded must agree',
    ['shared/rules/votes.ts', 'if (first && others.length + 1 >= quorum)', 'if (first)'],
    ['shared/rules/votes.ts', "sighted.length >= quorum ? 'seen' :", "sighted.length >= 1 ? 'seen' :"],
    ['shared/rules/votes.ts', 'vouchers).length >= (scan.quorum ?? 1);', 'vouchers).length >= 1;'],
    withoutAgreement,
  ),
  guard('failed scan', 'a scan that failed says nothing', [
    judging,
    'if (result.ok) return result;',
    "return { ok: true, outcome: 'seen', controls: {}, tookMs: 0, targets: Object.fromEntries(hosts.map((host) => [host, { state: 'silent', detail: '' }])), ...result };",
  ]),
  rarely(
    guard('unknown host', "the scanner's own trouble is no silence", [
      silentOnes,
      "if (finding.state === 'unknown' && !neverHeard) return { refusal: { name: 'scan-unknown', host, detail } };",
      '',
    ]),
  ),
  rarely(
    guard('unknown guest', "the scanner's own trouble is no silence of a guest", [
      verdict,
      'if (unknown) {',
      'if (false) {',
    ]),
  ),
  guard(
    'no witness',
    'without fencing an instance must be able to testify',
    [serversRead, "else if (!canTestify && !rules.asksDisks && rules.fencing === 'none')", 'else if (false)'],
    [verdict, "if (draft.rules.fencing === 'none') {", 'if (false) {'],
  ),
  // What never ran was never heard either; it takes one that was stopped since.
  rarely(
    guard('running guests', 'an instance that does not run does not testify by its silence', [
      'shared/rules/guests.ts',
      "if (!runningStates.has(vmState)) return { tells: 'only-alive', title: named(vmState) };\n  if (powerState !== powerRunning)",
      'if (false)',
    ]),
  ),
  inFocus(
    'the monitor stands still before the verdict',
    guard(
      'instances fresh, control-plane-suspect, spare heard',
      'instances read a minute ago choose no spare (by then all heartbeats look stale, those of the spare as well)',
      [
        'monitor/core/watches/hosts/guests-scanned.ts',
        'if (dead.length > 0 && (picture === null || Math.abs(ageMs) > freshMs))',
        'if (dead.length > 0 && picture === null)',
      ],
      ['shared/rules/control-plane.ts', 'if (most) failed.push(most);', 'if (false) failed.push(most);'],
      [
        'shared/rules/control-plane.ts',
        'else if (third) (living.length === 0 ? failed : doubtful).push(third);',
        '',
      ],
      ['shared/rules/spares.ts', 'if (late) return', 'if (false) return'],
    ),
  ),
  guard('suspicious_backoff', 'with more suspects than that none is inspected', [
    refreshed,
    'if (suspects.length > rules.suspiciousBackoff) {',
    'if (false) {',
  ]),
  guard('control-plane-suspect', 'what goes stale together is the control plane', [
    'shared/rules/control-plane.ts',
    'if (most) failed.push(most);',
    'if (false) failed.push(most);',
  ]),
  rarely(
    guard('control-plane-suspect, in parts', 'in a doubtful part of the cloud a living member must answer', [
      'shared/rules/control-plane.ts',
      'else if (third) (living.length === 0 ? failed : doubtful).push(third);',
      '',
    ]),
  ),
  guard('dead_backoff', 'never more hosts at once than that', withoutGate('too-many-dead'), [
    'shared/rules/gates/recovery-gates.ts',
    'hosts.length + perhapsDead.length + recovering > limitOf(policy) || untold.length > 0',
    'untold.length > 0',
  ]),
  guard('perhaps more dead', 'hosts that die together count together', withoutGate('perhaps-more-dead')),
  inFocus(
    'refused while the next one is judged',
    guard('round begun anew', 'a host whose recovery was refused counts in the round that left it out', [
      'monitor/core/step.ts',
      'for (const watch of watches) watch.beginAnew(draft);',
      'return;',
    ]),
  ),
  inFocus(
    'Redis and monitor forget a recovery',
    guard(
      'state lost',
      'a Redis that lost everything is told, and nothing new is recovered',
      withoutGate('state-lost'),
    ),
  ),
  rarely(guard('cooldown', 'nothing more for a while after a recovery', withoutGate('cooldown'))),
  guard('spare lock', 'one spare for one host', [
    'monitor/core/plans/spares.ts',
    'if (rival === undefined || place(rival, tried)) {',
    'if (true) {',
  ]),
  guard('report of nova-compute', 'a host whose nova-compute reports lives, whatever its agents do', [
    'shared/rules/senses/senses.ts',
    '  novaReportSense,\n',
    '',
  ]),
  inFocus(
    'only its agents report, by another name',
    guard('names of agents', "an agent is its host's by whatever name Neutron has for that", [
      'ns4/jobs/agent-hosts.ts',
      'else loose.set(only.host, [...(loose.get(only.host) ?? []), name]);',
      'else unmatched.push(name);',
    ]),
  ),
  guard('in recovery', 'a host in recovery is not judged again', [
    'monitor/core/watches/hosts/suspicion.ts',
    "if (says === 'cannot-tell' || recovering.has(hypervisor.host)) continue;",
    "if (says === 'cannot-tell') continue;",
  ]),
  ...['back as it was, and recovered', 'its old guests start when it boots'].map((focus) =>
    inFocus(
      focus,
      guard(`told of twice: ${focus}`, 'whoever runs twice on a host that is heard is told of', [
        'monitor/core/watches/returns/alarm.ts',
        "draft.say({ kind: 'running-twice', host: away.host, instances, evidence, forMs, untold });",
        '',
      ]),
    ),
  ),
  guard('said once', 'a refusal is said once until it changes', [
    'monitor/core/incidents/raised.ts',
    'if (isNews) draft.say',
    'draft.say',
  ]),
  inFocus(
    'back as it was, and recovered',
    guard('runs twice', 'a recovered host that is heard with copies on it is told of', [
      returns,
      'if (twice !== null) return sound(draft, away, {',
      'if (twice !== null) return away;\n  if (twice !== null) return sound(draft, away, {',
    ]),
  ),
  inFocus(
    'back as it was while OpenStack is away',
    guard('runs twice by memory', 'it is told also while Nova cannot be asked', [
      'monitor/core/watches/returns/judge.ts',
      'const names = told ?? (untold === null ? null : namesByMemory(about));',
      'const names = told;',
    ]),
  ),
  inFocus(
    'back as it was, and all is forgotten',
    guard('marked by a recovery', 'a host is watched for its mark, whatever is remembered of it', [
      refreshed,
      '  watchMarked(draft, picture);\n',
      '',
    ]),
  ),
  guard('wait ends', 'a wait for a job ends with its limit', [
    watch,
    'if (waitedMs <= contracts[phase.job.name].waitMs) return;',
    'return;',
  ]),
  guard('clock set back', 'a clock that is set back does not prolong a pause', [
    watch,
    'if (leftMs > 0 && leftMs <= draft.rules.monitorPeriodMs) return;',
    'if (leftMs > 0) return;',
  ]),
  guard('lost worker', 'a recovery whose worker is lost is given to the next', [
    'monitor/core/recoveries/attempts.ts',
    'return tryAgain(draft, incident, outcome.detail, pauseMs);',
    'return false;',
  ]),
  guard('lease on save', 'only the leader saves', [
    '../test/simulation/processes/storage.ts',
    "if (!this.#lease.isOurs()) throw new LostLeaseError('the lease is not ours any more');",
    '',
  ]),
  guard('later state counts', 'after a rollback of Redis the monitor goes on from what it remembers', [
    'monitor/driver.ts',
    'if (seen !== null && (this.#known === null || !isLater(this.#known, seen))) this.#known = seen;',
    'if (seen !== null) this.#known = seen;',
  ]),
  guard('lost save is repeated', 'what Redis lost of the state is saved again', [
    'monitor/driver.ts',
    'if (!(await memory.holds(this.#state))) {',
    'if (false) {',
  ]),
];
