// The simulation, with the real core and evacuation in it, as one file of JavaScript: what tsx adds to every function
// would double the time. A mutation takes a guard out of the source text on the way, and nothing else.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

/** One change of a source file's text, its path from src on; the text it replaces must stand there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = join(import.meta.dirname, '../../..');

/** What starts programs, and what does it in virtual time: from the root on. */
const inPlaceOf: Readonly<Record<string, string>> = {
  'src/ns4/fencing/agent.ts': 'test/simulation/processes/pretend-agent.ts',
};

export interface Bundle {
  readonly path: string;
  remove(): void;
}

/** The worker with these edits made; rejects when one of them does not fit the source any more. */
export async function bundleWorker(edits: readonly Edit[]): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'sonny-simulation-'));
  const outfile = join(folder, 'worker.mjs');
  const edited = new Set<Edit>();
  await build({
    ...{ entryPoints: [join(import.meta.dirname, 'worker.ts')], outfile, bundle: true, logLevel: 'warning' },
    ...{ platform: 'node', format: 'esm', target: 'node20' },
    plugins: [
      {
        name: 'edits',
        setup: (builder) =>
          builder.onLoad({ filter: /\/(src|simulator|test\/simulation)\/.*\.ts$/ }, ({ path }) => {
            const own = edits.filter(({ file }) => relative(join(root, 'src'), path) === file);
            for (const edit of own) edited.add(edit);
            const other = inPlaceOf[relative(root, path)];
            if (other !== undefined)
              return { contents: `export * from ${JSON.stringify(join(root, other))};`, loader: 'ts' };
            return { contents: own.reduce(apply, readFileSync(path, 'utf8')), loader: 'ts' };
          }),
      },
    ],
  });
  const missed = edits.find((edit) => !edited.has(edit));
  if (missed !== undefined) throw new Error(`src/${missed.file} is no part of the simulation`);
  return { path: outfile, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function apply(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`src/${file} has ${parts.length - 1} times, not once:\n${find}`);
  return parts.join(replace);
}
