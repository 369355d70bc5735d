// Logs: pino on standard output, readable on a terminal, JSON otherwise, with every known secret masked in whatever
// is written, wherever in the text or the data it stands.
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { plain, plainWithin } from './plain.ts';

export type Log = Logger;

/** Shorter strings are not masked: masking "a" everywhere would make logs unreadable and protect nothing. */
const shortestSecret = 4;

/** A function that replaces every given secret, also in its JSON-escaped form, by asterisks. */
export function secretMask(secrets: readonly (string | null | undefined)[]): (text: string) => string {
  const known = new Set<string>();
  for (const secret of secrets) {
    if (secret === null || secret === undefined || secret.length < shortestSecret) continue;
    known.add(secret);
    known.add(JSON.stringify(secret).slice(1, -1));
    known.add(encodeURIComponent(secret));
  }
  // Longest first, so that one secret that contains another is masked whole.
  const ordered = [...known].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((masked, secret) => masked.replaceAll(secret, '****'), text);
}

/** What tells of every line who wrote it, when and how loud. */
const reserved = ['name', 'level', 'time', 'msg', 'pid', 'hostname'];

/** Data of a line, which may be names from outside under any key: they do not pass for who wrote the line. */
function withoutReserved(data: Record<string, unknown>): Record<string, unknown> {
  if (!reserved.some((key) => Object.hasOwn(data, key))) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [reserved.includes(key) ? `${key}_` : key, value]),
  );
}

interface LogOptions {
  readonly name: string;
  /** 0: warnings, 1: info (-v), 2: debug (-vv). */
  readonly verbosity: number;
  readonly secrets?: readonly (string | null | undefined)[];
  /** Defaults to standard output. */
  readonly destination?: NodeJS.WritableStream & { isTTY?: boolean };
}

/** Levels by -v: default warnings, -v info, -vv debug. */
export function createLog(options: LogOptions): Log {
  const destination = options.destination ?? process.stdout;
  const level = ['warn', 'info', 'debug'][Math.min(options.verbosity, 2)] ?? 'warn';
  const mask = secretMask(options.secrets ?? []);
  const stream = destination.isTTY
    ? pretty({
        destination,
        colorize: true,
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
        sync: true,
      })
    : destination;
  return pino(
    {
      name: options.name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutReserved },
      // On a terminal the line is parsed again, and its texts are written as they then are.
      hooks: {
        streamWrite: destination.isTTY ? (line) => plainWithin(mask(line)) : (line) => plain(mask(line)),
      },
    },
    stream,
  );
}
