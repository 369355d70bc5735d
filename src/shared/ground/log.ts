// Logs: pino on standard output, readable on a terminal, JSON otherwise. Secrets are masked on the way out, as in all
// that a process writes (process/outputs.ts).
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { plain, plainWithin } from './plain.ts';

export type Log = Logger;

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
  /** Defaults to standard output. */
  readonly destination?: NodeJS.WritableStream & { isTTY?: boolean };
}

/** Levels by -v: default warnings, -v info, -vv debug. */
export function createLog(options: LogOptions): Log {
  const destination = options.destination ?? process.stdout;
  const level = ['warn', 'info', 'debug'][Math.min(options.verbosity, 2)] ?? 'warn';
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
      hooks: { streamWrite: destination.isTTY ? plainWithin : plain },
    },
    stream,
  );
}
