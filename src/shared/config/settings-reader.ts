// Reads typed values from config.ini and collects what is wrong with them, so that one start shows all mistakes. Each
// method answers with a value even after a mistake: the caller throws at the end, never half-way.
import { isIP } from 'node:net';
import type { Endpoint } from '../documents/jobs/scan.ts';
import { type IniFile, readIni } from './ini.ts';
import { isSecret } from './known-keys.ts';
import { quote } from './quote.ts';
import { parseTruth } from './truth.ts';

interface Range {
  readonly min: number;
  readonly max: number;
}

export class SettingsReader {
  /** What stands in the file and is wrong. */
  readonly mistakes: string[] = [];
  /** What should stand in the file and does not. */
  readonly gaps: string[] = [];
  readonly warnings: string[] = [];
  private readonly file: string;
  private readonly ini: IniFile;

  constructor(file: string, ini: IniFile) {
    this.file = file;
    this.ini = ini;
  }

  /** The text of a key; null when it is absent, empty or "None", as people wrote it in the original. */
  text(section: string, key: string): string | null {
    const value = readIni(this.ini, section, key);
    if (value === null) return null;
    if (value.state === 'value') return value.text === '' || value.text === 'None' ? null : value.text;
    const reference = isSecret(key) ? 'a key' : `%(${value.reference})s, a key`;
    const said = {
      'lone-percent': 'found a "%" by itself, expected "%%" for a percent sign',
      'unknown-reference': `found a reference to ${reference} that is not set, expected "%%" for a percent sign`,
      'too-deep': 'found references that lead too far or in a circle, expected at most 10 in a row',
    }[value.problem];
    const mistake = `${this.place(section, key)}: ${said}`;
    if (!this.mistakes.includes(mistake)) this.mistakes.push(mistake);
    return null;
  }

  /** Notes that a key's value is not what it should be. */
  wrong(section: string, key: string, expected: string, what?: string): void {
    const value = this.text(section, key) ?? '';
    const found = what ?? (isSecret(key) ? 'a value not shown here' : quote(value));
    const hint = value.includes('\n') ? ' (an indented line continues the value above it)' : '';
    this.mistakes.push(`${this.place(section, key)}: found ${found}${hint}, expected ${expected}`);
  }

  /** Notes that a key should be set. */
  missing(section: string, key: string, expected: string): void {
    // A value that could not be read was reported as such; it is not missing.
    if (readIni(this.ini, section, key)?.state !== 'broken')
      this.gaps.push(`${this.file}: [${section}] ${key}: missing, expected ${expected}`);
  }

  warn(section: string, key: string, what: string): void {
    this.warnings.push(`${this.place(section, key)}: ${what}`);
  }

  whole(section: string, key: string, fallback: number, range: Range): number {
    return this.number(section, key, fallback, range, /^\+?\d+(_\d+)*$/, 'a whole number');
  }

  /** A time in seconds, fractions allowed, as milliseconds. */
  seconds(section: string, key: string, fallback: number, range: Range): number {
    const pattern = /^\+?\d+(_\d+)*(\.\d+)?$/;
    return Math.round(this.number(section, key, fallback, range, pattern, 'a number of seconds') * 1000);
  }

  port(section: string, key: string, fallback: number): number {
    return this.number(section, key, fallback, { min: 1, max: 65535 }, /^\d+$/, 'a port');
  }

  boolean(section: string, key: string, fallback: boolean): boolean {
    const text = this.text(section, key);
    if (text === null) return fallback;
    const value = parseTruth(text);
    if (value === null) this.wrong(section, key, 'true or false');
    return value ?? fallback;
  }

  choice<T extends string>(section: string, key: string, choices: readonly [T, ...T[]]): T {
    const text = this.text(section, key);
    const choice = choices.find((one) => one === text?.toLowerCase());
    if (text !== null && choice === undefined) this.wrong(section, key, choices.join(' or '));
    return choice ?? choices[0];
  }

  /** A host name or an IP address without a port. */
  host(section: string, key: string): string | null {
    const text = this.text(section, key);
    if (text === null || isHost(text)) return text;
    this.wrong(section, key, 'a host name or an address, without a port');
    return null;
  }

  /** Names between commas; those that stand there twice count once. */
  names(section: string, key: string, expected: string): string[] {
    const text = this.text(section, key);
    if (text === null) return [];
    const names = items(text);
    if (names.length === 0) this.wrong(section, key, expected);
    const twice = firstRepeated(names);
    if (twice !== null) this.warn(section, key, `found ${quote(twice)} twice, it counts once`);
    return [...new Set(names)];
  }

  ports(section: string, key: string, fallback: readonly number[]): readonly number[] {
    const text = this.text(section, key);
    if (text === null) return fallback;
    const found = items(text);
    const ports = found.map(portOf);
    const twice = firstRepeated(ports);
    if (found.length === 0 || ports.includes(null))
      this.wrong(section, key, 'ports from 1 to 65535 between commas');
    else if (twice !== null) this.wrong(section, key, `each port once, but ${twice} is there twice`);
    return ports.flatMap((port) => port ?? []);
  }

  endpoints(section: string, key: string): Endpoint[] {
    const found = items(this.text(section, key) ?? '');
    const endpoints = found.flatMap((item) => endpointOf(item) ?? []);
    const bad = found.filter((item) => endpointOf(item) === null);
    const twice = firstRepeated(endpoints.map(({ address, port }) => `${address} port ${port}`));
    if (bad.length > 0)
      this.wrong(
        section,
        key,
        'address:port between commas, an IPv6 address in brackets: [2001:db8::1]:22',
        bad.map(quote).join(', '),
      );
    else if (twice !== null) this.wrong(section, key, `each once, but ${twice} is there twice`);
    return endpoints;
  }

  private number(
    section: string,
    key: string,
    fallback: number,
    { min, max }: Range,
    form: RegExp,
    what: string,
  ): number {
    const text = this.text(section, key);
    if (text === null) return fallback;
    const value = form.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.wrong(section, key, `${what} from ${min} to ${max}`);
    return fallback;
  }

  private place(section: string, key: string): string {
    const line = readIni(this.ini, section, key)?.line;
    return `${this.file}${line === undefined ? '' : `:${line}`}: [${section}] ${key}`;
  }
}

const items = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function firstRepeated<T>(values: readonly T[]): T | null {
  return values.find((value, i) => values.indexOf(value) < i) ?? null;
}

function portOf(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

/** A last label of digits only is a mistyped IPv4 address, never a name. */
const isHost = (text: string): boolean =>
  isIP(text) !== 0 ||
  (/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(text) &&
    !/(^|\.)\d+\.?$/.test(text));

function endpointOf(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text);
  const [address, port] = [match?.[1] ?? match?.[2] ?? '', portOf(match?.[3] ?? '')];
  const valid = match?.[1] === undefined ? isHost(address) : isIP(address) === 6;
  return valid && port !== null ? { address, port } : null;
}
