// How each process begins: settings from config.ini, their warnings told, a log that knows the secrets to mask.
import { homedir } from 'node:os';
import type { CloudCredentials } from './config/cloud-credentials.ts';
import { loadCloud } from './config/clouds-yaml.ts';
import { loadSettings, type ProcessName } from './config/load.ts';
import type { OpenStackSettings, Settings } from './config/settings.ts';
import { createLog, type Log } from './log.ts';
import type { CommonOptions } from './process-frame.ts';

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

/** As `start`, with the cloud's credentials; its log masks those too. */
export function startOnCloud(name: ProcessName, options: CommonOptions): StartedOnCloud {
  const { settings } = start(name, options);
  const openstack = requireOpenStack(settings);
  const credentials = loadCloud({
    cloud: openstack.cloud,
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
  });
  const log = createLog({ name, verbosity: options.verbose, secrets: secretsOf(settings, credentials) });
  return { settings, log, openstack, credentials };
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
    settings.mysql?.password ?? null,
    settings.slack.token,
    settings.slack.appToken,
    login === undefined ? null : login.method === 'password' ? login.password : login.secret,
  ];
}
