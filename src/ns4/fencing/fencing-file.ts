// Reads fencing.yaml: every mistake at once, each with file, line, place in the YAML, what was found and what was
// expected. The value of an option is never part of a message: it may be a BMC's password.
import { z } from 'zod';
import { readGuarded } from '../../shared/config/guarded-file.ts';
import { quote } from '../../shared/config/keys/quote.ts';
import { type Path, parseYaml, type YamlFile } from '../../shared/config/yaml-file.ts';
import {
  expected,
  found,
  type Issue,
  isMapping,
  isNothing,
  type Mapping,
  mappingBy,
  mappingOf,
  mistakesOf,
  sentencesOf,
} from '../../shared/config/yaml-issues.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import { type Secrets, shortestSecret, tooShort } from '../../shared/masks/secrets.ts';
import { hostName } from '../cloud/outside.ts';
import { builtInTwice, doubles, listeners, type PlacedDevice, shared, unfitOption } from './device-rules.ts';
import { secretsOf } from './option-secrets.ts';
import { builtIn, type FencingPlan, isSecretOption, type Level } from './plan.ts';
import { findProgram } from './programs.ts';

/** The entry that stands for every host not named. */
const everyOther = '*';
const mostLevels = 8;
const mostDevices = 8;
const noOptions = `the level ${builtIn} takes no options: [CEPH] and what was learned of the host say it all`;

const listed = (most: number, ofWhat: string) => ({
  error({ input }: { readonly input?: unknown }): string {
    const what = `a list of 1 to ${most} ${ofWhat} ("- agent: …")`;
    return Array.isArray(input) ? `found ${input.length} of them, expected ${what}` : found(input, what);
  },
});

const optionName = z
  .string()
  .regex(/^[\w-]+$/, 'found this key, expected a name of letters, digits, "_" and "-"')
  .refine((name) => unfitOption(name) === null, { error: ({ input }) => unfitOption(String(input)) ?? '' });
/** What agents read is what is written here: they strip blanks and a pair of double quotes, and split at line breaks. */
const optionText = z
  .string(expected('one text'))
  .regex(/^\P{Cc}*$/u, 'found a line break or control character, which agents cannot be told')
  .regex(/^(?!\s)(?:.*\S)?$/su, 'found blanks at its begin or end, which agents strip')
  .regex(/^(?!".*"$)/su, 'found double quotes around it, which agents strip; expected it without');
const hostKey = z
  .string()
  .regex(
    /^(?!\s)\P{Cc}*(?<!\s)$/u,
    'found this key, expected a name without line breaks, control characters and blanks around it',
  );
const options = mappingBy(optionName, optionText);
/** Options by agent, as they stand below "defaults" and below a host. */
const agentOptions = mappingBy(z.string(), options).default({});

/** What else ns4 is set up with. */
interface Surroundings {
  /** Where agents are looked for, as $PATH has it. */
  readonly path: string;
  /** Is [CEPH] set? Without it nobody can be cut off from there. */
  readonly hasCeph: boolean;
}

