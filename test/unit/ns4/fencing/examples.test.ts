// What the documentation hands out for fencing: fencing.example.yaml is valid, and so is what docs/fencing.md shows.
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFencingFile } from '../../../../src/ns4/fencing/fencing-file.ts';
import { agentsOf, type FencingPlan, levelsOf } from '../../../../src/ns4/fencing/plan.ts';

const firstOf = (plan: FencingPlan, host: string) => levelsOf(plan, host)[0]?.devices[0];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-examples-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

test('fencing.example.yaml has levels for its hosts, each option where it belongs', () => {
  for (const agent of ['fence_ipmilan', 'fence_redfish', 'fence_kdump', 'fence_apc'])
    writeFileSync(join(dir, agent), '#!/bin/sh\n', { mode: 0o755 });
  const file = join(dir, 'fencing.yaml');
  copyFileSync('fencing.example.yaml', file);
  chmodSync(file, 0o600);
  const plan = readFencingFile(file, { path: dir, hasCeph: true });
  const agents = (host: string) => levelsOf(plan, host).map(agentsOf);
  expect([...plan.hosts.keys()]).toEqual(['hv01', 'hv02', 'hv03', 'hv04', 'hv05', 'hv06']);
  expect(agents('hv01')).toEqual(['fence_redfish']);
  expect(agents('hv04')).toEqual(['fence_redfish', 'fence_ipmilan']);
  expect(agents('hv05')).toEqual(['fence_kdump', 'fence_apc + fence_apc']);
  expect(agents('hv06')).toEqual(['fence_redfish', 'ceph']);
  expect(firstOf(plan, 'hv02')?.options).toMatchObject({ ip: 'hv02-bmc.example.org', username: 'sonny' });
  expect(firstOf(plan, 'hv03')?.options).toMatchObject({ password: '0123 #4' });
  expect(plan.others).toBeNull();
});

test("docs/fencing.md's fencing.yaml means what it says", () => {
  const program = resolve('docs/examples/fence_ceph_blocklist');
  const text = /^```yaml\n(.+?)^```$/ms.exec(readFileSync('docs/fencing.md', 'utf8'))?.[1] ?? '';
  const file = join(dir, 'documented.yaml');
  writeFileSync(file, text.replace('/usr/local/sbin/fence_ceph_blocklist', program), { mode: 0o600 });
  const plan = readFencingFile(file, { path: dir, hasCeph: true });
  expect(firstOf(plan, 'hv01')).toMatchObject({
    ...{ agent: 'fence_redfish', options: { ip: 'hv01-bmc.example.org', password: 'a secret' } },
  });
  expect(firstOf(plan, 'hv02')?.options).toMatchObject({ username: 'sonny', password: 'another' });
  expect(levelsOf(plan, 'hv03').map(agentsOf)).toEqual(['fence_ipmilan', program]);
  expect(levelsOf(plan, 'hv04').map(agentsOf)).toEqual(['fence_kdump', 'fence_apc + fence_apc']);
});
