// Reads fencing.yaml: every mistake at once, each with file, line, place in the YAML, what was found and what was
// expected. The value of an option is never part of a message: it may be a BMC's password.
import { z } from 'zod';
import { quote } from '../../shared/config/keys/quote.ts';
import { readText } from '../../shared/config/read-text.ts';
import { parseYaml } from '../../shared/config/yaml-file.ts';
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
import { type FencingPlan, isSecretOption, type Level } from './plan.ts';
import { findProgram } from './programs.ts';

/** The entry that stands for every host not named. */
const everyOther = '*';
const mostLevels = 8;

const listed = {
  error({ input }: { readonly input?: unknown }): string {
    const what = `a list of 1 to ${mostLevels} levels ("- agent: …")`;
    return Array.isArray(input) ? `found ${input.length} of them, expected ${what}` : found(input, what);
  },
};

const optionName = z
  .string()
  .regex(/^[\w-]+$/, 'found this key, expected a name of letters, digits, "_" and "-"')
  .refine((name) => name !== 'action' && name !== 'option', 'is not to be set: Sonny does that');
const optionText = z
  .string(expected('one text'))
  .regex(/^\P{Cc}*$/u, 'found a line break or control character, which agents cannot be told');
const options = mappingBy(optionName, optionText);
/** Options by agent, as they stand below "defaults" and below a host. */
const agentOptions = mappingBy(z.string(), options).default({});

/** The whole file. `path`: where agents are looked for, as $PATH has it. */
function fileSchema(path: string) {
  const agentName = expected('the name of a fence agent or a path');
  const agent = z
    .string(agentName)
    .min(1, agentName)
    .transform((name, context) => {
      const program = findProgram(name, path);
      if ('file' in program) return { name, program: program.file };
      context.addIssue(`found ${quote(name)}, expected ${program.problem}`);
      return z.NEVER;
    });
  const levels = z
    .array(mappingOf({ agent, options: options.default({}) }), listed)
    .min(1, listed)
    .max(mostLevels, listed);
  const entry = mappingOf({ options: agentOptions, levels: levels.optional() });
  const host = z.preprocess((value) => (isNothing(value) ? {} : value), entry);
  return mappingOf({
    defaults: entry.prefault({}),
    hosts: mappingBy(z.string(), host, 'the hypervisors below it'),
  });
}

type FencingFile = z.infer<ReturnType<typeof fileSchema>>;
type HostEntry = FencingFile['defaults'];

/** Reads the plan; throws UsageError with every mistake. `path`: where agents are looked for, as $PATH has it. */
export function readFencingFile(file: string, path: string): FencingPlan {
  const read = readText(file);
  if ('problem' in read)
    throw new UsageError([`${file}: ${read.problem}, expected the one that [FENCING] hosts names`]);
  const yaml = parseYaml(read.text, file);
  if ('mistakes' in yaml) throw new UsageError(yaml.mistakes);
  if (!isMapping(yaml.value))
    throw new UsageError([`${file}: found no keys, expected "hosts:" and below it the hypervisors`]);
  const { data, error } = fileSchema(path).safeParse(yaml.value);
  const issues = [...(error?.issues ?? []), ...unfit(yaml.value)];
  const plan = data === undefined ? null : planOf(file, data);
  const mistakes = [
    ...sentencesOf(mistakesOf(yaml, issues)),
    ...modeMistakes(file, read.mode, plan !== null && plan.secrets.length > 0),
  ];
  if (plan === null || mistakes.length > 0) throw new UsageError(mistakes);
  return plan;
}

/** Who may write it decides what programs run as this user; who may read it has the BMCs. */
function modeMistakes(file: string, mode: number, holdsSecrets: boolean): string[] {
  const found = `${file}: found mode ${mode.toString(8).padStart(4, '0')}`;
  if ((mode & 0o022) !== 0) return [`${found}, others than its owner may write it; expected 0600`];
  return holdsSecrets && (mode & 0o044) !== 0
    ? [`${found}, others than its owner may read its passwords; expected 0600`]
    : [];
}

/** Hosts without levels and options of agents that no level runs, in a file that may have any other mistake. */
function unfit(file: Mapping): Issue[] {
  const below = (value: unknown, key: string): unknown => (isMapping(value) ? value[key] : undefined);
  const agentsOf = (levels: unknown): string[] =>
    (Array.isArray(levels) ? levels : []).flatMap((level) => {
      const agent = below(level, 'agent');
      return typeof agent === 'string' && agent !== '' ? [agent] : [];
    });
  const issues: Issue[] = [];
  // Options for an agent that nobody runs are a misspelt name, and a level without its password.
  const judge = (entry: unknown, path: readonly string[], agents: readonly string[]): void => {
    const found = below(entry, 'options');
    const names = agents.join(', ') || 'none';
    for (const agent of isMapping(found) ? Object.keys(found) : [])
      if (!agents.includes(agent))
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
  const levelsOf = (entry: HostEntry, host: string): Level[] =>
    (entry.levels ?? defaults.levels ?? []).map(({ agent, options }, i) => ({
      number: i + 1,
      agent: agent.name,
      program: agent.program,
      // A host's own options count over the level's, and those over the defaults.
      options: filled(host, { ...defaults.options[agent.name], ...options, ...entry.options[agent.name] }),
    }));
  const { [everyOther]: others, ...named } = hosts;
  const plan = new Map(Object.entries(named).map(([host, entry]) => [host, levelsOf(entry, host)]));
  const levels = [...plan.values(), others ? levelsOf(others, everyOther) : []].flat();
  return {
    file,
    hosts: plan,
    others: others ? (host) => levelsOf(others, host) : null,
    secrets: [...new Set(levels.flatMap(secretsOf))],
  };
}

/** "{host}" becomes the host's name, but within secrets. */
function filled(host: string, options: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(options).map(([key, value]) => [
    key,
    isSecretOption(key) ? value : value.replaceAll('{host}', host),
  ]);
  return Object.fromEntries(entries);
}

const secretsOf = ({ options }: Level): string[] =>
  Object.entries(options).flatMap(([key, value]) => (isSecretOption(key) && value !== '' ? [value] : []));
