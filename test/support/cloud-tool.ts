// The test bed's own tool, found through SONNY_CLOUD_TOOL or beside the checkout.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const tool = resolve(process.env.SONNY_CLOUD_TOOL ?? '../shared/testbed/cloud');

/** Runs one verb of the tool and returns what it printed. */
export async function cloudTool(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(tool, args, { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
