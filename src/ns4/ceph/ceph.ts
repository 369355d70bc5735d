// The port `Storage` over a real Ceph: a helper program speaks with it, as Node cannot.
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { Clock } from '../../shared/ground/clock.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Mask } from '../../shared/masks/secrets.ts';
import {
  type AskedImage,
  type Barrier,
  type Blocklist,
  type ByImage,
  type CannotTell,
  type Changed,
  cannotTell,
  type ImageClients,
  type Limits,
  leastMarginMs,
  openersMs,
  type Storage,
  type StorageFacts,
} from '../storage/storage.ts';
import { HelperProcess } from './helper-process.ts';
import {
  askedSchema,
  barrierSchema,
  blocklistSchema,
  type CephAccess,
  changedSchema,
  clientsSchema,
  configLine,
  factsSchema,
  type Question,
} from './protocol.ts';

const script = fileURLToPath(new URL('./helper/main.py', import.meta.url));

export interface CephParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly mask: Mask;
  /** Another program in the helper's place, with its arguments. */
  readonly command?: readonly [program: string, ...args: string[]];
  readonly pauseMs?: number;
  readonly graceMs?: number;
}

export class Ceph implements Storage {
  readonly #helper: HelperProcess;
  readonly #pools: readonly string[];

  /** Nothing is started before the first call. */
  constructor(access: CephAccess, { command = ['python3', '-I', '-B', script], ...parts }: CephParts) {
    const [program, ...args] = command;
    this.#helper = new HelperProcess({ ...parts, program, args, firstLine: configLine(access) });
    this.#pools = access.pools;
  }

  async ask(images: readonly string[], limits: Limits): Promise<ByImage<AskedImage>> {
    if (limits.timeoutMs < openersMs + leastMarginMs)
      throw new RangeError(`openers need ${openersMs + leastMarginMs} ms, not ${limits.timeoutMs}`);
    const question: Question = { do: 'ask', images, openersS: openersMs / 1_000 };
    return this.#byImage(images, question, askedSchema, limits);
  }

  watchers(images: readonly string[], limits: Limits): Promise<ByImage<ImageClients>> {
    return this.#byImage(images, { do: 'watchers', images }, clientsSchema, limits);
  }

  locks(images: readonly string[], limits: Limits): Promise<ByImage<ImageClients>> {
    return this.#byImage(images, { do: 'locks', images }, clientsSchema, limits);
  }

  block(addresses: readonly string[], seconds: number, limits: Limits): Promise<Changed> {
    return this.#answer({ do: 'blocklist-add', addresses, seconds }, changedSchema, limits);
  }

  unblock(addresses: readonly string[], limits: Limits): Promise<Changed> {
    return this.#answer({ do: 'blocklist-remove', addresses }, changedSchema, limits);
  }

  blocklist(limits: Limits): Promise<Blocklist> {
    return this.#answer({ do: 'blocklist-list' }, blocklistSchema, limits);
  }

  barrier(limits: Limits): Promise<Barrier> {
    return this.#answer({ do: 'barrier', pools: this.#pools }, barrierSchema, limits);
  }

  facts(limits: Limits): Promise<StorageFacts | CannotTell> {
    return this.#answer({ do: 'hello' }, factsSchema, limits);
  }

  close(): Promise<void> {
    return this.#helper.close();
  }

  async #answer<T>(question: Question, schema: z.ZodType<T>, limits: Limits): Promise<T | CannotTell> {
    const reply = await this.#helper.request(question, limits);
    if (reply.kind === 'cannot-tell') return reply;
    const answer = schema.safeParse(reply.answer);
    return answer.success ? answer.data : cannotTell('the answer of the Ceph helper cannot be read');
  }

  /** Whatever happens, each image has an answer. */
  async #byImage<T>(
    images: readonly string[],
    question: Question,
    schema: z.ZodType<{ images: Record<string, T> }>,
    limits: Limits,
  ): Promise<ByImage<T | CannotTell>> {
    if (images.length === 0) return new Map();
    const answer = await this.#answer(question, schema, limits);
    const found = 'images' in answer ? new Map(Object.entries(answer.images)) : new Map<string, T>();
    const unheard = 'images' in answer ? cannotTell('the Ceph helper left it out') : answer;
    return new Map(images.map((image) => [image, found.get(image) ?? unheard]));
  }
}
