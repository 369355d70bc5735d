// Measures the structure of a checkout's source and prints it as a small markdown table: sizes, rooms, arrows, circles,
// unused exports. It changes nothing and judges nothing; two runs side by side tell what a restructuring has done.
// Run with: npx tsx scripts/house-figures.ts [-v] [ROOT]    (-v: with every name; ROOT: this checkout if not given)
//
// Words: a room is a folder that holds TypeScript files itself, at any depth. An arrow is "a file of this room imports
// one of that room", types included, counted once for two rooms. Circles are sets of files (rooms) that reach one
// another. Floors: the longest way down along arrows, each circle taken as one room. Back arrows: those against the
// order of the rooms that has few of them. An unused export: no other file of src, simulator, test, bench or scripts
// imports it.
//
// The files are parsed by the TypeScript compiler, each by itself: nothing has to compile, and nothing to be installed
// in ROOT. TypeScript 7 calls the interface that is used here unstable; it is touched in `parse` alone.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

interface Func {
  readonly name: string;
  readonly lines: number;
}
interface File {
  /** From ROOT. */
  readonly path: string;
  readonly room: string;
  readonly lines: number;
  readonly functions: readonly Func[];
  readonly exports: readonly string[];
  /** Those that are types and vanish when compiled. */
  readonly types: ReadonlySet<string>;
  /** Imported files with the names taken from each; "*" for all of them. */
  readonly imports: readonly { readonly path: string; readonly names: readonly string[] }[];
}
type Graph = ReadonlyMap<string, ReadonlyMap<string, number>>;

const functionKinds = new Set<SyntaxKind>([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);
const typeKinds = new Set<SyntaxKind>([SyntaxKind.InterfaceDeclaration, SyntaxKind.TypeAliasDeclaration]);
const args = process.argv.slice(2);
const verbose = args.includes('-v');
const root = resolve(args.find((arg) => !arg.startsWith('-')) ?? join(import.meta.dirname, '..'));
const files = parse(sourcesBelow('src', 'simulator', 'test', 'bench', 'scripts'));
const isSimulator = (file: File) => /^(src\/)?simulator\//.test(file.path);
const house = files.filter((file) => file.path.startsWith('src/') || isSimulator(file));
const views = { 'with the simulator': house, 'without it': house.filter((file) => !isSimulator(file)) };
report();

function sourcesBelow(...folders: string[]): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .sort();
}

function parse(paths: readonly string[]): File[] {
  // A configuration that exists for the compiler only: neither libraries nor imports are followed.
  const config = join(root, 'house-figures.tsconfig.json');
  const text = JSON.stringify({
    compilerOptions: {
      noLib: true,
      noResolve: true,
      types: [],
      allowImportingTsExtensions: true,
      noEmit: true,
    },
    files: paths,
  });
  const fs = {
    readFile: (name: string) => (name === config ? text : undefined),
    fileExists: (name: string) => (name === config ? true : undefined),
  };
  const api = new API({ cwd: root, fs });
  const program = api.updateSnapshot({ openProjects: [config] }).getProjects()[0]?.program;
  const parsed = paths.map((path) => {
    const source = program?.getSourceFile(join(root, path));
    if (source === undefined) throw new Error(`${path} could not be parsed`);
    return measure(path, source);
  });
  api.close();
  return parsed;
}

