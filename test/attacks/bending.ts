// Answers of the pretend OpenStack with nonsense in one field or header, those tried least first.
import type { Answer, Call } from '../../simulator/openstack-http/call.ts';
import type { Random } from '../simulation/random.ts';
import { Tried } from './nonsense.ts';

/** A path without the names in it. */
const routeOf = ({ method, path }: Call): string =>
  `${method} ${path
    .split('/')
    .map((part) => (/^(hv\d+|[0-9a-f-]{32,}|\d+)$/.test(part) ? 'ID' : part))
    .join('/')}`;

export class Bending {
  readonly tried = new Tried();
  /** Answers bent so far. */
  count = 0;
  readonly #random: Random;
  readonly #note: (what: string) => void;

  constructor(random: Random, note: (what: string) => void) {
    this.#random = random;
    this.#note = note;
  }

  bend(call: Call, answer: Answer): Answer {
    const random = this.#random;
    this.count += 1;
    if (random.chance(0.05)) return this.#bendHeader(call, answer);
    if (typeof answer.body !== 'object') return answer;
    const { value, field, kind } = this.tried.bend(random, routeOf(call), answer.body);
    this.#note(`${field} is ${kind}`);
    return {
      ...answer,
      body: JSON.stringify(value),
      headers: { ...answer.headers, 'Content-Type': 'application/json' },
    };
  }

  #bendHeader(call: Call, answer: Answer): Answer {
    const names = Object.keys(answer.headers ?? {});
    if (names.length === 0) return answer;
    const name = this.#random.pick(names);
    const value = this.#random.pick(['', 'x'.repeat(6_000), 'null', '-1', 'a b;c="']);
    this.#note(`${routeOf(call)} header ${name} is odd`);
    return { ...answer, headers: { ...answer.headers, [name]: value } };
  }
}
