// The guards that keep ns4 from a wrong shot, and from a wrong proof, each with the text that takes it out.
import { type Guard, guard, inFocus } from './guard.ts';

const rightMachine = 'ns4/recovery/stages/right-machine.ts';

export const fencingGuards: readonly Guard[] = [
  inFocus(
    'plans of fencing differ',
    guard('one plan of fencing', 'nobody is fenced while two ns4 name different devices', [
      'shared/rules/fencing-plans.ts',
      "if (fencing === 'none' || plans.length < 2) return null;",
      "if (fencing === 'none' || plans.length < 99) return null;",
    ]),
  ),
  inFocus(
    'switched on while it is fenced',
    guard(
      'not shot again',
      'a host that may have been switched on since is not shot again',
      ['ns4/fencing/shots.ts', "if (power === 'on' && seenOff) return 'switched-on';", ''],
      [
        'ns4/fencing/shots.ts',
        "return power === 'on' && effect === 'unknown' && nowMs - atMs > bootedMs ? 'tell' : 'not-again';",
        "return 'tell';",
      ],
    ),
  ),
  inFocus(
    'one of two feeds stays on',
    guard('both feeds', 'a host with two feeds is off when both of its outlets say so', [
      'ns4/fencing/level.ts',
      'const still = each.findIndex((status) => !isOff(status));',
      'const still = isOff(each[0] as AgentOutcome) ? -1 : 0;',
    ]),
  ),
  inFocus(
    'one of two feeds returns during a recovery',
    guard('either feed', 'a host has power again when one of its outlets says so', [
      'ns4/fencing/seen-together.ts',
      "const isOn = seen.some(({ says }) => says === 'on');",
      "const isOn = seen.every(({ says }) => says === 'on');",
    ]),
  ),
  inFocus(
    'a crash kernel is said to report',
    guard('silent after its message', 'a message counts with silence that was asked after it', [
      'ns4/recovery/stages/prove-off.ts',
      "if (outcome.proof.by === 'crash-kernel') await stillSilent.confirmAnew();",
      '',
    ]),
  ),
  inFocus(
    'a crash kernel is said to report',
    guard(
      'its message needs a silence',
      "a crash kernel's message says nothing of a host that never answered",
      ['ns4/fencing/fencing.ts', 'if (isHeard && request.noSilence !== null) {', 'if (false) {'],
    ),
  ),
  inFocus(
    'an order to fence waits in the queue',
    guard(
      'orders to fence',
      'an order that is old or withdrawn is not carried out by another vantage point',
      ['ns4/fencing/far/carry-out.ts', 'if (why !== null) throw new NotToldError(why);', ''],
    ),
  ),
  inFocus(
    'the device hits another host',
    guard('right machine', 'nothing rests on a shot at which another machine fell silent', [
      rightMachine,
      'if (fell === null) return;',
      'return;',
    ]),
  ),
  inFocus(
    'the device hits another host',
    guard('devices in doubt', 'a device that switched another machine off is not believed later either', [
      rightMachine,
      'if (watch !== null && watch.fell !== null) {',
      'if (false) {',
    ]),
  ),
];
