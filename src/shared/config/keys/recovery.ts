// How dead hosts are recovered: the keys of [RECOVERY].
import { key } from './key.ts';
import { choice, seconds } from './value-types.ts';

export const recoveryKeys = {
  name: 'RECOVERY',
  keys: {
    disabledHosts: key('disabled_hosts', choice('leave', 'recover'), {
      default: 'leave',
      about:
        "What to do when a hypervisor dies whose compute service somebody had disabled, with a reason that is neither a spare's nor Sonny's. leave: an operator is at work there; it is told, not recovered, and never powered off. recover: it is recovered like any other, as the original did.",
    }),
    localDisks: key('local_disks', choice('leave', 'recover'), {
      default: 'leave',
      about:
        'Only with [CEPH]: what to do with an instance of a dead hypervisor whose disk is in none of the pools. Nova would make that disk anew from its image, and what was on it is lost. leave: it stays where it is, and is named. recover: it is started anew, empty.',
    }),
    // The report waits for it, and with it whatever the monitor does next.
    answerTimeoutMs: key('answer_timeout', seconds(0, 1_800), {
      default: '120',
      about:
        'How long an instance that answered before its host died has to answer again once it is back; then it is reported as "runs, but does not answer". 0: nobody is asked.',
    }),
  },
} as const;
