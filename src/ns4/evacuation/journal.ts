// The journal of an incident: what was about to be done to whom, written before it is done, by one owner at a time.
// It lets a second worker continue after the first one died, and a person read what happened. It is a help, not the
// truth: what Nova shows is looked at as well, since Redis may have lost its last second.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { instanceReportSchema } from '../../shared/contracts.ts';
import { OperationalError } from '../../shared/errors.ts';
import type { Keys } from '../../shared/keys.ts';
import { refusalSchema } from '../../shared/refusals.ts';

const entrySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** As Nova showed it when the incident was opened: what it must be again. */
  before: z.object({ status: z.string(), vmState: z.string() }),
  /**
   * pending: nothing left for Nova; asking: a request is about to leave or left and its answer is not known;
   * asked: Nova took it; ended: see report.
   */
  state: z.enum(['pending', 'asking', 'asked', 'ended']),
  attempts: z.number(),
  askedAtMs: z.number().nullable(),
  report: instanceReportSchema.nullable(),
});
export type JournalEntry = z.infer<typeof entrySchema>;

const incidentSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  dead: z.string(),
  spare: z.string(),
  method: z.enum(['api', 'database']),
  openedAtMs: z.number(),
  judgedAtMs: z.number(),
  evidence: z.array(z.string()),
  /** Did anything that moves an instance leave? */
  acted: z.boolean(),
  steps: z.array(z.object({ atMs: z.number(), step: z.string() })),
  instances: z.record(z.string(), entrySchema),
  /** How it ended, for a worker that is asked for it again: the one that ended it may be lost before it could tell. */
  ended: z
    .object({ atMs: z.number(), outcome: z.enum(['done', 'stopped']), refusal: refusalSchema.nullable() })
    .nullable(),
});
export type Incident = z.infer<typeof incidentSchema>;

/** Without renewal an owner is taken for dead after this. */
const ownerMs = 8_000;
const renewMs = 2_000;
/** An ended incident stays readable this long. */
const keepSeconds = 90 * 86_400;
/** A confirmation of ownership older than this is asked for again before a dangerous step. */
const ownershipFreshMs = 1_500;
const mostSaves = 8;

const saveScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], ARGV[3])
return 1`;
const endScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
redis.call('DEL', KEYS[3], KEYS[1])
return 1`;
const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
/** Nobody else owns it: our journal is put back if Redis lost it, so that a next worker knows what was asked for. */
const interruptedScript = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[2], KEYS[3]) == 0 then
  redis.call('SET', KEYS[2], ARGV[2])
  redis.call('SET', KEYS[3], ARGV[3])
