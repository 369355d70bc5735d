// Nonsense from a seed: what stands in a document where something else belongs. The same seed gives the same nonsense.
import { Random } from '../simulation/random.ts';

/** What a fuzz is started with: `SEED` and `RUNS` of the environment; the seed is printed, so that it can be repeated. */
export function seeded(name: string, runs: number): { readonly random: Random; readonly runs: number } {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  const chosen = Number(process.env.RUNS ?? runs);
  process.stdout.write(`${name}: SEED=${seed} RUNS=${chosen}\n`);
  return { random: new Random(seed), runs: chosen };
}

const hugeText = 'x'.repeat(1_000_000);

function deep(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { down: value };
  return value;
}

/** By kind: what comes in the place of `old`; undefined: the field is gone. */
const kinds: Readonly<Record<string, (random: Random, old: unknown) => unknown>> = {
  null: () => null,
  missing: () => undefined,
  'another type': (random, old) =>
    typeof old === 'string' ? random.pick<unknown>([7, true, {}, []]) : random.pick<unknown>(['text', false]),
  'an object': () => ({ a: { b: [{}] } }),
  'a list': () => [null, {}, [[]], 'x', 3],
  'a huge text': () => hugeText,
  'a deep one': () => deep(1_500),
  'control characters': () => 'a\u0000\u001b]0;x\u0007\nb\u202e\u2028\u009b1m\u200b\ud800',
  'a name of the language': (random) => random.pick(['__proto__', 'constructor', 'toString']),
  'a way elsewhere': (random) =>
    random.pick(['..', '../../etc/passwd', 'a/b?c#d', 'x\r\nX-Y: z', '%2e%2e', 'http://192.0.2.1/x']),
  'an odd number': (random) =>
    random.pick([-1, 0, 0.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER, 8.64e15 + 1, 4_102_444_800_000]),
  'an odd text': (random) =>
    random.pick(['', ' ', 'NaN', '-1', '1e999', 'null', 'x'.repeat(300), '2199-12-31T23:59:59Z', 'true']),
  'the same twice': (_, old) => [old, old],
};
const kindsOfNonsense = Object.keys(kinds);

/** Where in a document: names and places, from its top. */
type Way = readonly (string | number)[];

/** A way as people write it, with every place of a list as one: `servers[].id`. */
const wayText = (way: Way): string =>
  way.map((step, i) => (typeof step === 'number' ? '[]' : `${i > 0 ? '.' : ''}${step}`)).join('') || '(all)';

const mostWays = 4_000;

/** Every way into a document, the whole of it included. */
function waysOf(value: unknown): Way[] {
  const ways: Way[] = [];
  const walk = (at: unknown, way: Way): void => {
    if (ways.length >= mostWays) return;
    ways.push(way);
    if (Array.isArray(at)) for (const [i, one] of at.entries()) walk(one, [...way, i]);
    else if (typeof at === 'object' && at !== null)
      for (const [name, one] of Object.entries(at)) walk(one, [...way, name]);
  };
  walk(value, []);
  return ways;
}

const at = (value: unknown, way: Way): unknown =>
  way.reduce<unknown>((found, step) => (found as Record<string | number, unknown>)[step], value);

/** A copy with something else at one place. */
function replaced(value: unknown, way: Way, put: unknown): unknown {
  const [step, ...rest] = way;
  if (step === undefined) return put;
  if (Array.isArray(value)) return value.map((one, i) => (i === step ? replaced(one, rest, put) : one));
  return Object.fromEntries(
    Object.entries(value as object).flatMap(([name, one]) => {
      const made = name === step ? replaced(one, rest, put) : one;
      return made === undefined ? [] : [[name, made]];
    }),
  );
}

/** A document with nonsense in one field, and which. */
export interface Bent {
  readonly value: unknown;
  readonly field: string;
  readonly kind: string;
}

/** How often each field was bent, and with what: the ones least tried are next. */
export class Tried {
  readonly #times = new Map<string, number>();

  /** Fields met so far. */
  get fields(): string[] {
    return [...this.#times.keys()];
  }

  /** Fields met and never bent. */
  get untouched(): string[] {
    return this.fields.filter((field) => this.#times.get(field) === 0);
  }

  get total(): number {
    return [...this.#times.values()].reduce((sum, times) => sum + times, 0);
  }

  /** `about`: whose fields these are. Of those tried least one at random gets the kind of nonsense that is next for it. */
  bend(random: Random, about: string, document: unknown): Bent {
    const ways = waysOf(document);
    const nameOf = (way: Way) => `${about} ${wayText(way)}`;
    for (const way of ways) if (!this.#times.has(nameOf(way))) this.#times.set(nameOf(way), 0);
    const least = Math.min(...ways.map((way) => this.#times.get(nameOf(way)) ?? 0));
    const way = random.pick(ways.filter((one) => this.#times.get(nameOf(one)) === least));
    const field = nameOf(way);
    const kind = random.pick(kindsOfNonsense);
    this.#times.set(field, least + 1);
    const made = kinds[kind]?.(random, at(document, way));
    // A whole that is missing is an empty one.
    return { value: replaced(document, way, made) ?? '', field, kind };
  }
}

/** Texts that are no document, or none of anybody's. */
const oddTexts: readonly (() => string | Buffer)[] = [
  () => '',
  () => 'null',
  () => '[]',
  () => '{}',
  () => '7',
  () => '"text"',
  () => '{',
  () => '{"version":999}',
  () => '{"__proto__":{"version":1}}',
  () => '['.repeat(100_000),
  () => `{"a":${'[1,'.repeat(20_000)}`,
  () => hugeText,
  () => Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x80]),
  () => 'NaN',
  () => '-1',
  () => '99999999999999999999',
];

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Something like `text`, and not it: a bent field of it, half of it, or nonsense altogether; what was done, in words. */
export function garbled(
  random: Random,
  tried: Tried,
  about: string,
  text: string | null,
): { readonly text: string | Buffer; readonly how: string } {
  const document = text === null ? undefined : parsed(text);
  if (typeof document === 'object' && document !== null && random.chance(0.6)) {
    const { value, field, kind } = tried.bend(random, about, document);
    return { text: JSON.stringify(value) ?? '', how: `${field} is ${kind}` };
  }
  if (text !== null && text.length > 1 && random.chance(0.3)) {
    const length = random.between(1, text.length - 1);
    return { text: text.slice(0, length), how: `cut after ${length} of ${text.length}` };
  }
  const odd = random.between(0, oddTexts.length - 1);
  return { text: oddTexts[odd]?.() ?? '', how: `odd text ${odd}` };
}
