// How each process begins: settings from config.ini, their warnings told, their secrets known to the masker, a log.
import { homedir } from 'node:os';
import type { ProcessName } from '../config/keys/key.ts';
import { loadSettings } from '../config/load.ts';
import type { OpenStackSettings, Settings } from '../config/settings.ts';
import { createLog, type Log } from '../ground/log.ts';
import { plain } from '../ground/plain.ts';
import { type Connection, connectionsOf, insistOnCertificates, safetyWarning } from './connection-safety.ts';
import type { CommonOptions, Frame } from './frame.ts';

export interface Started {
  readonly settings: Settings;
  readonly log: Log;
}

/** As `readSettings`, with a log. */
export function start(name: ProcessName, options: CommonOptions, frame: Pick<Frame, 'secrets'>): Started {
  const settings = readSettings(name, options, frame);
  const log = createLog({ name, verbosity: options.verbose });
  if (options.check !== true) warnOfConnections(connectionsOf(name, settings), log);
  return { settings, log };
}

/** At each start: connections that others can read or change. */
export function warnOfConnections(connections: readonly Connection[], log: Log): void {
  for (const connection of connections) {
    const warning = safetyWarning(connection);
    if (warning !== null) log.warn(warning);
  }
}

/** Reads the configuration of a process; throws UsageError with every mistake. Warnings go to standard error. */
export function readSettings(
  name: ProcessName,
  options: CommonOptions,
  { secrets }: Pick<Frame, 'secrets'>,
): Settings {
  const { settings, warnings } = loadSettings({
    process: name,
    file: options.config,
    cwd: process.cwd(),
    home: homedir(),
    secrets,
  });
  const unsafe = insistOnCertificates(process.env);
  warn(name, unsafe === null ? warnings : [...warnings, unsafe]);
  return settings;
}

/** On standard error, a line each. */
export function warn(name: ProcessName, warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`${name}: warning: ${plain(warning)}\n`);
}

/** The OpenStack settings, which the reader guarantees for ns4 and monitor. */
export function requireOpenStack(settings: Settings): OpenStackSettings {
  if (settings.openstack === null) throw new Error('settings were read without [OPENSTACK]');
  return settings.openstack;
}
