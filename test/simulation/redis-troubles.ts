// What befalls the Redis of a history: it is away for a while, or loses some or all of what it held.
import type { History } from './history.ts';
import { heldLease } from './processes/lease.ts';
import { placesIn } from './processes/storage.ts';

export function redisGoes(history: History): void {
  const { redis, judges, world } = history;
  redis.away = true;
  heldLease(redis);
  judges.disturbedMs = Number.POSITIVE_INFINITY;
  world.tell('Redis is away');
  history.poke();
}

export function redisReturns(history: History): void {
  const { redis, judges, timeline, world, jobs } = history;
  redis.away = false;
  judges.disturbedMs = timeline.nowMs;
  world.tell('Redis is back');
  jobs.lookAgain();
  history.poke();
}

export function redisRollsBack(history: History, lostS = 1): void {
  const { redis, judges, timeline, world, jobs } = history;
  const lost = redis.rollBack(lostS * 1_000);
  const what = lostS === 1 ? 'second' : `${lostS} s`;
  world.tell(`Redis restarts and lost its last ${what} (${lost} writes)`);
  judges.redisLost(timeline.nowMs - lostS * 1_000);
  timeline.after(100, () => jobs.lookAgain());
  history.poke();
}

/** FLUSHALL, or a disk that is lost. */
export function redisForgets(history: History): void {
  const { redis, judges, timeline, world, workers } = history;
  redis.forgetAll();
  history.hasForgotten = true;
  for (const { vantagePoint } of workers) vantagePoint.forget();
  // A living background scan notices soon, and asks everybody anew.
  timeline.after(10_000, () => {
    for (const { vantagePoint, process, redisLine } of workers)
      if (process?.running && !redisLine.cut && !redis.away)
        vantagePoint.hearEverybody(process.clock, placesIn(redis));
    if (!redis.away) history.askDisks();
  });
  world.tell('Redis lost all that it held');
  judges.redisLost(Number.NEGATIVE_INFINITY);
  history.poke();
}
