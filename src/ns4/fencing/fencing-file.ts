// Reads fencing.yaml: every mistake at once, each with file, line, place in the YAML, what was found and what was
// expected. The value of an option is never part of a message: it may be a BMC's password.

import { quote } from '../../shared/config/quote.ts';
import { readText } from '../../shared/config/read-text.ts';
import { type MapNode, parseTree, type TreeNode } from '../../shared/config/yaml-tree.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import { type FencingPlan, isSecretOption, type Level } from './plan.ts';
import { findProgram } from './programs.ts';

/** The entry that stands for every host not named. */
const everyOther = '*';
const mostLevels = 8;

type Options = Record<string, string>;
/** Options by agent, as they stand below "defaults" and below a host, with where. */
type AgentOptions = ReadonlyMap<string, { readonly node: TreeNode; readonly options: Options }>;
interface LevelDraft {
  readonly agent: string;
  readonly program: string;
  readonly options: Options;
}

/** Reads the plan; throws UsageError with every mistake. `path`: where agents are looked for, as $PATH has it. */
export function readFencingFile(file: string, path: string): FencingPlan {
  const read = readText(file);
  if ('problem' in read)
    throw new UsageError([`${file}: ${read.problem}, expected the one that [FENCING] hosts names`]);
  const tree = parseTree(read.text, file);
  if (tree !== null && 'mistakes' in tree) throw new UsageError(tree.mistakes);
  if (tree?.kind !== 'map')
    throw new UsageError([`${file}: found no keys, expected "hosts:" and below it the hypervisors`]);
  const reader = new FencingReader(file, path);
  const plan = reader.plan(tree);
  reader.judgeMode(read.mode, plan.secrets.length > 0);
  if (reader.mistakes.length > 0) throw new UsageError(reader.mistakes);
  return plan;
}

class FencingReader {
  readonly mistakes: string[] = [];
  readonly #file: string;
  readonly #path: string;
  readonly #used = new Set<string>();

  constructor(file: string, path: string) {
    this.#file = file;
    this.#path = path;
  }

  plan(tree: MapNode): FencingPlan {
    this.#known(tree, '', ['defaults', 'hosts']);
    const defaults = this.#map(tree.entries.get('defaults'), 'defaults');
    if (defaults) this.#known(defaults, 'defaults', ['options', 'levels']);
    const common = this.#agentOptions(defaults?.entries.get('options'), 'defaults.options');
    const shared = defaults?.entries.get('levels');
    const sharedLevels = shared === undefined ? null : this.#levels(shared, 'defaults.levels');

    const hosts = new Map<string, Level[]>();
    let others: FencingPlan['others'] = null;
    const listed = tree.entries.get('hosts');
    if (listed === undefined) this.#say(tree, 'hosts', 'missing, expected the hypervisors below it');
    for (const [host, node] of this.#map(listed, 'hosts')?.entries ?? []) {
      const place = `hosts.${host}`;
      const entry = isNothing(node) ? null : this.#map(node, place);
      if (entry) this.#known(entry, place, ['options', 'levels']);
      const own = entry?.entries.get('levels');
      const levels = own === undefined ? sharedLevels : this.#levels(own, `${place}.levels`);
      const options = this.#agentOptions(entry?.entries.get('options'), `${place}.options`);
      if (levels === null) {
        this.#say(node, place, 'has no levels, expected "levels" here or below "defaults"');
        continue;
      }
      this.#unused(options, `${place}.options`, new Set(levels.map((level) => level.agent)));
      const make = (name: string) => levels.map((level, i) => merged(i + 1, name, common, level, options));
      if (host === everyOther) others = make;
      else hosts.set(host, make(host));
    }
    this.#unused(common, 'defaults.options', this.#used);
    const drafts = [...hosts.values(), others?.(everyOther) ?? []].flat();
    return { file: this.#file, hosts, others, secrets: [...new Set(drafts.flatMap(secretsOf))] };
  }

  /** Who may write it decides what programs run as this user; who may read it has the BMCs. */
  judgeMode(mode: number, holdsSecrets: boolean): void {
    const found = `found mode ${mode.toString(8).padStart(4, '0')}`;
    if ((mode & 0o022) !== 0)
      this.mistakes.push(`${this.#file}: ${found}, others than its owner may write it; expected 0600`);
    else if (holdsSecrets && (mode & 0o044) !== 0)
      this.mistakes.push(
        `${this.#file}: ${found}, others than its owner may read its passwords; expected 0600`,
      );
  }

  #levels(node: TreeNode, place: string): LevelDraft[] {
    if (node.kind !== 'list' || node.items.length === 0 || node.items.length > mostLevels) {
      const what = node.kind === 'list' ? `found ${node.items.length} of them` : `found ${shown(node)}`;
      this.#say(node, place, `${what}, expected a list of 1 to ${mostLevels} levels ("- agent: …")`);
      return [];
    }
    return node.items.flatMap((item, i) => {
      const at = `${place}[${i}]`;
      const level = this.#map(item, at);
      if (level === null) return [];
      this.#known(level, at, ['agent', 'options']);
      const agent = level.entries.get('agent');
      const options = this.#options(level.entries.get('options'), `${at}.options`);
      if (agent?.kind !== 'text' || agent.text === '') {
        const found = agent === undefined ? 'missing' : `found ${shown(agent)}`;
        this.#say(agent ?? item, `${at}.agent`, `${found}, expected the name of a fence agent or a path`);
        return [];
      }
      this.#used.add(agent.text);
      const program = findProgram(agent.text, this.#path);
      if ('problem' in program)
        this.#say(agent, `${at}.agent`, `found ${quote(agent.text)}, expected ${program.problem}`);
      return [{ agent: agent.text, program: 'problem' in program ? '' : program.file, options }];
    });
  }

  #agentOptions(node: TreeNode | undefined, place: string): AgentOptions {
    const map = node === undefined ? null : this.#map(node, place);
    return new Map(
      [...(map?.entries ?? [])].map(([agent, options]) => [
        agent,
        { node: options, options: this.#options(options, `${place}.${agent}`) },
      ]),
    );
  }

  #options(node: TreeNode | undefined, place: string): Options {
    const map = node === undefined ? null : this.#map(node, place);
    const options: Options = {};
    for (const [key, value] of map?.entries ?? []) {
      const at = `${place}.${key}`;
      if (key === 'action' || key === 'option') this.#say(value, at, 'is not to be set: Sonny does that');
      else if (!/^[\w-]+$/.test(key)) this.#say(value, place, `found the key ${quote(key)}, expected a name`);
      else if (value.kind !== 'text') this.#say(value, at, `found ${shown(value)}, expected one text`);
      else if (/\p{Cc}/u.test(value.text))
        this.#say(value, at, 'found a line break or control character, which agents cannot be told');
      else options[key] = value.text;
    }
    return options;
  }

