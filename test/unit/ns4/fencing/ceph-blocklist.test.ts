// The example agent that cuts a host off from Ceph, where Ceph is missing, hangs, refuses or shows too little: none of it
// may end as proof. Whether a proof is true no stand-in can tell: test/ceph asks a real Ceph.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type AgentAction, runAgent } from '../../../../src/ns4/fencing/agent.ts';

/**
 * python3-rados and python3-rbd, as far as the agent uses them. Their ceph.conf is a folder: what they do wrong stands
 * there in world.json, and they write there what they were told and asked.
 */
const library = `
import json, threading, time
class Image:
    def __init__(self, io, name, read_only):
        assert read_only
        self.io, self.seen = io, io.world['images'][name]
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def watchers_list(self):
        self.io.hang('watchers')
        return [{'addr': a} for a in self.seen['open']]
    def list_lockers(self): return {'lockers': [('client.1', 'auto 1', a) for a in self.seen['locked']]}
class Rados:
    DEFAULT_CONF_FILES = 'default'
    def __init__(self, conffile, name, conf):
        assert name == 'client.sonny', name
        self.dir, self.world = conffile, json.load(open(conffile + '/world.json'))
        if self.world.get('missing'): raise ImportError("No module named 'rados'")
    def hang(self, what): self.world.get('hangs') == what and time.sleep(60)
    def note(self, file, line):
        with open(self.dir + file, 'a') as f: f.write(line + '\\n')
    def connect(self, timeout):
        assert isinstance(timeout, int)
        self.hang('connect')
        if self.world.get('refused'): raise RuntimeError('error connecting to the cluster')
    def wait_for_latest_osdmap(self): self.hang('map')
    def open_ioctx(self, pool): return self
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def aio_read(self, name, length, offset, answered):
        self.note('/read', name)
        code = self.world.get('codes', {}).get(name, -2)
        if code is not None:
            threading.Thread(target=answered, args=(type('C', (), {'get_return_value': lambda _: code})(),)).start()
    def mon_command(self, text, data, timeout):
        assert isinstance(timeout, int)
        command = json.loads(text)
        if command['prefix'] == 'osd dump':
            self.hang('dump')
            return 0, json.dumps(self.world['map']).encode(), ''
        self.hang('blocklist')
        self.note('/told', ' '.join(str(command[k]) for k in ('blocklistop', 'addr', 'expire') if k in command))
        return (-13, b'', 'access denied') if self.world.get('denied') else (0, b'', 'done')
`;

/** The first of the names that lie in each of six placement groups, as \`ceph osd map\` of 16.2 says. */
const names = [0, 1, 2, 3, 13, 16].map((number) => `rbd_id.sonny-fence-${number}`);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-blocklist-'));
  vi.stubEnv('HOME', dir);
  const site = execFileSync('/usr/bin/python3', ['-c', 'import site; print(site.getusersitepackages())']);
  mkdirSync(site.toString().trim(), { recursive: true });
  for (const module of ['rados', 'rbd']) writeFileSync(join(site.toString().trim(), `${module}.py`), library);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

interface World {
  readonly [what: string]: unknown;
}
const inS = (seconds: number) =>
  `${new Date(Date.now() + seconds * 1_000).toISOString().slice(0, -1)}000+0000`;
const map = (blocklist: Record<string, number> = { '10.2.0.1:0/0': 9_000, '[fd00::1]:0/0': 9_000 }) => ({
  pools: [{ pool_name: 'vms', pg_num: 6, object_hash: 2 }],
  blocklist: Object.fromEntries(Object.entries(blocklist).map(([entry, s]) => [entry, inS(s)])),
});

const silent = { codes: { [names[4] as string]: null } };
const late = { codes: { [names[4] as string]: -110 } };
const refused = { codes: { [names[5] as string]: -1 } };

/** Runs it in a world of its own, with what it was told and asked. */
async function run(action: AgentAction, world: World, options: Record<string, string> = {}) {
  const own = mkdtempSync(join(dir, 'world-'));
  writeFileSync(join(own, 'world.json'), JSON.stringify({ map: map(), ...world }));
  for (const name of ['read', 'told']) writeFileSync(join(own, name), '');
  const timeout = world.hangs !== undefined || world === silent ? '2' : '15';
  const device = {
    program: resolve('docs/examples/fence_ceph_blocklist'),
    options: { plug: '10.2.0.1, fd00::1', pools: 'vms', timeout, conf: own, ...options },
  };
  const ended = await runAgent({ device, action, timeoutMs: 20_000, signal: new AbortController().signal });
  const lines = (name: string) => readFileSync(join(own, name), 'utf8').split('\n').slice(0, -1);
  return { ...ended, read: lines('read'), told: lines('told') };
}