/** The whole file. */
function fileSchema({ path, hasCeph }: Surroundings) {
  const agentName = expected('the name of a fence agent or a path');
  const agent = z
    .string(agentName)
    .min(1, agentName)
    .transform((name, context) => {
      if (name === builtIn && hasCeph) return { name, program: '' };
      if (name === builtIn) {
        context.addIssue(`found ${builtIn}, expected [CEPH] in config.ini: this level asks Ceph by it`);
        return z.NEVER;
      }
      const program = findProgram(name, path);
      if ('file' in program) return { name, program: program.file };
      context.addIssue(`found ${quote(name)}, expected ${program.problem}`);
      return z.NEVER;
    });
  const device = mappingOf({ agent, options: options.default({}) });
  const listOf = <T extends z.ZodType>(item: T, most: number, ofWhat: string) =>
    z.array(item, listed(most, ofWhat)).min(1, listed(most, ofWhat)).max(most, listed(most, ofWhat));
  const devices = listOf(device, mostDevices, 'devices');
  const level = mappingOf({
    agent: agent.optional(),
    options: options.optional(),
    devices: devices.optional(),
  })
    .superRefine((found, context) => {
      const complain = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      const { agent: _, options: own, devices: several } = found;
      if (several === undefined && found.agent === undefined)
        complain('agent', 'missing, expected the name of a fence agent or a path, or "devices" instead');
      if (several !== undefined && (found.agent !== undefined || own !== undefined))
        complain(
          'devices',
          'found beside agent or options, expected each device with its own below "devices"',
        );
      if (found.agent?.name === builtIn && Object.keys(own ?? {}).length > 0) complain('options', noOptions);
      if (several?.some((device) => device.agent.name === builtIn))
        complain(
          'devices',
          `found ${builtIn} among them, expected it in a level of its own: a host is cut off from Ceph before every evacuation anyhow`,
        );
    })
    .transform(
      ({ agent, options = {}, devices }) => devices ?? (agent === undefined ? [] : [{ agent, options }]),
    );
  const levels = listOf(level, mostLevels, 'levels');
  const entry = mappingOf({ options: agentOptions, levels: levels.optional() });
  const host = z.preprocess((value) => (isNothing(value) ? {} : value), entry);
  return mappingOf({
    defaults: entry.prefault({}),
    hosts: mappingBy(hostKey, host, 'the hypervisors below it'),
  });
}

type FencingFile = z.infer<ReturnType<typeof fileSchema>>;
type HostEntry = FencingFile['defaults'];
type FileDevice = NonNullable<HostEntry['levels']>[number][number];

/** Who learns what outputs must not show, and what an operator should know. */
interface Learners {
  readonly secrets?: Pick<Secrets, 'learn'>;
  readonly told?: (warnings: readonly string[]) => void;
}

/** Reads the plan; throws UsageError with every mistake. */
export function readFencingFile(
  file: string,
  surroundings: Surroundings,
  learners: Learners = {},
): FencingPlan {
  const read = readGuarded(file, { secret: 'none' });
  if ('problem' in read)
    throw new UsageError([
      `${file}: ${read.problem}${read.missing ? ', expected the one that [FENCING] hosts names' : ''}`,
    ]);
  const yaml = parseYaml(read.text, file);
  if ('mistakes' in yaml) throw new UsageError(yaml.mistakes);
  if (!isMapping(yaml.value))
    throw new UsageError([`${file}: found no keys, expected "hosts:" and below it the hypervisors`]);
  const { data, error } = fileSchema(surroundings).safeParse(yaml.value);
  const issues = [...(error?.issues ?? []), ...unfit(yaml.value)];
  const plan = data === undefined ? null : planOf(file, data);
  learners.secrets?.learn(plan?.secrets ?? []);
  if (data !== undefined && plan !== null) issues.push(...wrongDevices(data, plan, yaml));
  const mistakes = [
    ...sentencesOf(mistakesOf(yaml, issues)),
    ...(read.exposed !== null && plan !== null && plan.secrets.length > 0
      ? [`${file}: ${read.exposed}`]
      : []),
  ];
  if (plan === null || mistakes.length > 0) throw new UsageError(mistakes);
  if (plan.secrets.some(({ length }) => length < shortestSecret))
    learners.told?.([`${file}: a password or key: ${tooShort}`]);
  return plan;
}

/** Hosts without levels and options of agents that no level runs, in a file that may have any other mistake. */
function unfit(file: Mapping): Issue[] {
  const below = (value: unknown, key: string): unknown => (isMapping(value) ? value[key] : undefined);
  const agentsOf = (levels: unknown): string[] =>
    (Array.isArray(levels) ? levels : []).flatMap((level) => {
      const agent = below(level, 'agent');
      return [
        ...(typeof agent === 'string' && agent !== '' ? [agent] : []),
        ...agentsOf(below(level, 'devices')),
      ];
    });
  const issues: Issue[] = [];
  // Options for an agent that nobody runs are a misspelt name, and a level without its password.
  const judge = (entry: unknown, path: readonly string[], agents: readonly string[]): void => {
    const found = below(entry, 'options');
    const names = agents.join(', ') || 'none';
    for (const agent of isMapping(found) ? Object.keys(found) : [])
      if (agent === builtIn) issues.push({ path: [...path, 'options', agent], message: noOptions });
      else if (!agents.includes(agent))
        issues.push({
          path: [...path, 'options', agent],
          message: `no level runs this agent, expected one of ${names}`,
        });
  };
  const shared = below(file.defaults, 'levels');
  const used = agentsOf(shared);
  for (const [host, entry] of isMapping(file.hosts) ? Object.entries(file.hosts) : []) {
    const levels = below(entry, 'levels') ?? shared;
    const path = ['hosts', host];
    if (levels === undefined)
      issues.push({ path, message: 'has no levels, expected "levels" here or below "defaults"' });
    else judge(entry, path, [...new Set(agentsOf(levels))]);
    used.push(...agentsOf(levels));
  }
  judge(file.defaults, ['defaults'], [...new Set(used)]);
  return issues;
}

