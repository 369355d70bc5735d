// The end of `ns4 --check` on the compiled processes: who of a cloud that lives could be recovered, by what, and who not.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { PretendDevice } from '../support/pretend-device.ts';
import type { Ini } from '../support/processes.ts';
import { until } from '../support/raw-api.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
afterEach(() => small?.close());

async function check(): Promise<{ code: number | null; output: string; last: string }> {
  const running = small.household.start('ns4', '--check');
  const code = await running.exited;
  const lines = running.output.split('\n').filter((line) => /^(ok|WARNING|FAILED) /.test(line));
  return { code, output: running.output, last: lines.at(-1) ?? '' };
}

const fenced: Ini = { FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 5 } };

/** One device for each host that is named. */
function fence(...hosts: string[]): PretendDevice[] {
  const devices = hosts.map((host) => {
    const dir = join(small.household.dir, host);
    mkdirSync(dir, { recursive: true });
    return new PretendDevice(dir);
  });
  const levels = devices.map(
    (device, i) => `  ${hosts[i]}: {levels: [{agent: ${device.program}, options: {plug: ${hosts[i]}}}]}\n`,
  );
  writeFileSync(join(small.household.dir, 'fencing.yaml'), `hosts:\n${levels.join('')}`, { mode: 0o600 });
  return devices;
}

test('before anything runs: whoever answers could be recovered; then a guest that answers nobody, then no spare', async () => {
  small = await SmallCloud.open();
  const first = await check();
  expect(first.code, first.output).toBe(0);
  expect(first.output).toContain(
    'ok      hypervisors: 4 hypervisors scanned, 4 answer; 4 of 4 instances asked answer\n',
  );
  expect(first.output).toContain('ok      spares: hv04 fits 2 of 2\n');
  expect(first.output).toContain(
    'ok      gates: none stands in the way; no monitor leads now, and no ns4 runs now\n',
  );
  expect(first.last).toBe(
    'ok      recovery: 2 of 2 hypervisors with instances could be recovered today: 2 by silence alone; onto hv04; besides: 2 run nothing',
  );

  await small.simulator.happen('hv04 loses its power');
  // Nova calls it up until its report is too old.
  await until(
    () => small.simulator.snapshot().hosts.hv04?.state,
    (state) => state === 'down',
  );
  const without = await check();
  expect(without.code).toBe(1);
  expect(without.last, without.output).toMatch(
    /^FAILED {2}recovery: 0 of 2 hypervisors .*; not: no spare \(hv01, hv02\); besides: 2 run nothing$/,
  );
  expect(without.output).toMatch(/WARNING spares: hv04 fits nobody: it has /);
}, 60_000);

test('with fencing: the device is the proof; who has none, or one that is away, is named', async () => {
  small = await SmallCloud.open(fenced);
  const [first] = fence('hv01');
  const one = await check();
  expect(one.code, one.output).toBe(0);
  expect(one.last).toBe(
    'ok      recovery: 1 of 2 hypervisors with instances could be recovered today: 1 with a proof by fence devices; onto hv04; not: no proof (hv02); besides: 2 run nothing',
  );
  expect(one.output).toContain(
    'WARNING hypervisors: hv02 has no fence level, so only your word could prove it off (ns4 --confirm-fenced)\n',
  );
  first?.behave('away');
  const away = await check();
  expect(away.code).toBe(1);
  expect(away.output).toMatch(/FAILED {2}fencing of hv01/);
  expect(away.last).toMatch(/^FAILED {2}recovery: 0 of 2 .*not: no proof \(hv01, hv02\)/);
}, 60_000);