end
return 1`;
const releaseScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** Somebody else owns this host's incident now: whatever was about to be done must not be done. */
export class LostOwnershipError extends OperationalError {}

/**
 * The claim ran out or was wiped, though nobody else has it now: this worker stood still, or Redis did. Somebody may
 * have been at work in between, so whatever was looked at is to be looked at again under a new claim.
 */
export class InterruptedOwnershipError extends OperationalError {}

/** The journals of one cloud. */
export class Journals {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #clock: Clock;

  constructor(redis: Redis, keys: Keys, clock: Clock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** The unfinished incident of a host; null when there is none. */
  async open(host: string): Promise<Incident | null> {
    const id = await this.#redis.get(this.#keys.openIncident(host));
    return id === null ? null : this.read(id);
  }

  /** An incident by its id, ended or not; null when there is none. */
  async read(id: string): Promise<Incident | null> {
    const text = await this.#redis.get(this.#keys.incident(id));
    return text === null ? null : incidentSchema.parse(JSON.parse(text));
  }

  /**
   * Becomes the owner of a host's incident, waiting up to `waitMs` for a former owner's claim to run out (a killed
   * worker's does within 8 s). Null when somebody else keeps renewing it.
   */
  async claim(host: string, waitMs: number, signal: AbortSignal): Promise<Ownership | null> {
    const token = randomUUID();
    const untilMs = this.#clock.nowMs() + waitMs;
    for (;;) {
      const taken = await this.#redis.set(this.#keys.incidentOwner(host), token, 'PX', ownerMs, 'NX');
      if (taken === 'OK') return new Ownership(this.#redis, this.#keys, this.#clock, host, token);
      if (this.#clock.nowMs() >= untilMs) return null;
      await this.#clock.sleep(250, signal);
    }
  }
}

/** The right to change one host's incident, renewed until released or lost. */
export class Ownership {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #host: string;
  readonly #token: string;
  readonly #lost = new AbortController();
  #last: { readonly id: string; readonly text: string } | null = null;
  #renewal: NodeJS.Timeout;

  constructor(redis: Redis, keys: Keys, clock: Clock, host: string, token: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
    this.#host = host;
    this.#token = token;
    this.#renewal = setInterval(() => void this.#renew(), renewMs);
    this.#renewal.unref();
  }

  /** Aborted as soon as the loss of ownership is noticed. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async #renew(): Promise<void> {
    try {
      const kept = await this.#redis.eval(renewScript, 1, this.#owner, this.#token, ownerMs);
      if (kept !== 1) await this.#lose();
    } catch {
      // Redis is away: the next save tells whether we are still the owner.
    }
  }

  get #owner(): string {
    return this.#keys.incidentOwner(this.#host);
  }

  /** We are not the owner any more; says which way, and ends everything done under this claim. */
  async #lose(): Promise<never> {
    clearInterval(this.#renewal);
    const free = this.#last === null || (await this.#putBack(this.#last));
    const error = free
      ? new InterruptedOwnershipError(`the claim on the incident of ${this.#host} was interrupted`)
      : new LostOwnershipError(`another worker owns the incident of ${this.#host} now`);
    this.#lost.abort(error);
    throw error;
  }

  async #putBack({ id, text }: { id: string; text: string }): Promise<boolean> {
    const names = [this.#owner, this.#keys.incident(id), this.#keys.openIncident(this.#host)];
    return (await this.#redis.eval(interruptedScript, 3, ...names, this.#token, text, id)) === 1;
  }

  /**
   * Writes the incident down, if we still own it; throws LostOwnershipError or InterruptedOwnershipError otherwise.
   * Returns only with a fresh confirmation: a worker that was frozen meanwhile asks again, so that what follows at once
   * cannot be minutes late.
   */
  async save(incident: Incident): Promise<void> {
    for (let round = 1; round <= mostSaves; round += 1) {
      const sentAtMs = this.#clock.nowMs();
      // Written anew each round: another save may have been quicker, and this one must not undo it.
      const text = JSON.stringify(incident);
      const saved = await this.#redis.eval(
        saveScript,
        3,
        this.#owner,
        this.#keys.incident(incident.id),
        this.#keys.openIncident(this.#host),
        this.#token,
        text,
        incident.id,
      );
      if (saved !== 1) await this.#lose();
      this.#last = { id: incident.id, text };
      if (this.#clock.nowMs() - sentAtMs <= ownershipFreshMs) return;
    }
    throw new OperationalError(`Redis is too slow to confirm who owns the incident of ${this.#host}`);
  }

  /** Ends the incident: it stays readable for 90 days, and the host is free for another one. */
  async end(incident: Incident): Promise<void> {
    const ended = await this.#redis.eval(
      endScript,
      3,
      this.#owner,
      this.#keys.incident(incident.id),
      this.#keys.openIncident(this.#host),
      this.#token,
      JSON.stringify(incident),
      keepSeconds,
    );
    if (ended !== 1) await this.#lose();
    clearInterval(this.#renewal);
  }

  /** Gives the right back without ending the incident; another worker may claim it at once. */
  async release(): Promise<void> {
    clearInterval(this.#renewal);
    try {
      await this.#redis.eval(releaseScript, 1, this.#owner, this.#token);
    } catch {
      // Redis is away; the claim runs out by itself within seconds.
    }
  }
}
