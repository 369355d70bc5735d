// The units of deploy/systemd under a real systemd: a host is recovered by three processes that may next to nothing, their
// secrets are nobody else's, and what stands still or dies is started anew. Needs root, systemd-nspawn, and in
// SONNY_UNITS_ROOT a Debian root with systemd, dbus, node and the package of this tree installed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLeader } from '../../src/shared/redis/leader.ts';
import { BootedRoot } from '../support/booted-root.ts';
import { fencingYaml } from '../support/fencing-yaml.ts';
import { until } from '../support/raw-api.ts';
import { SmallCloud } from '../support/small-cloud.ts';

const units = ['sonny-ns4', 'sonny-monitor', 'sonny'] as const;
const hosts = ['hv01', 'hv02', 'hv03', 'hv04'];

/** A fence agent whose devices are files in a folder of the service's own; its words are the environment it found. */
const agent = `#!/bin/sh
while IFS== read -r key value; do case "$key" in action) action=$value;; plug) plug=$value;; esac; done
case "$action" in
  off) touch "/tmp/$plug.off" ;;
  on) rm -f "/tmp/$plug.off" ;;
  status) [ ! -e "/tmp/$plug.off" ] || exit 2 ;;
  *) exit 1 ;;
esac
`;

let small: SmallCloud;
let root: BootedRoot;

beforeAll(async () => {
  const dir = process.env.SONNY_UNITS_ROOT;
  if (dir === undefined || !existsSync(join(dir, 'usr/local/bin/ns4')))
    throw new Error('SONNY_UNITS_ROOT names no root with ns4 in it: docs/testing.md says how to make one');
  small = await SmallCloud.open({ FENCING: { mode: 'required', hosts: 'fencing.yaml' } });
  root = await BootedRoot.boot(dir);
  const { household } = small;
  root.remove('/etc/sonny');
  const key = { REDIS: { key_file: 'sonny.key' } };
  for (const [name, more] of [
    ['ns4', key],
    ['monitor', key],
    ['sonny', {}],
  ] as const)
    root.copy(join(household.dir, household.configure(`${name}.ini`, more)), `/etc/sonny/${name}.ini`);
  root.copy(join(household.dir, 'clouds.yaml'), '/etc/sonny/clouds.yaml');
  root.write('/usr/local/sbin/fence_file', agent, 0o755);
  const device = (host: string) => ({
    program: 'fence_file',
    options: { plug: host, password: 'BMC-s3cret' },
  });
  root.write(
    '/etc/sonny/fencing.yaml',
    fencingYaml(Object.fromEntries(hosts.map((host) => [host, [[device(host)]]]))),
  );
  await root.run('rm', '-f', '/etc/sonny/sonny.key');
  expect(await root.run('ns4', '--make-key', '/etc/sonny/sonny.key')).toMatchObject({ code: 0 });
  await root.run('chmod', '0700', '/etc/sonny');
  const more = (files: readonly string[]) =>
    `[Service]\n${files.map((file) => `LoadCredential=${file}:/etc/sonny/${file}\n`).join('')}`;
  for (const unit of units)
    root.copy(`deploy/systemd/${unit}.service`, `/etc/systemd/system/${unit}.service`);
  root.write('/etc/systemd/system/sonny-ns4.service.d/more.conf', more(['fencing.yaml', 'sonny.key']), 0o644);
  root.write('/etc/systemd/system/sonny-monitor.service.d/more.conf', more(['sonny.key']), 0o644);
  await root.run('systemctl', 'daemon-reload');
});
afterAll(async () => {
  for (const unit of units) await root?.run('systemctl', 'stop', unit);
  await root?.close();
  await small?.close();
});

const activeState = (unit: string) => root.show(unit, 'ActiveState');
const mainPid = async (unit: string) => Number(await root.show(unit, 'MainPID'));
const leader = () => readLeader(small.household.redis, small.keys);

test('systemd finds no fault with the units, and little that they may do', async () => {
  const files = units.map((unit) => `/etc/systemd/system/${unit}.service`);
  expect(await root.run('systemd-analyze', 'verify', '--man=no', ...files)).toEqual({ code: 0, output: '' });
  for (const unit of units)
    expect(await root.run('systemd-analyze', 'security', '--threshold=19', unit)).toMatchObject({ code: 0 });
});