  /** Options for an agent that nobody runs are a misspelt name, and a level without its password. */
  #unused(options: AgentOptions, place: string, agents: ReadonlySet<string>): void {
    const names = [...agents].join(', ') || 'none';
    for (const [agent, { node }] of options)
      if (!agents.has(agent))
        this.#say(node, `${place}.${agent}`, `no level runs this agent, expected one of ${names}`);
  }

  #map(node: TreeNode | undefined, place: string): MapNode | null {
    if (node === undefined || node.kind === 'map') return node ?? null;
    this.#say(node, place, `found ${shown(node)}, expected keys below it`);
    return null;
  }

  #known(map: MapNode, place: string, keys: readonly string[]): void {
    for (const [key, node] of map.entries)
      if (!keys.includes(key))
        this.#say(node, place === '' ? key : `${place}.${key}`, `unknown key, expected ${keys.join(' or ')}`);
  }

  #say(node: TreeNode, place: string, what: string): void {
    const text = `${this.#file}:${node.line}: ${place}: ${what}`;
    if (!this.mistakes.includes(text)) this.mistakes.push(text);
  }
}

/** A host's own options count over the level's, and those over the defaults. "{host}" becomes the host's name. */
function merged(
  number: number,
  host: string,
  common: AgentOptions,
  { agent, program, options }: LevelDraft,
  own: AgentOptions,
): Level {
  const all = { ...common.get(agent)?.options, ...options, ...own.get(agent)?.options };
  const filled = Object.entries(all).map(([key, value]) => [
    key,
    isSecretOption(key) ? value : value.replaceAll('{host}', host),
  ]);
  return { number, agent, program, options: Object.fromEntries(filled) };
}

const secretsOf = ({ options }: Level): string[] =>
  Object.entries(options).flatMap(([key, value]) => (isSecretOption(key) && value !== '' ? [value] : []));

const isNothing = (node: TreeNode): boolean => node.kind === 'text' && ['', '~', 'null'].includes(node.text);

/** The kind of a node that should have been something else; its text could be a secret in the wrong place. */
function shown(node: TreeNode): string {
  if (node.kind === 'text') return isNothing(node) ? 'nothing' : 'a text';
  return node.kind === 'map' ? 'keys' : 'a list';
}
