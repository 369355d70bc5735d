// How each process begins: settings from config.ini, their warnings told, a log that knows the secrets to mask.
import { homedir } from 'node:os';
import type { ProcessName } from '../config/keys/key.ts';
import { type Loaded, loadSettings } from '../config/load.ts';
import type { OpenStackSettings, Settings } from '../config/settings.ts';
import { createLog, type Log } from '../ground/log.ts';
import { plain } from '../ground/plain.ts';
import { type Connection, connectionsOf, insistOnCertificates, safetyWarning } from './connection-safety.ts';
import type { CommonOptions } from './frame.ts';

export interface Started {
  readonly settings: Settings;
  readonly log: Log;
}

/** As `readSettings`, with a log that masks their secrets. */
export function start(name: ProcessName, options: CommonOptions): Started {
  const { settings, secrets } = readSettings(name, options);
  const log = createLog({ name, verbosity: options.verbose, secrets });
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
export function readSettings(name: ProcessName, options: CommonOptions): Omit<Loaded, 'warnings'> {
  const { warnings, ...loaded } = loadSettings({
    process: name,
    file: options.config,
    cwd: process.cwd(),
    home: homedir(),
  });
  const unsafe = insistOnCertificates(process.env);
  for (const warning of unsafe === null ? warnings : [...warnings, unsafe])
    process.stderr.write(`${name}: warning: ${plain(warning)}\n`);
  return loaded;
}

/** The OpenStack settings, which the reader guarantees for ns4 and monitor. */
export function requireOpenStack(settings: Settings): OpenStackSettings {
  if (settings.openstack === null) throw new Error('settings were read without [OPENSTACK]');
  return settings.openstack;
}
