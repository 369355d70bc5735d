// How each process begins: settings from config.ini, their warnings told, a log that knows the secrets to mask.
import { homedir } from 'node:os';
import type { CloudCredentials } from '../config/cloud-credentials.ts';
import { loadCloud } from '../config/clouds-yaml.ts';
import { loadSettings, type ProcessName } from '../config/load.ts';
import type { OpenStackSettings, Settings } from '../config/settings.ts';
import { UsageError } from '../ground/errors.ts';
import { createLog, type Log } from '../ground/log.ts';
import type { CommonOptions } from './frame.ts';

export interface Started {
  readonly settings: Settings;
  readonly log: Log;
}

/** Reads the configuration of a process; throws UsageError with every mistake. Warnings go to standard error. */
export function start(name: ProcessName, options: CommonOptions): Started {
  const { settings, warnings } = loadSettings({
    process: name,
    file: options.config,
    cwd: process.cwd(),
    home: homedir(),
  });
  for (const warning of warnings) process.stderr.write(`${name}: warning: ${warning}\n`);
  const log = createLog({ name, verbosity: options.verbose, secrets: secretsOf(settings, null) });
  return { settings, log };
}

export interface StartedOnCloud extends Started {
  readonly openstack: OpenStackSettings;
  readonly credentials: CloudCredentials;
}

/** A further file that a process reads at its start, with the secrets in it. */
export interface FurtherFile {
  readonly secrets: readonly string[];
}

/**
 * As `start`, with the cloud's credentials and what `readFurther` reads (it throws UsageError with every mistake, or says
 * null where nothing is configured); the log masks the secrets of both.
 */
export function startOnCloud<F extends FurtherFile>(
  name: ProcessName,
  options: CommonOptions,
  readFurther: (settings: Settings) => F | null,
): StartedOnCloud & { readonly further: F | null } {
  const { settings } = start(name, options);
  const openstack = requireOpenStack(settings);
  const { cwd, env } = process;
  const [credentials, further] = allOf(
    () => loadCloud({ cloud: openstack.cloud, env, cwd: cwd(), home: homedir() }),
    () => readFurther(settings),
  );
  const secrets = [...secretsOf(settings, credentials), ...(further?.secrets ?? [])];
  const log = createLog({ name, verbosity: options.verbose, secrets });
  return { settings, log, openstack, credentials, further };
}

/** Both results, or the mistakes of both. */
function allOf<A, B>(first: () => A, second: () => B): [A, B] {
  const mistakes: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      mistakes.push(...error.lines);
      return undefined;
    }
  };
  const results = [attempt(first), attempt(second)] as [A, B];
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return results;
}

/** The OpenStack settings, which the reader guarantees for ns4 and monitor. */
export function requireOpenStack(settings: Settings): OpenStackSettings {
  if (settings.openstack === null) throw new Error('settings were read without [OPENSTACK]');
  return settings.openstack;
}

function secretsOf(settings: Settings, credentials: CloudCredentials | null): (string | null)[] {
  const login = credentials?.login;
  return [
    settings.redis.password,
    settings.redis.sentinels?.password ?? null,
    settings.mysql?.password ?? null,
    settings.slack.token,
    settings.slack.appToken,
    login === undefined ? null : login.method === 'password' ? login.password : login.secret,
  ];
}
