// The three real processes of the demo, in a directory of its own with their configuration and logs.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const names = ['ns4', 'monitor', 'sonny'] as const;
const stopLimitMs = 6_000;

interface DemoProcesses {
  readonly dir: string;
  /** Ends all three in order. */
  stop(): Promise<void>;
}

/** Writes config.ini and clouds.yaml and starts ns4, monitor and sonny; `onDeath` hears of one that ends by itself. */
export function startProcesses(
  config: string,
  cloudsYaml: string,
  onDeath: (name: string, code: number | null) => void,
): DemoProcesses {
  const dir = mkdtempSync(join(tmpdir(), 'sonny-demo-'));
  writeFileSync(join(dir, 'config.ini'), config, { mode: 0o600 });
  writeFileSync(join(dir, 'clouds.yaml'), cloudsYaml, { mode: 0o600 });
  const env = { ...process.env };
  delete env.OS_CLIENT_CONFIG_FILE;
  let stopping = false;
  const children = names.map((name): ChildProcess => {
    const main = fileURLToPath(new URL(`../../dist/${name}/main.js`, import.meta.url));
    const child = spawn(process.execPath, [main, '-v'], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(dir, `${name}.log`));
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('exit', (code) => {
      log.end();
      if (!stopping) onDeath(name, code);
    });
    return child;
  });
  const stop = async () => {
    stopping = true;
    const alive = children.filter((child) => child.exitCode === null && child.signalCode === null);
    const gone = Promise.all(alive.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    for (const child of alive) child.kill('SIGTERM');
    await Promise.race([gone, delay(stopLimitMs)]);
    for (const child of alive) child.kill('SIGKILL');
  };
  return { dir, stop };
}
