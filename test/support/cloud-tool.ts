// The test bed's own tool, found through SONNY_CLOUD_TOOL or beside the checkout.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';

const tool = resolve(process.env.SONNY_CLOUD_TOOL ?? '../shared/testbed/cloud');

/**
 * The tool reads what it keeps of its cloud, changes it, and writes all of it back, without a lock: of two hypervisors
 * that were killed at once, one went on answering.
 */
const changing = new Set(['kill', 'revive', 'silence', 'unsilence', 'listen', 'unlisten']);
const oneByOne = pLimit(1);

/** Runs one verb of the tool and returns what it printed; verbs that change what the tool keeps wait for each other. */
export function cloudTool(...args: string[]): Promise<string> {
  return changing.has(args[0] ?? '') ? oneByOne(() => run(args)) : run(args);
}

async function run(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(tool, args, { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
