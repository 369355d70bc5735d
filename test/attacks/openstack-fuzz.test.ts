// Every field of every answer of OpenStack bent, while the three processes watch and while they recover a host: nobody dies,
// rounds go on when the answers are straight again, and whatever an answer said, nothing is done to anybody who lives and no
// disk gets a second writer. `SEED` repeats it, `RUNS` makes it longer.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Answer, Call } from '../../simulator/openstack-http/call.ts';
import type { Random } from '../simulation/random.ts';
import { Crew } from './crew.ts';
import { seeded, Tried } from './nonsense.ts';

let crew: Crew;
afterEach(() => crew?.close());

const bentPerRound = 30;
const batchMs = 12_000;

/** A path without the names in it. */
const routeOf = ({ method, path }: Call): string =>
  `${method} ${path
    .split('/')
    .map((part) => (/^(hv\d+|[0-9a-f-]{32,}|\d+)$/.test(part) ? 'ID' : part))
    .join('/')}`;

class Bending {
  readonly tried = new Tried();
  count = 0;
  readonly #random: Random;
  /** Which of the answers. */
  readonly #share: number;

  constructor(random: Random, share: number) {
    this.#random = random;
    this.#share = share;
  }

  bend(call: Call, answer: Answer): Answer {
    const random = this.#random;
    if (!random.chance(this.#share)) return answer;
    this.count += 1;
    if (random.chance(0.05)) return this.#bendHeader(call, answer);
    if (typeof answer.body !== 'object') return answer;
    const { value, field, kind } = this.tried.bend(random, routeOf(call), answer.body);
    crew.note(`${field} is ${kind}`);
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
    crew.note(`${routeOf(call)} header ${name} is odd`);
    return { ...answer, headers: { ...answer.headers, [name]: value } };
  }
}

/** Until so many answers were bent, or for so long. */
async function bentFor(bending: Bending, answers: number): Promise<void> {
  const before = bending.count;
  crew.simulator.bend((call, answer) => bending.bend(call, answer));
  for (let waited = 0; waited < batchMs && bending.count - before < answers; waited += 50) await delay(50);
  crew.simulator.bend(null);
}

test('while all is well', async () => {
  const { random, runs } = seeded('bent answers of OpenStack, all is well', 12);
  crew = await Crew.open();
  await crew.start();
  const bending = new Bending(random, 0.4);
  for (let run = 0; run < runs; run += 1) {
    await bentFor(bending, bentPerRound);
    await crew.goesOn();
    crew.judgeTruth();
  }
  process.stdout.write(
    `${bending.tried.total} of ${bending.count} answers bent in ${bending.tried.fields.length} fields, ` +
      `${bending.tried.untouched.length} of them untouched; the longest round ${crew.longestMs} ms\n`,
  );
  expect(bending.tried.total).toBeGreaterThan(100);
}, 600_000);

test('while a host is recovered', async () => {
  const { random, runs } = seeded('bent answers of OpenStack, a host dies', 4);
  crew = await Crew.open();
  await crew.start();
  const bending = new Bending(random, 0.15);
  await crew.simulator.kill('hv01');
  for (let run = 0; run < runs; run += 1) {
    await bentFor(bending, bentPerRound);
    await crew.goesOn();
    crew.judgeTruth(['hv01']);
  }
  // The answers are straight again: everybody is back, or the report says who is not.
  await crew.household.waitForEvent(({ facts }) => facts.kind === 'recovery-ended', 90_000);
  crew.judgeTruth(['hv01']);
  const told = (await crew.household.events()).filter(({ facts }) => facts.kind === 'recovery-ended');
  for (const name of ['vm-1', 'vm-2', 'vm-3']) {
    const { host } = crew.simulator.snapshot().servers[name] ?? {};
    if (host === 'hv01') expect(told.map(({ text }) => text).join('\n')).toContain(name);
  }
  process.stdout.write(`${bending.count} answers bent; ${told.map(({ text }) => text).join(' / ')}\n`);
}, 600_000);