test('off: a year for each whole address, then a question to every placement group', async () => {
  const off = await run('off', {}, { id: 'client.sonny' });
  expect(off).toMatchObject({
    code: 0,
    said: 'Cut off from Ceph: 10.2.0.1:0/0 [fd00::1]:0/0 (6 placement groups)',
    told: ['add 10.2.0.1:0/0 31536000.0', 'add [fd00::1]:0/0 31536000.0'],
  });
  expect(off.read.toSorted()).toEqual(names.toSorted());
});

test('on takes the entries away and asks nobody', async () => {
  expect(await run('on', { hangs: 'map' })).toMatchObject({
    ...{ code: 0, read: [] },
    told: ['rm 10.2.0.1:0/0', 'rm [fd00::1]:0/0'],
  });
});

test.concurrent.each<[string, World, string]>([
  ['python3-rados is not there', { missing: true }, 'apt-get install python3-rados python3-rbd'],
  ['no monitor answers', { hangs: 'connect' }, 'no answer of Ceph within 2 s'],
  ['the key is refused', { refused: true }, 'error connecting to the cluster'],
  ['a monitor hangs with the list', { hangs: 'dump' }, 'no answer of Ceph within 2 s'],
  ['a monitor hangs with the newest map', { hangs: 'map' }, 'no answer of Ceph within 2 s'],
  ['one placement group is silent', silent, 'pool vms: 1 of 6 placement groups do not answer'],
  ['one placement group answers too late', late, 'pool vms: 1 of 6 placement groups do not answer'],
  ['a placement group refuses', refused, 'pool vms: Operation not permitted'],
  ['a pool is not there', { map: { ...map(), pools: [] } }, 'there is no pool vms'],
])('%s: neither off nor status succeeds', { timeout: 30_000 }, async (_, world, said) => {
  for (const action of ['off', 'status'] as const)
    expect(await run(action, world)).toMatchObject({ code: 1, said: expect.stringContaining(said) });
});

test.concurrent.each<[string, World, string]>([
  ['the entry is refused', { denied: true }, 'osd blocklist: access denied'],
  ['a monitor hangs with the entry', { hangs: 'blocklist' }, 'no answer of Ceph within 2 s'],
])('%s: off fails', { timeout: 30_000 }, async (_, world, said) => {
  expect(await run('off', world)).toMatchObject({ code: 1, said: expect.stringContaining(said) });
});

test.concurrent.each<[string, Record<string, number>, number]>([
  ['both listed for long', { '10.2.0.1:0/0': 9_000, '[fd00::1]:0/0': 9_000 }, 2],
  ['none listed', {}, 0],
  ['half listed', { '10.2.0.1:0/0': 9_000 }, 0],
  ['listed for less than an hour', { '10.2.0.1:0/0': 3_500, '[fd00::1]:0/0': 9_000 }, 0],
  ['one client of it is listed', { '10.2.0.1:0/3424': 9_000, '[fd00::1]:0/0': 9_000 }, 0],
  ['a longer address is listed', { '10.2.0.11:0/0': 9_000, '[fd00::1]:0/0': 9_000 }, 0],
])('status, %s', async (_, blocklist, code) => {
  expect(await run('status', { map: map(blocklist) })).toMatchObject({ code });
});

test.concurrent.each<[string, World, number]>([
  ['open and locked by the host alone', { open: ['10.2.0.1:0/5'], locked: ['10.2.0.1:0/4'] }, 2],
  ['open by nobody', { open: [], locked: [] }, 2],
  ['open by an address that was forgotten', { open: ['10.2.0.7:0/5'], locked: [] }, 1],
  ['locked by it, its watch is gone', { open: [], locked: ['v1:[fd00::7]:0/5'] }, 1],
])('status with images, %s', async (_, seen, code) => {
  const options = { images: 'vms/a_disk,vms/b_disk' };
  const images = { a_disk: { open: [], locked: [] }, b_disk: seen };
  expect(await run('status', { images }, options)).toMatchObject({ code });
  expect(await run('status', { images, hangs: 'watchers' }, options)).toMatchObject({ code: 1 });
  expect(await run('status', { images: { b_disk: seen } }, options)).toMatchObject({ code: 1 });
});

test.concurrent.each([
  [{ plug: '10.2.0.1; true' }, 'plug: expected addresses'],
  [{ plug: ' , ' }, 'plug: expected addresses'],
  [{ pools: '' }, 'pools: expected names'],
  [{ timeout: '0' }, 'timeout: expected seconds'],
  [{ timeout: 'soon' }, 'timeout: expected seconds'],
])('options %j are refused', async (options, said) => {
  for (const action of ['off', 'status'] as const)
    expect(await run(action, {}, options)).toMatchObject({
      ...{ code: 1, told: [] },
      said: expect.stringContaining(said),
    });
});
