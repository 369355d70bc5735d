// The types of values in config.ini: each makes a setting of a text, or says what it expected.
import { isIP } from 'node:net';
import type { Endpoint } from '../../documents/jobs/scan.ts';
import { quote } from './quote.ts';
import { parseTruth } from './truth.ts';

/** A setting, with what an operator should know about it; or what was expected (and found, if not the whole text). */
export type Parsed<T> =
  | { readonly value: T; readonly warning?: string }
  | { readonly expected: string; readonly found?: string };

export interface ValueType<T> {
  /** What a value is, for messages and the example: "a port from 1 to 65535"; null: any text. */
  readonly expected: string | null;
  /** The unit of a number in config.ini. */
  readonly unit?: 's';
  readonly parse: (text: string) => Parsed<T>;
}

/** Any text. */
export const text: ValueType<string> = { expected: null, parse: (value) => ({ value }) };

/** A text that passes a test. */
export function textThat(expected: string, test: (text: string) => boolean): ValueType<string> {
  return simple(expected, (text) => (test(text) ? text : null));
}

/** A value that is read in one way, with one thing to expect; `read` says null for anything else. */
function simple<T>(expected: string, read: (text: string) => T | null): ValueType<T> {
  return {
    expected,
    parse(text) {
      const value = read(text);
      return value === null ? { expected } : { value };
    },
  };
}

function number(what: string, form: RegExp, min: number, max: number, factor: number): ValueType<number> {
  return simple(`${what} from ${min} to ${max}`, (text) => {
    const value = form.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    return value >= min && value <= max ? Math.round(value * factor) : null;
  });
}

export const whole = (min: number, max: number): ValueType<number> =>
  number('a whole number', /^\+?\d+(_\d+)*$/, min, max, 1);

/** A time in seconds, fractions allowed; the setting is in milliseconds. */
export const seconds = (min: number, max: number): ValueType<number> => ({
  ...number('a number of seconds', /^\+?\d+(_\d+)*(\.\d+)?$/, min, max, 1000),
  unit: 's',
});

export const port: ValueType<number> = number('a port', /^\d+$/, 1, 65535, 1);

export const boolean: ValueType<boolean> = simple('true or false', parseTruth);

/** One of some words, in any case. */
export function choice<T extends string>(...choices: readonly T[]): ValueType<T> {
  return simple(choices.join(' or '), (text) => choices.find((one) => one === text.toLowerCase()) ?? null);
}

/** A last label of digits only is a mistyped IPv4 address, never a name. */
const isHost = (text: string): boolean =>
  isIP(text) !== 0 ||
  (/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(text) &&
    !/^\d+$/.test(lastLabel(text)));

const lastLabel = (name: string): string => name.replace(/\.$/, '').split('.').at(-1) ?? '';

export const host = textThat('a host name or an address, without a port', isHost);

/** Names between commas, each of which passes a test, if there is one; those that stand there twice count once. */
export function names(
  expected: string,
  each: { readonly expected: string; readonly test: (name: string) => boolean } | null = null,
): ValueType<readonly string[]> {
  const parse = (text: string): Parsed<readonly string[]> => {
    const { found, twice } = list(text, (name) => name);
    if (found.length === 0) return { expected };
    if (each !== null && !found.every(each.test)) return { expected: each.expected };
    const value = [...new Set(found)];
    return twice === null ? { value } : { value, warning: `found ${quote(twice)} twice, it counts once` };
  };
  return { expected, parse };
}

/** Ports between commas, at least one, none twice. */
export function ports(): ValueType<readonly number[]> {
  const expected = 'ports from 1 to 65535 between commas';
  const parse = (text: string): Parsed<readonly number[]> => {
    const { found, value, twice } = list(text, portOf);
    if (found.length === 0 || value.length < found.length) return { expected };
    return twice === null ? { value } : { expected: `each port once, but ${twice} is there twice` };
  };
  return { expected, parse };
}

/**
 * Addresses with ports between commas, none twice. `nothing`: what is expected where there is none; null: it may be so.
 */
export function endpoints(nothing: string | null): ValueType<readonly Endpoint[]> {
  const expected = 'address:port between commas, an IPv6 address in brackets: [2001:db8::1]:22';
  const parse = (text: string): Parsed<readonly Endpoint[]> => {
    const { found, value, twice } = list(text, endpointOf, (one) => `${one.address} port ${one.port}`);
    if (found.length === 0 && nothing !== null) return { expected: nothing };
    const bad = found.filter((item) => endpointOf(item) === null);
    if (bad.length > 0) return { expected, found: bad.map(quote).join(', ') };
    return twice === null ? { value } : { expected: `each once, but ${twice} is there twice` };
  };
  return { expected, parse };
}

/** What stands between commas, what can be made of it, and the first of that which is there again. */
function list<T>(text: string, make: (item: string) => T | null, name = (made: T) => String(made)) {
  const found = text.split(',').flatMap((item) => item.trim() || []);
  const value = found.map(make).filter((one) => one !== null);
  const labels = value.map(name);
  return { found, value, twice: labels.find((label, i) => labels.indexOf(label) < i) ?? null };
}

function portOf(text: string): number | null {
  const parsed = /^\d{1,5}$/.test(text) ? port.parse(text) : null;
  return parsed !== null && 'value' in parsed ? parsed.value : null;
}

function endpointOf(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text);
  const [address, port] = [match?.[1] ?? match?.[2] ?? '', portOf(match?.[3] ?? '')];
  const valid = match?.[1] === undefined ? isHost(address) : isIP(address) === 6;
  return valid && port !== null ? { address, port } : null;
}