test('they start, say that they are ready, and recover a host with fencing', async () => {
  for (const unit of units) {
    const started = await root.run('systemctl', 'start', unit);
    expect(started.code, `${started.output}\n${await root.journal(unit)}`).toBe(0);
    expect(await activeState(unit)).toBe('active');
  }
  expect(await root.show('sonny-ns4', 'StatusText')).toBe('works for cloud simulated');
  await small.watched();
  await small.simulator.kill('hv01');
  await small.ended(60_000);
  small.expectRecoveredOnce();
  expect(await root.journal('sonny')).toContain('all 3 affected instances are back');
  expect(await root.run('sh', '-c', 'ls /tmp/*/tmp/hv01.off')).toMatchObject({ code: 0 });
});

test('the command of docs/deploy.md tries a fence agent as the unit runs it', async () => {
  const documented =
    /^```sh\n(systemd-run [^`]*)```/m.exec(readFileSync('docs/deploy.md', 'utf8'))?.[1] ?? '';
  const tried = await root.run('sh', '-c', documented);
  expect(tried, tried.output).toMatchObject({ code: 0 });
  expect(tried.output).toContain('fencing of hv02: level 1, fence_file: on');
});

test('their secrets are nobody else’s, and they are nobody', async () => {
  for (const unit of units) {
    const pid = await mainPid(unit);
    const status = (await root.run('cat', `/proc/${pid}/status`)).output;
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBeGreaterThan(60_000);
    expect((await root.run('cat', `/proc/${pid}/limits`)).output).toMatch(/^Max core file size\s+0\s+0/m);
    const read = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'cat'];
    const credentials = `/run/credentials/${unit}.service`;
    expect((await root.run('ls', credentials)).output).toContain('config.ini');
    for (const file of [`${credentials}/config.ini`, `/proc/${pid}/environ`, '/etc/sonny/fencing.yaml'])
      expect(await root.run(...(read as [string, ...string[]]), file)).toMatchObject({
        code: 1,
        output: expect.stringContaining('Permission denied'),
      });
  }
  const users = await Promise.all(
    units.map(async (unit) => (await root.run('stat', '-c', '%u', `/proc/${await mainPid(unit)}`)).output),
  );
  expect(new Set(users).size).toBe(units.length);
  // Not even by the other two, nor is anything but their own folders in /tmp theirs to write.
  const inside = async (unit: string, ...command: string[]) =>
    root.run(
      'nsenter',
      '-t',
      `${await mainPid(unit)}`,
      '-m',
      '-U',
      '--preserve-credentials',
      '--',
      ...command,
    );
  expect((await inside('sonny', 'touch', '/etc/sonny-was-here')).output).toContain('Read-only file system');
  expect((await inside('sonny', 'touch', '/usr/local/lib/node_modules/sonny/dist/x')).output).toContain(
    'Read-only file system',
  );
});

test('a monitor that stands still is ended and started anew', async () => {
  const pid = await mainPid('sonny-monitor');
  const first = await leader();
  await root.run('kill', '-STOP', `${pid}`);
  await until(
    () => root.show('sonny-monitor', 'NRestarts'),
    (count) => count === '1',
    60_000,
  );
  await until(
    () => activeState('sonny-monitor'),
    (state) => state === 'active',
    30_000,
  );
  expect(await mainPid('sonny-monitor')).not.toBe(pid);
  await until(leader, (who) => who !== null && who !== first, 30_000);
  expect(await root.journal('sonny-monitor')).toMatch(/Watchdog timeout/);
});

test('an ns4 that is killed is started anew', async () => {
  await root.run('systemctl', 'kill', '-s', 'KILL', 'sonny-ns4');
  await until(
    () => root.show('sonny-ns4', 'NRestarts'),
    (count) => count === '1',
    30_000,
  );
  await until(
    () => activeState('sonny-ns4'),
    (state) => state === 'active',
    30_000,
  );
});

test('Redis away for longer than the watchdog waits: nobody is ended for that', async () => {
  const before = await Promise.all(units.map((unit) => mainPid(unit)));
  small.redis.freeze();
  await new Promise((resolve) => setTimeout(resolve, 75_000));
  const after = await Promise.all(units.map((unit) => mainPid(unit)));
  small.redis.thaw();
  expect(after).toEqual(before);
});

test('they end in order, and a mistake in the configuration is not tried again and again', async () => {
  for (const unit of units) {
    await root.run('systemctl', 'stop', unit);
    expect(await root.show(unit, 'Result')).toBe('success');
  }
  root.write('/etc/sonny/sonny.ini', '[REDIS]\nport = nonsense\n');
  expect((await root.run('systemctl', 'start', 'sonny')).code).not.toBe(0);
  expect(await activeState('sonny')).toBe('failed');
  expect(await root.show('sonny', 'ExecMainStatus')).toBe('2');
  expect(await root.journal('sonny')).toContain('port');
});
