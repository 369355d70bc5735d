// What must hold between the time budgets, and why.
import { expect, test } from 'vitest';
import { timings } from '../../../../src/shared/ground/timings.ts';

const { redis, lease, recoveryLock, job, vantagePoint, evacuation, promise } = timings;
/** For Node to start and read the configuration, on a busy machine. */
const startMs = 2_000;
/** For the monitor to be told of a job's end, save its state and ask for the next attempt. */
const monitorTurnMs = 1_000;

test.each([
  [
    'a command has time left when the first attempt to connect took all of its own',
    redis.connectMs,
    redis.commandMs,
  ],
  [
    'a command ends in time: it starts, asks the sentinels, then probes the server',
    startMs + redis.sentinelMs + redis.probeMs,
    promise.endMs,
  ],
  [
    'a connection that waits for jobs is not taken for one that hangs: BullMQ asks for ten seconds at most',
    10_000,
    redis.hangMs,
  ],
  ['one renewal of the lease may be lost', 2 * lease.renewMs, lease.lifeMs],
  ['the next leader is there in time', lease.lifeMs + lease.pollMs, promise.leaderFollowedMs],
  ['one renewal of a lock may be lost', 2 * recoveryLock.renewMs, recoveryLock.lifeMs],
  [
    'a worker that waits for the lock of a dead one outlasts it, and takes a held one for held by a living one: that ' +
      'would have renewed it',
    recoveryLock.lifeMs + recoveryLock.renewMs,
    recoveryLock.waitMs,
  ],
  [
    'a lock does not run out between its confirmation and the request that relies on it',
    recoveryLock.freshMs,
    recoveryLock.lifeMs - recoveryLock.renewMs,
  ],
  ['a stalled job is looked for before its lock could run out twice', job.stalledCheckMs, job.lockMs],
  [
    'the loss of a worker is found, and its successor asked, while the lock still stands or just ran out: it waits a ' +
      'moment, not in vain',
    job.lockMs + job.stalledCheckMs + monitorTurnMs,
    recoveryLock.waitMs,
  ],
  [
    'a recovery is continued in time: its loss is found and a further attempt is asked for, by when its lock ran out',
    Math.max(job.lockMs + job.stalledCheckMs + monitorTurnMs, recoveryLock.lifeMs),
    promise.recoveryContinuedMs,
  ],
  ['one renewal of a vantage point may be lost', 2 * vantagePoint.renewMs, vantagePoint.lifeMs],
  [
    'ns4 stops in time: its jobs are handed back and its vantage point leaves',
    job.closeMs + vantagePoint.leaveMs,
    promise.endMs,
  ],
  [
    "our own limit on an evacuate request comes before the client's: it counts the wait for a token and a connection " +
      'too, so that what did not leave by then never does',
    evacuation.requestMs,
    evacuation.clientMs,
  ],
  [
    'a request that was given up may lie in a queue for a minute more before it is taken for lost: asked again sooner, ' +
      'the instance would be evacuated twice',
    evacuation.requestMs + 60_000,
    evacuation.lostMs,
  ],
])('%s', (_, shorterMs, longerMs) => {
  expect(shorterMs).toBeLessThan(longerMs);
});
