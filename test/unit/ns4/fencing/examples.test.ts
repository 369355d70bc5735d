// What the documentation hands out for fencing: fencing.example.yaml is valid, and the example agent that blocklists a
// host's Ceph clients keeps to the protocol. `ceph` is a stand-in here with the words of a real one (16.2).
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AgentAction, runAgent } from '../../../../src/ns4/fencing/agent.ts';
import { readFencingFile } from '../../../../src/ns4/fencing/fencing-file.ts';
import { powerOff } from '../../../../src/ns4/fencing/level.ts';
import { levelsOf } from '../../../../src/ns4/fencing/plan.ts';
import { systemClock } from '../../../../src/shared/ground/clock.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-examples-'));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

test('fencing.example.yaml has levels for its hosts, each option where it belongs', () => {
  for (const agent of ['fence_ipmilan', 'fence_redfish'])
    writeFileSync(join(dir, agent), '#!/bin/sh\n', { mode: 0o755 });
  const file = join(dir, 'fencing.yaml');
  copyFileSync('fencing.example.yaml', file);
  chmodSync(file, 0o600);
  const plan = readFencingFile(file, dir);
  const agents = (host: string) => levelsOf(plan, host).map(({ agent }) => agent);
  expect([...plan.hosts.keys()]).toEqual(['hv01', 'hv02', 'hv03', 'hv04']);
  expect(agents('hv01')).toEqual(['fence_ipmilan']);
  expect(agents('hv04')).toEqual(['fence_redfish', 'fence_ipmilan']);
  expect(levelsOf(plan, 'hv02')[0]?.options).toMatchObject({ ip: 'hv02-bmc.example.org', username: 'sonny' });
  expect(levelsOf(plan, 'hv03')[0]?.options).toMatchObject({ password: '0123 #4' });
  expect(plan.others).toBeNull();
});

test("docs/fencing.md's fencing.yaml means what it says", () => {
  const program = resolve('docs/examples/fence_ceph_blocklist');
  const text = /^```yaml\n(.+?)^```$/ms.exec(readFileSync('docs/fencing.md', 'utf8'))?.[1] ?? '';
  const file = join(dir, 'documented.yaml');
  writeFileSync(file, text.replace('/usr/local/sbin/fence_ceph_blocklist', program), { mode: 0o600 });
  const plan = readFencingFile(file, dir);
  expect(levelsOf(plan, 'hv01')).toMatchObject([
    { agent: 'fence_ipmilan', options: { ip: 'hv01-bmc.example.org', password: 'a secret' } },
  ]);
  expect(levelsOf(plan, 'hv02')[0]?.options).toMatchObject({ username: 'sonny', password: 'another' });
  expect(levelsOf(plan, 'hv03').map((level) => level.agent)).toEqual(['fence_redfish', program]);
});

describe('fence_ceph_blocklist', () => {
  const ceph = () => `#!/bin/sh
echo "$*" >> ${dir}/asked
case "$*" in *'--id sonny --keyring /keyring --connect-timeout 20 osd blocklist '*) ;; *) exit 22 ;; esac
[ ! -e ${dir}/down ] || { echo 'Error connecting to cluster: ObjectTimedOut' >&2; exit 1; }
case "$*" in
  *' ls') echo "listed $(wc -l < ${dir}/list) entries" >&2; sed 's/$/ 2027-11-21T12:28:26.823666+0000/' ${dir}/list ;;
  *' add '*' 31536000') echo "\${10}" >> ${dir}/list; echo "blocklisting \${10} until 2027" >&2 ;;
  *' rm '*) grep -vxF "\${10}" ${dir}/list > ${dir}/rest; mv ${dir}/rest ${dir}/list; echo "un-blocklisting \${10}" >&2 ;;
esac
`;
  const level = (plug = '10.2.0.1,[fd00::1]') => ({
    ...{ number: 1, agent: 'fence_ceph_blocklist' },
    program: resolve('docs/examples/fence_ceph_blocklist'),
    options: { plug, keyring: '/keyring' },
  });
  const signal = new AbortController().signal;
  const run = (action: AgentAction, plug?: string) =>
    runAgent({ level: level(plug), action, timeoutMs: 5_000, signal });
  beforeAll(() => {
    writeFileSync(join(dir, 'ceph'), ceph(), { mode: 0o755 });
    // Its entry must not be taken for that of a shorter address.
    writeFileSync(join(dir, 'list'), '10.2.0.11:0/0\n');
    vi.stubEnv('PATH', `${dir}:${process.env.PATH}`);
  });

  test('on, blocked and seen blocked, unblocked', async () => {
    expect(await run('status')).toMatchObject({ code: 0, said: 'Status: ON' });
    const off = await powerOff({ level: level(), timeoutMs: 5_000, signal, clock: systemClock });
    expect(off).toMatchObject({ off: true, output: expect.stringContaining('blocklisting 10.2.0.1:0/0') });
    expect(await run('on', '10.2.0.1')).toMatchObject({ code: 0 });
    expect(await run('status', '[fd00::1]')).toMatchObject({ code: 2, said: 'Status: OFF (blocklisted)' });
    // Half blocked is not blocked.
    expect(await run('status')).toMatchObject({ code: 0 });
    expect(await run('on')).toMatchObject({ code: 0 });
    expect(await run('status')).toMatchObject({ code: 0 });
    expect(readFileSync(join(dir, 'list'), 'utf8')).toBe('10.2.0.11:0/0\n');
  });

  test('no answer from Ceph, or no address, is never taken for off', async () => {
    writeFileSync(join(dir, 'down'), '');
    for (const action of ['off', 'status'] as const)
      expect(await run(action)).toMatchObject({ code: 1, said: expect.stringContaining('ObjectTimedOut') });
    expect(await run('off', '10.2.0.1; true')).toMatchObject({
      code: 1,
      said: 'Failed: plug: expected addresses',
    });
  });
});
