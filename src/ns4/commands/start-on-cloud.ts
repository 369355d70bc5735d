// How ns4 begins: as every process, with clouds.yaml, fencing.yaml and the files of Ceph besides.
import { homedir } from 'node:os';
import type { OpenStackSettings } from '../../shared/config/settings.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import { createLog } from '../../shared/ground/log.ts';
import { connectionsOf } from '../../shared/process/connection-safety.ts';
import type { CommonOptions, Frame } from '../../shared/process/frame.ts';
import {
  readSettings,
  requireOpenStack,
  type Started,
  warn,
  warnOfConnections,
} from '../../shared/process/start.ts';
import { readCephFiles } from '../ceph/ceph-files.ts';
import type { CloudCredentials } from '../credentials/cloud-credentials.ts';
import { loadCloud } from '../credentials/clouds-yaml.ts';
import { readFencingFile } from '../fencing/fencing-file.ts';
import type { FencingPlan } from '../fencing/plan.ts';
import { loginConnection } from './cloud-connections.ts';

export interface StartedOnCloud extends Started {
  readonly openstack: OpenStackSettings;
  readonly credentials: CloudCredentials;
  /** Null where `[FENCING] hosts` is not set, or `[SCAN] fences` is no. */
  readonly plan: FencingPlan | null;
}

/** As `start`; throws UsageError with the mistakes of clouds.yaml, fencing.yaml and Ceph's files together. */
export function startOnCloud(
  options: CommonOptions & { readonly json?: boolean },
  frame: Pick<Frame, 'secrets'>,
): StartedOnCloud {
  const settings = readSettings('ns4', options, frame);
  const { secrets } = frame;
  const openstack = requireOpenStack(settings);
  const { file } = settings.fencing;
  const { cwd, env } = process;
  const mistakes: string[] = [];
  const attempt = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      mistakes.push(...error.lines);
      return null;
    }
  };
  const told = (warnings: readonly string[]) => warn('ns4', warnings);
  const learners = { secrets, told };
  const credentials = attempt(() =>
    loadCloud({ cloud: openstack.cloud, env, cwd: cwd(), home: homedir(), ...learners }),
  );
  const { ceph: access } = settings;
  const ceph = access === null ? null : attempt(() => readCephFiles(settings.file, access, secrets));
  const surroundings = { path: env.PATH ?? '', hasCeph: settings.ceph !== null };
  const plan =
    file === null || !settings.scan.fences
      ? null
      : attempt(() => readFencingFile(file, surroundings, learners));
  if (credentials === null || mistakes.length > 0) throw new UsageError(mistakes);
  const log = createLog({
    name: 'ns4',
    verbosity: options.verbose,
    // The document on standard output must be read by programs.
    ...(options.json ? { destination: process.stderr } : {}),
  });
  if (options.check !== true)
    warnOfConnections([...connectionsOf('ns4', settings), loginConnection(credentials)], log);
  return { settings: { ...settings, ceph }, log, openstack, credentials, plan };
}
