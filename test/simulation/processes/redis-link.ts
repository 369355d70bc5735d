// A process's way to the pretend Redis, with all that may go wrong on it: the process is killed or stands still before
// or after the call took effect, the call fails, its answer is lost or late.
import type { Random } from '../random.ts';
import type { Weather } from '../weather.ts';
import type { PretendRedis } from '../world/redis.ts';
import { never, type Process } from './process.ts';

const timeoutMs = 1_000;

/** As the real client has it: no error of ours. */
export class RedisAwayError extends Error {}

export class RedisLink {
  /** Called when a call failed, or looked so. */
  onFailure: () => void = () => {};
  readonly redis: PretendRedis;
  readonly process: Process;
  readonly #random: Random;
  readonly #weather: Weather;
  /** Network between this machine and Redis. */
  readonly #line: { cut: boolean };

  constructor(
    redis: PretendRedis,
    process: Process,
    random: Random,
    weather: Weather,
    line: { cut: boolean },
  ) {
    this.redis = redis;
    this.process = process;
    this.#random = random;
    this.#weather = weather;
    this.#line = line;
  }

  get isCut(): boolean {
    return this.#line.cut;
  }

  /** `apply` is what happens in Redis, in one step. */
  call<T>(apply: () => T): Promise<T> {
    const { process, redis } = this;
    const random = this.#random;
    const weather = this.#weather;
    if (!process.alive) return never();
    process.isUnaware = false;
    if (redis.away || this.#line.cut) return process.answer(timeoutMs, this.#away);
    // One throw for all that is rare: with it most calls cost one number.
    const { killAtRedis, freezeAtRedis, redisFails, redisAnswerLost, redisSlow } = weather;
    const isFair = killAtRedis + freezeAtRedis + redisFails + redisAnswerLost + redisSlow === 0;
    let left = isFair ? 1 : random.next();
    const isNow = (probability: number): boolean => {
      left -= probability;
      return left < 0;
    };
    if (isNow(weather.killAtRedis)) {
      if (random.chance(0.5)) apply();
      process.kill();
      return never();
    }
    if (isNow(weather.freezeAtRedis)) {
      const forMs = random.pick([1_000, 3_000, 9_000, 20_000, 45_000]);
      if (random.chance(0.5)) {
        process.freeze(forMs);
        return process.answer(0, apply);
      }
      const result = apply();
      process.freeze(forMs);
      process.isUnaware = process.machine.isPausable;
      return process.answer(0, () => result);
    }
    if (isNow(weather.redisFails)) return process.answer(0, this.#away);
    if (isNow(weather.redisAnswerLost)) {
      apply();
      return process.answer(timeoutMs, this.#away);
    }
    if (isNow(weather.redisSlow)) return process.answer(random.between(50, 900), apply);
    try {
      return Promise.resolve(apply());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readonly #away = (): never => {
    this.onFailure();
    throw new RedisAwayError('Redis does not answer');
  };
}
