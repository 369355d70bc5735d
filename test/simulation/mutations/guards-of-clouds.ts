// The guards on kinds of clouds, each with the text that takes it out: OVN's beats, which are answers to a ping, and
// cells of Nova that do not answer.
import { type Guard, guard, inFocus } from './guard.ts';

const looks = 'ns4/jobs/ovn-looks.ts';

export const cloudGuards: readonly Guard[] = [
  inFocus(
    'OVN beats, and nothing else is heard',
    guard('nobody was asked', 'where nobody moved nobody missed a ping', [
      looks,
      'return known !== null && isAsked && !isOfALaggingWorker',
      'return known !== null && !isOfALaggingWorker',
    ]),
  ),
  inFocus(
    'OVN beats, and nothing else is heard',
    guard('half of them answer', 'one that is started anew is no answer to a ping', [
      looks,
      'return movers.length > 0 && movers.length * 2 >= upToDate.length;',
      'return movers.length > 0;',
    ]),
  ),
  inFocus(
    'OVN beats, and nothing else is heard',
    guard('looked at again', 'whoever answers a moment later has not missed the ping', [
      'ns4/jobs/read-agents.ts',
      "if (!looks[0]?.agents.some((agent) => kindOfAgent(agent) !== 'reports')) return looks;",
      'return looks;',
    ]),
  ),
  inFocus(
    'OVN beats during a recovery',
    guard('beats of the dead', 'a host whose ovn-controller beats again is left alone', [
      'ns4/recovery/agents-of-the-dead.ts',
      'if (before === undefined || beatMs <= before.beatMs) return null;',
      'return null;',
    ]),
  ),
  inFocus(
    'OVN stamps the request',
    guard('stamps of requests', 'a stamp that is the time of the request is no beat', [
      looks,
      'if (isStampOfRequest) {',
      'if (false) {',
    ]),
  ),
  // Of whom is dead nova-compute's report tells as well; whether a spare has a network it does not.
  inFocus(
    'the spare has lost its ovn-controller',
    guard('row vanished', 'a row that vanished while others are shown is silence', [
      looks,
      "says: 'silent', why: 'vanished'",
      "says: 'cannot-tell', why: 'vanished'",
    ]),
  ),
  inFocus(
    'the spare has lost its ovn-controller',
    guard('chassis deleted', 'a chassis that was deleted is silence while others live', [
      looks,
      "return isAnyAlive ? silent('deleted') : stays;",
      'return stays;',
    ]),
  ),
  inFocus(
    'nobody beats any more',
    guard('all deleted', 'where nobody is alive, a chassis that was deleted tells of nobody', [
      looks,
      "return isAnyAlive ? silent('deleted') : stays;",
      "return silent('deleted');",
    ]),
  ),
  inFocus(
    'nobody beats any more',
    guard('all called dead', 'where all are called dead nobody is', [
      looks,
      'if (!record.alive && isAnyAlive) return',
      'if (!record.alive) return',
    ]),
  ),
  inFocus(
    'OVN asks nobody any more',
    guard('a beat grows old', 'a beat from before OVN failed does not vouch for ever', [
      'shared/rules/senses/ovn.ts',
      'nowMs - heardAtMs <= goodForPeriods * periodMs;',
      'nowMs >= heardAtMs - periodMs;',
    ]),
  ),
  inFocus(
    'a cell stays away',
    guard('the other cells', 'a cell that does not answer takes no other one with it', [
      'ns4/jobs/refresh-inventory.ts',
      'if (!(error instanceof CloudError) || down.size === 0 || known.length === 0) throw error;',
      'throw error;',
    ]),
  ),
  inFocus(
    'a host of a cell that is away',
    guard('nobody knows of its cell', 'a suspect whose cell goes away is not called well', [
      'monitor/core/watches/hosts/suspicion.ts',
      'if (picture.cellDown.includes(host)) return true;',
      '',
    ]),
  ),
];
