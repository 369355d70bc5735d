// Finds and reads clouds.yaml and secure.yaml where every OpenStack client looks for them, and hands out one cloud's
// part of both. What its keys mean is not its business.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readGuarded } from '../../shared/config/guarded-file.ts';
import { fileProblem } from '../../shared/config/read-text.ts';
import { type Path, parseYaml, type YamlFile } from '../../shared/config/yaml-file.ts';
import { isMapping, type Mapping } from '../../shared/config/yaml-issues.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import { isNamedSecret, type Secrets, shortestSecret, tooShort } from '../../shared/masks/secrets.ts';

/**
 * Where to look: the environment, the working directory and the home directory of the process; and who learns of the
 * files what outputs must not show, and what an operator should know.
 */
export interface CloudLookup {
  readonly secrets?: Pick<Secrets, 'learn' | 'learnUrls'>;
  readonly told?: (warnings: readonly string[]) => void;
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

/** The part of clouds.yaml for one cloud, secure.yaml's laid over it. */
export interface CloudPart {
  readonly cloud: string;
  /** The clouds.yaml. */
  readonly file: string;
  readonly value: Mapping;
  /** Where the value at a path below the cloud is written: in secure.yaml if it is there. */
  readonly placeOf: (path: Path) => { readonly file: string; readonly line: number };
}

/** Throws UsageError: no such file, no such cloud, or YAML that cannot be read, in either file. */
export function readCloud(cloud: string, lookup: CloudLookup): CloudPart {
  const file = findFile('clouds', 'OS_CLIENT_CONFIG_FILE', lookup);
  if (file === null)
    throw new UsageError([
      `cloud "${cloud}": no clouds.yaml (or .yml, .json) in ${directories(lookup).join(', ')}, expected one there or OS_CLIENT_CONFIG_FILE naming it`,
    ]);
  const secureFile = findFile('secure', 'OS_CLIENT_SECURE_FILE', lookup);
  const mistakes: string[] = [];
  const read = [file, secureFile].flatMap((one) =>
    one === null ? [] : (readClouds(one, lookup, mistakes) ?? []),
  );
  if (mistakes.length > 0) throw new UsageError(mistakes);
  const all = read.map(({ clouds }) => clouds).reduce(overlay);
  const value = Object.hasOwn(all, cloud) ? all[cloud] : undefined;
  const placeOf: CloudPart['placeOf'] = (path) => {
    const places = read.map(({ yaml }) => ({ file: yaml.file, ...yaml.lineOf(['clouds', cloud, ...path]) }));
    return places.findLast(({ whole }) => whole) ?? placeOf(path.slice(0, -1));
  };
  if (isMapping(value)) return { cloud, file, value, placeOf };
  if (value !== undefined) {
    const place = placeOf([]);
    throw new UsageError([
      `${place.file}:${place.line}: cloud "${cloud}": found no keys, expected auth and more below it`,
    ]);
  }
  const names = Object.keys(all);
  throw new UsageError([
    `${file}: cloud "${cloud}": not there, expected ${names.length > 0 ? `one of ${names.join(', ')}` : 'it below "clouds:", which has none'}`,
  ]);
}

/** Lays one mapping over another, key by key; where both have a value, the upper one's counts. */
function overlay(lower: Mapping, upper: Mapping): Mapping {
  const laid = Object.entries(upper).map(([key, value]) => {
    const below = Object.hasOwn(lower, key) ? lower[key] : undefined;
    return [key, isMapping(below) && isMapping(value) ? overlay(below, value) : value] as const;
  });
  return Object.fromEntries([...Object.entries(lower), ...laid]);
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

function readClouds(
  file: string,
  { secrets, told }: CloudLookup,
  mistakes: string[],
): { yaml: YamlFile; clouds: Mapping } | null {
  const read = readGuarded(file, { secret: 'warn' });
  const yaml = 'problem' in read ? { mistakes: [`${file}: ${read.problem}`] } : parseYaml(read.text, file);
  if ('mistakes' in yaml) {
    mistakes.push(...yaml.mistakes);
    return null;
  }
  const clouds = isMapping(yaml.value) ? yaml.value.clouds : undefined;
  // Those of all clouds: they were read.
  const found = [...textsIn(yaml.value)];
  const own = found.filter(({ key }) => isNamedSecret(key));
  secrets?.learn(own.map(({ value }) => value));
  secrets?.learnUrls(found.map(({ value }) => value));
  const exposed = own.length > 0 && 'warnings' in read ? read.warnings : [];
  const short = own.filter(({ value }) => value !== '' && value.length < shortestSecret);
  told?.([
    ...exposed.map((warning) => `${file}: ${warning}`),
    ...short.map(({ key }) => `${file}: ${key}: ${tooShort}`),
  ]);
  if (isMapping(clouds)) return { yaml, clouds };
  mistakes.push(`${file}: found no clouds, expected "clouds:" and below it a mapping with their names`);
  return null;
}

/** Every text below a value, with the key it stands at. What aliases share is looked at once. */
function* textsIn(
  value: unknown,
  key = '',
  seen = new Set<unknown>(),
): Generator<{ key: string; value: string }> {
  if (typeof value === 'string') yield { key, value };
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  for (const [name, below] of Object.entries(value))
    yield* textsIn(below, Array.isArray(value) ? key : name, seen);
}
