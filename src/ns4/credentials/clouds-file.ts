// Finds and reads clouds.yaml and secure.yaml where every OpenStack client looks for them, and hands out one cloud's
// part of both. What its keys mean is not its business.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileProblem, readText } from '../../shared/config/read-text.ts';
import { type MapNode, overlay, parseTree } from '../../shared/config/yaml-tree.ts';
import { UsageError } from '../../shared/ground/errors.ts';

/** Where to look: the environment, the working directory and the home directory of the process. */
export interface CloudLookup {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
}

const suffixes = ['.yaml', '.yml', '.json'] as const;

function directories({ env, cwd, home }: CloudLookup): string[] {
  const places = [cwd, join(home, '.config', 'openstack'), '/etc/openstack'];
  if (env.XDG_CONFIG_HOME) places.splice(1, 0, join(env.XDG_CONFIG_HOME, 'openstack'));
  return [...new Set(places)];
}

/**
 * The part of clouds.yaml for one cloud, secure.yaml's laid over it.
 * Throws UsageError: no such file, no such cloud, or YAML that cannot be read, in either file.
 */
export function readCloudNode(cloud: string, lookup: CloudLookup): { file: string; node: MapNode } {
  const file = findFile('clouds', 'OS_CLIENT_CONFIG_FILE', lookup);
  if (file === null)
    throw new UsageError([
      `cloud "${cloud}": no clouds.yaml (or .yml, .json) in ${directories(lookup).join(', ')}, expected one there or OS_CLIENT_CONFIG_FILE naming it`,
    ]);
  const secureFile = findFile('secure', 'OS_CLIENT_SECURE_FILE', lookup);
  const mistakes: string[] = [];
  const clouds = readClouds(file, mistakes);
  const secure = secureFile === null ? null : readClouds(secureFile, mistakes);
  if (clouds === null || mistakes.length > 0) throw new UsageError(mistakes);
  const all = secure === null ? clouds : overlay(clouds, secure);
  const node = all.entries.get(cloud);
  if (node === undefined) {
    const names = [...all.entries.keys()];
    throw new UsageError([
      `${file}: cloud "${cloud}": not there, expected ${names.length > 0 ? `one of ${names.join(', ')}` : 'it below "clouds:", which has none'}`,
    ]);
  }
  if (node.kind !== 'map')
    throw new UsageError([
      `${node.file}:${node.line}: cloud "${cloud}": found no keys, expected auth and more below it`,
    ]);
  return { file, node };
}

/**
 * Other clients pass over a file that the environment names and that is not there, and use the next one they find.
 * With the right to move instances of the wrong cloud at stake, that is a mistake here.
 */
function findFile(stem: string, variable: string, lookup: CloudLookup): string | null {
  const named = lookup.env[variable];
  if (named) {
    const path = resolve(lookup.cwd, named);
    if (!exists(path))
      throw new UsageError([
        `${path}: no such file, expected the one that the environment's ${variable} names`,
      ]);
    return path;
  }
  for (const directory of directories(lookup))
    for (const suffix of suffixes) {
      const path = join(directory, stem + suffix);
      if (exists(path)) return path;
    }
  return null;
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // A directory we may not enter could hold the file that counts: say so instead of taking the next one.
    throw new UsageError([`${path}: ${fileProblem(error)}`]);
  }
}

function readClouds(file: string, mistakes: string[]): MapNode | null {
  const read = readText(file);
  if ('problem' in read) {
    mistakes.push(`${file}: ${read.problem}`);
    return null;
  }
  const tree = parseTree(read.text, file);
  if (tree !== null && 'mistakes' in tree) {
    mistakes.push(...tree.mistakes);
    return null;
  }
  const clouds = tree?.kind === 'map' ? tree.entries.get('clouds') : undefined;
  if (clouds?.kind === 'map') return clouds;
  mistakes.push(`${file}: found no clouds, expected "clouds:" and below it a mapping with their names`);
  return null;
}