function planOf(file: string, { defaults, hosts }: FencingFile): FencingPlan {
  // A host's own options count over the level's, and those over the defaults.
  const merged = (entry: HostEntry, { agent, options }: FileDevice) => ({
    ...defaults.options[agent.name],
    ...options,
    ...entry.options[agent.name],
  });
  const levelsOf = (entry: HostEntry, host: string): Level[] =>
    (entry.levels ?? defaults.levels ?? []).map((devices, i): Level => {
      const number = i + 1;
      if (devices.some(({ agent }) => agent.name === builtIn)) return { number, kind: 'ceph', devices: [] };
      const told = devices.map((device) => ({
        agent: device.agent.name,
        program: device.agent.program,
        options: filled(host, merged(entry, device)),
      }));
      return { number, devices: told };
    });
  const { [everyOther]: others, ...named } = hosts;
  const plan = new Map(Object.entries(named).map(([host, entry]) => [host, levelsOf(entry, host)]));
  const secrets = Object.entries(hosts).flatMap(([host, entry]) =>
    (entry.levels ?? defaults.levels ?? [])
      .flat()
      .flatMap((device) => secretsOf(merged(entry, device), host)),
  );
  return {
    file,
    hosts: plan,
    // Hosts name themselves: one whose name could be more than a name has no level that could be asked.
    others: others
      ? (host) => (hostName.safeParse(host).success || host === everyOther ? levelsOf(others, host) : [])
      : null,
    secrets: [...new Set(secrets)],
  };
}

/** What is wrong with devices that are well-formed, each by itself. */
function wrongDevices(file: FencingFile, plan: FencingPlan, yaml: YamlFile): Issue[] {
  /** Where the levels of a host stand: with itself, or with the defaults, and then the host is to blame. */
  const placeOf = (host: string, level: number, device: number): Path => {
    const own = file.hosts[host]?.levels;
    if (own === undefined) return ['hosts', host];
    const path = ['hosts', host, 'levels', level];
    const listed = [...path, 'devices', device];
    return yaml.lineOf(listed).whole ? listed : path;
  };
  const placed = [...plan.hosts].flatMap(([host, levels]) =>
    levels.flatMap(({ number, devices }, level) =>
      devices.map(
        (device, i): PlacedDevice => ({ host, level: number, device, path: placeOf(host, level, i) }),
      ),
    ),
  );
  const misplaced = (levels: readonly Level[], places: readonly Path[]) => [
    ...listeners(levels, places),
    ...builtInTwice(levels, places),
  ];
  const ofHosts = [...plan.hosts].flatMap(([host, levels]) =>
    misplaced(
      levels,
      levels.map((_, i) => placeOf(host, i, 0)),
    ),
  );
  const { others } = plan;
  const everybody = others === null ? [] : shared(others('a'), others('b'), ['hosts', everyOther]);
  const anybody = others?.('a') ?? [];
  const ofOthers = misplaced(
    anybody,
    anybody.map(() => ['hosts', everyOther]),
  );
  return [...doubles(placed, (path) => yaml.lineOf(path).line), ...ofHosts, ...everybody, ...ofOthers];
}

/** "{host}" becomes the host's name, but within secrets. */
function filled(host: string, options: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(options).map(([key, value]) => [
    key,
    isSecretOption(key) ? value : value.replaceAll('{host}', host),
  ]);
  return Object.fromEntries(entries);
}