function measure(path: string, source: SourceFile): File {
  const functions: Func[] = [];
  const imports: { path: string; names: string[] }[] = [];
  const exports: string[] = [];
  const types = new Set<string>();
  const take = (from: string, names: string[]) => {
    if (from.startsWith('.')) imports.push({ path: join(dirname(path), from), names });
  };
  const visit = (node: Node, name: string): void => {
    const own = nameOf(node) ?? name;
    if (functionKinds.has(node.kind) && 'body' in node && node.body !== undefined) {
      const lines = source.text.slice(node.getStart(source), node.end).split('\n').length;
      functions.push({ name: own, lines });
    }
    // import('./file.ts')
    const called = 'expression' in node ? (node.expression as Node | undefined) : undefined;
    if (node.kind === SyntaxKind.CallExpression && called?.kind === SyntaxKind.ImportKeyword) {
      take((node as unknown as { arguments: { text?: string }[] }).arguments[0]?.text ?? '', ['*']);
    }
    node.forEachChild((child) => visit(child, own));
  };
  for (const statement of source.statements) {
    const { from, names, all } = boundBy(statement);
    if (from !== null) take(from, all ? ['*'] : names.map(([there]) => there));
    if (/^export\b/.test(source.text.slice(statement.getStart(source)))) {
      const own =
        statement.kind === SyntaxKind.ExportDeclaration
          ? names.map(([, here]) => here)
          : declaredBy(statement);
      exports.push(...own);
      if (typeKinds.has(statement.kind) || ('isTypeOnly' in statement && statement.isTypeOnly === true))
        for (const name of own) types.add(name);
    }
    visit(statement, '(file)');
  }
  const lines = source.text.split('\n').length - (source.text.endsWith('\n') ? 1 : 0);
  return { path, room: dirname(path).replace(/^src\//, ''), lines, functions, exports, types, imports };
}

/** The parts that an import or an export of names has, as far as they are read here. */
interface Binding {
  readonly moduleSpecifier?: { readonly text: string };
  readonly importClause?: { readonly name?: Node; readonly namedBindings?: Names };
  readonly exportClause?: Names;
}
interface Names {
  readonly elements?: Iterable<{ readonly propertyName?: Named; readonly name: Named }>;
}
interface Named {
  readonly text: string;
}

/** What `import … from` and `export … from` bind: each name there and here, or all names. */
function boundBy(statement: Node): { from: string | null; names: [string, string][]; all: boolean } {
  const { moduleSpecifier, importClause, exportClause } = statement as unknown as Binding;
  const elements = (importClause?.namedBindings ?? exportClause)?.elements;
  return {
    from: moduleSpecifier?.text ?? null,
    names: [...(elements ?? [])].map(({ propertyName, name }) => [(propertyName ?? name).text, name.text]),
    // `import './x.ts'` takes none by name, but runs it; a default or namespace may be used for any.
    all: elements === undefined || importClause?.name !== undefined,
  };
}

function nameOf(node: Node): string | undefined {
  if (node.kind === SyntaxKind.Constructor) return 'constructor';
  const name = 'name' in node ? (node.name as { text?: string } | undefined) : undefined;
  return name?.text;
}

function declaredBy(statement: Node): string[] {
  const own = nameOf(statement);
  if (own !== undefined) return [own];
  const list = (statement as unknown as { declarationList?: { declarations: Node[] } }).declarationList;
  return (list?.declarations ?? []).map((declaration) => nameOf(declaration) ?? '?');
}

function report(): void {
  const columns = Object.values(views).map(figuresOf);
  print(`| | ${Object.keys(views).join(' | ')} |`);
  print(`| --- |${' --- |'.repeat(columns.length)}`);
  for (const row of Object.keys(columns[0] ?? {}))
    print(`| ${row} | ${columns.map((c) => c[row]).join(' | ')} |`);
  const all = graphOf(house, (file) => file.path);
  const rooms = graphOf(house, (file) => file.room);
  list(
    'Circles between rooms',
    circlesOf(rooms).map((circle) => circle.join(', ')),
  );
  list(
    'Circles between files',
    circlesOf(all).map((circle) => circle.join(', ')),
  );
  if (!verbose) return;
  list(
    'Functions over 70 lines',
    house.flatMap(({ path, functions }) =>
      functions.filter((f) => f.lines > 70).map((f) => `${path} ${f.name} (${f.lines})`),
    ),
  );
  list(
    'Back arrows (imports)',
    backArrows(rooms).flatMap(([from, to]) => [`${from} -> ${to}`, ...between(from, to)]),
  );
  list(
    'Arrows',
    [...rooms].map(([from, to]) => `${from} -> ${[...to.keys()].sort().join(', ') || 'nothing'}`),
  );
  list('Unused exports', unusedExports(house));
  list('Exports that only tests and tools import', exportsForTests(house));
}

function figuresOf(part: readonly File[]): Record<string, string> {
  const rooms = graphOf(part, (file) => file.room);
  const circles = { files: circlesOf(graphOf(part, (f) => f.path)), rooms: circlesOf(rooms) };
  const sizes = [...rooms.keys()].map((room) => ({
    room,
    files: part.filter((file) => file.room === room).length,
  }));
  const largest = sizes.toSorted((a, b) => b.files - a.files).slice(0, 6);
  const longest = part.toSorted((a, b) => b.lines - a.lines)[0];
  const functions = part.flatMap((file) => file.functions.map((f) => ({ ...f, path: file.path })));
  const slow = functions.toSorted((a, b) => b.lines - a.lines)[0];
  const idle = unusedExports(part);
  const unused = `${idle.length} (${idle.filter((one) => !one.endsWith('(type)')).length})`;
  const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
  return {
    files: `${part.length}`,
    lines: `${sum(part.map((file) => file.lines))}`,
    'lines per file, median': `${median(part.map((file) => file.lines))}`,
    'longest file': `${longest?.path} (${longest?.lines})`,
    functions: `${functions.length}`,
    'functions over 70 lines': `${functions.filter((f) => f.lines > 70).length}`,
    'longest function': `${slow?.name} in ${slow?.path} (${slow?.lines})`,
    rooms: `${sizes.length}`,
    'files per room, mean / median': `${(part.length / sizes.length).toFixed(1)} / ${median(sizes.map((s) => s.files))}`,
    'largest rooms': largest.map((s) => `${s.room} ${s.files}`).join(', '),
    'arrows between rooms': `${sum([...rooms.values()].map((to) => to.size))}`,
    floors: `${floorsOf(rooms)}`,
    'circles between files (files in them)': countOf(circles.files),
    'circles between rooms (rooms in them)': countOf(circles.rooms),
    'back arrows': `${backArrows(rooms).length}`,
    exports: `${sum(part.map((file) => file.exports.length))}`,
    'unused exports (of them values)': unused,
    'exports only for tests and tools': `${exportsForTests(part).length}`,
  };
}

/** Who imports whom, by file or by room, with the number of imports; within `part` only. */
function graphOf(part: readonly File[], nodeOf: (file: File) => string): Graph {
  const known = new Map(part.map((file) => [file.path, nodeOf(file)]));
  const graph = new Map(part.map((file) => [nodeOf(file), new Map<string, number>()]));
  for (const file of part)
    for (const { path } of file.imports) {
      const [from, to] = [nodeOf(file), known.get(path)];
      if (to === undefined || to === from) continue;
      const arrows = graph.get(from);
      arrows?.set(to, (arrows.get(to) ?? 0) + 1);
    }
  return graph;
}

function reachedFrom(start: string, graph: Graph): Set<string> {
  const reached = new Set<string>();
  const queue = [...(graph.get(start)?.keys() ?? [])];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    queue.push(...(graph.get(node)?.keys() ?? []));
  }
  return reached;
}

function circlesOf(graph: Graph): string[][] {
  const reach = new Map([...graph.keys()].map((node) => [node, reachedFrom(node, graph)]));
  const seen = new Set<string>();
  const circles: string[][] = [];
  for (const [node, reached] of reach) {
    if (seen.has(node) || !reached.has(node)) continue;
    const circle = [...reached].filter((other) => reach.get(other)?.has(node)).sort();
    for (const member of circle) seen.add(member);
    circles.push(circle);
  }
  return circles;
}

function floorsOf(graph: Graph): number {
  const circles = circlesOf(graph);
  const wholeOf = (node: string) => circles.find((circle) => circle.includes(node))?.join() ?? node;
  const down = new Map<string, Set<string>>();
  for (const [from, to] of graph) {
    const below = down.get(wholeOf(from)) ?? new Set();
    for (const node of to.keys()) if (wholeOf(node) !== wholeOf(from)) below.add(wholeOf(node));
    down.set(wholeOf(from), below);
  }
  const heights = new Map<string, number>();
  const height = (node: string): number => {
    const known = heights.get(node) ?? 1 + Math.max(0, ...[...(down.get(node) ?? [])].map(height));
    heights.set(node, known);
    return known;
  };
  return Math.max(0, ...[...down.keys()].map(height));
}

/** Within each circle the room with the most imports out of it over those into it stands first, and so on. */
function backArrows(graph: Graph): [string, string][] {
  return circlesOf(graph).flatMap((circle) => {
    const left = new Set(circle);
    const order: string[] = [];
    const within = (node: string, out: boolean) =>
      sum([...left].map((other) => (out ? graph.get(node)?.get(other) : graph.get(other)?.get(node)) ?? 0));
    while (left.size > 0) {
      const best = [...left].map((node) => ({ node, lead: within(node, true) - within(node, false) }));
      const first = best.toSorted((a, b) => b.lead - a.lead)[0]?.node ?? '';
      order.push(first);
      left.delete(first);
    }
    return order.flatMap((from, place) =>
      order
        .slice(0, place)
        .flatMap((to): [string, string][] => (graph.get(from)?.has(to) ? [[from, to]] : [])),
    );
  });
}

function between(from: string, to: string): string[] {
  const there = new Set(house.filter((file) => file.room === to).map((file) => file.path));
  return house
    .filter((file) => file.room === from)
    .flatMap((file) =>
      file.imports.filter((i) => there.has(i.path)).map((i) => `  ${file.path} -> ${i.path}`),
    );
}

function unimported(part: readonly File[], by: readonly File[]): string[] {
  const taken = new Set(
    by.flatMap((f) => f.imports.flatMap((i) => i.names.map((name) => `${i.path} ${name}`))),
  );
  return part.flatMap((file) =>
    file.exports
      .filter((name) => !taken.has(`${file.path} ${name}`) && !taken.has(`${file.path} *`))
      .map((name) => `${file.path} ${name}${file.types.has(name) ? ' (type)' : ''}`),
  );
}
function unusedExports(part: readonly File[]): string[] {
  return unimported(part, files);
}
/** The simulator counts as a tool for what it is not part of. */
function exportsForTests(part: readonly File[]): string[] {
  const unused = new Set(unusedExports(part));
  return unimported(part, part).filter((one) => !unused.has(one));
}

function countOf(circles: readonly string[][]): string {
  return `${circles.length} (${sum(circles.map((circle) => circle.length))})`;
}
function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
function list(title: string, lines: readonly string[]): void {
  print(`\n${title}:${lines.length === 0 ? ' none' : ''}`);
  for (const line of lines) print(`- ${line}`);
}
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
