// Logs: pino on standard output, readable on a terminal, JSON otherwise. Secrets are masked on the way out, as in all
// that a process writes (process/outputs.ts).
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

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
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}
