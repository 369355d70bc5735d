// The helper's life, with a program in its place that hangs, dies, talks nonsense, or is late: every question has an
// answer in its time, and none of these is taken for knowledge.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Ceph } from '../../../../src/ns4/ceph/ceph.ts';
import { systemClock } from '../../../../src/shared/ground/clock.ts';
import { createLog } from '../../../../src/shared/ground/log.ts';
import { maskOf } from '../../../../src/shared/masks/secrets.ts';

/** Notes its starts and its configuration, then does what its mode says with each line. */
const program = `
import json, os, signal, sys, time
dir, mode = sys.argv[1:]
config = sys.stdin.readline()
with open(dir + '/starts', 'a') as f: f.write(str(os.getpid()) + ' ' + config)
starts = len(open(dir + '/starts').readlines())
def tell(line): print(line if isinstance(line, str) else json.dumps(line), flush=True)
def asked(id, images): tell({'id': id, 'answer': {'images': images}})
if mode == 'missing':
    print('librados.so.2: cannot open shared object file: apt-get install librados2 librbd1', file=sys.stderr)
    sys.exit(3)
if mode == 'blurts':
    print('ValueError: ' + json.dumps({'key': 'AQAsecret-of-ceph'}), file=sys.stderr)
    sys.exit(1)
if mode == 'stubborn': signal.signal(signal.SIGTERM, signal.SIG_IGN)
first = []
for text in sys.stdin:
    line = json.loads(text)
    id, images = line['id'], line.get('images', [])
    opener = {'client': 'client.7', 'cookie': '9', 'address': '10.2.0.1', 'answered': True}
    every = {image: {'kind': 'asked', 'openers': [opener]} for image in images}
    if mode == 'well': asked(id, every)
    elif mode == 'dies-once': os._exit(7) if starts == 1 else asked(id, every)
    elif mode == 'hangs':
        asked(id, every)
        time.sleep(60)
    elif mode == 'garbage': tell('Traceback (most recent call last):')
    elif mode == 'unlike': tell({'id': id, 'answer': {'images': {i: {'kind': 'asked', 'openers': [{}]} for i in images}}})
    elif mode == 'half': asked(id, dict(list(every.items())[:1]))
    elif mode == 'cannot': tell({'id': id, 'cannotTell': 'no monitor of Ceph answers'})
    elif mode == 'quotes': tell({'id': id, 'cannotTell': 'refused with AQAsecret-of-ceph'})
    elif mode == 'nothing': tell({'id': id, 'answer': {'kind': 'passed', 'epoch': 3, 'placementGroups': 0, 'tookMs': 1}})
    elif mode == 'backwards':
        first.append((id, every))
        if len(first) == 3:
            for one in reversed(first): asked(*one)
    elif mode == 'late':
        time.sleep(0.8)
        asked(id, every)
        asked(99, every)
if mode == 'stubborn': time.sleep(60)
`;

let dir: string;
let own: string;
let ceph: Ceph;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-ceph-'));
  writeFileSync(join(dir, 'helper.py'), program);
});
afterEach(() => ceph.close());
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const access = { conf: null, user: 'client.sonny', keyring: '/etc/keyring', pools: ['vms', 'volumes'] };
/** A program in Python may need a second to start on a busy machine; only who is meant to hang gets less than this. */
const limits = { timeoutMs: 8_000 };
const waitMs = 15_000;
const brief = { timeoutMs: 1_500 };

function start(mode: string, parts: { pauseMs?: number; graceMs?: number; program?: string } = {}): void {
  own = mkdtempSync(join(dir, 'run-'));
  const { program: python = 'python3', ...more } = parts;
  ceph = new Ceph(access, {
    log: createLog({ name: 'test', verbosity: 0, destination: process.stderr }),
    clock: systemClock,
    mask: maskOf(['AQAsecret-of-ceph']),
    command: [python, '-I', join(dir, 'helper.py'), own, mode],
    ...more,
  });
}
const starts = () =>
  existsSync(join(own, 'starts')) ? readFileSync(join(own, 'starts'), 'utf8').trim().split('\n') : [];
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const pid = () => Number(starts().at(-1)?.split(' ')[0]);
const ask = (...images: string[]) => ceph.ask(images, limits);
const askBriefly = async (image: string) => (await ceph.ask([image], brief)).get(image);
const opener = { client: 'client.7', cookie: '9', address: '10.2.0.1', answered: true };
const cannotTell = (reason: string) => ({ kind: 'cannot-tell', reason: expect.stringContaining(reason) });

describe('a helper', { timeout: 30_000 }, () => {
  test('it is started with the first question, once, and told how to reach Ceph', async () => {
    start('well');
    expect(starts()).toEqual([]);
    expect(await ceph.ask([], limits)).toEqual(new Map());
    expect(starts()).toEqual([]);
    const both = await Promise.all([ask('vms/a', 'vms/b'), ask('vms/c')]);
    expect(both.map((found) => [...found])).toEqual([
      [
        ['vms/a', { kind: 'asked', openers: [opener] }],
        ['vms/b', { kind: 'asked', openers: [opener] }],
      ],
      [['vms/c', { kind: 'asked', openers: [opener] }]],
    ]);
    expect(starts()).toHaveLength(1);
    const config = JSON.parse(starts()[0]?.replace(/^\d+ /, '') ?? '');
    expect(config).toEqual({ ...access, user: 'sonny' });
  });

  test('answers find their questions, in whatever order they come', async () => {
    start('backwards');
    const images = ['vms/a', 'vms/b', 'vms/c'];
    const found = await Promise.all(images.map((image) => ask(image)));
    expect(found.map((answers) => [...answers.keys()])).toEqual(images.map((image) => [image]));
  });

  test('one that dies under a question leaves no knowledge, and is started again after a pause', async () => {
    start('dies-once', { pauseMs: 1_000 });
    expect((await ask('vms/a')).get('vms/a')).toEqual(cannotTell('ended with 7'));
    expect((await ask('vms/a')).get('vms/a')).toEqual(cannotTell('started again in 1 s'));
    expect(starts()).toHaveLength(1);
    await vi.waitFor(
      async () => expect((await ask('vms/a')).get('vms/a')).toMatchObject({ kind: 'asked' }),
      5_000,
    );
    expect(starts()).toHaveLength(2);
  });

  test('one that hangs is killed, and another one started', async () => {
    start('hangs', { pauseMs: 0, graceMs: 0 });
    expect((await ask('vms/a')).get('vms/a')).toMatchObject({ kind: 'asked' });
    const hung = pid();
    expect(await askBriefly('vms/a')).toEqual(cannotTell('does not answer'));
    await vi.waitFor(() => expect(isAlive(hung)).toBe(false), waitMs);
    await vi.waitFor(
      async () => expect((await ask('vms/a')).get('vms/a')).toMatchObject({ kind: 'asked' }),
      waitMs,
    );
    expect(starts()).toHaveLength(2);
  });

  test('one that reads no more is killed, and is not buried in questions', async () => {
    start('hangs', { pauseMs: 60_000, graceMs: 0 });
    await ask('vms/a');
    const deaf = pid();
    const questions = Array.from({ length: 70 }, () => askBriefly(`vms/${'a'.repeat(10_000)}`));
    const reasons = await Promise.all(questions);
    expect(reasons.filter((answer) => answer?.kind !== 'cannot-tell')).toEqual([]);
    expect(reasons.slice(64)).toEqual(Array.from({ length: 6 }, () => cannotTell('too many questions')));
    await vi.waitFor(() => expect(isAlive(deaf)).toBe(false), waitMs);
    expect(await ceph.barrier(limits)).toEqual(cannotTell('not running: it did not answer'));
  });

  test.each([
    ['garbage', 'its answer cannot be read'],
    ['unlike', 'cannot be read'],
    ['cannot', 'no monitor of Ceph answers'],
    ['missing', 'apt-get install librados2 librbd1'],
    ['quotes', 'refused with ****'],
    ['blurts', 'ValueError: {"key": "****"}'],
  ])('%s: nobody knows', async (mode, reason) => {
    start(mode);
    expect((await ask('vms/a')).get('vms/a')).toEqual(cannotTell(reason));
    const others = [ceph.block(['10.2.0.1'], 60, limits), ceph.unblock(['10.2.0.1'], limits)];
    for (const answer of await Promise.all([...others, ceph.barrier(limits), ceph.blocklist(limits)]))
      expect(answer).toMatchObject({ kind: 'cannot-tell' });
  });

  test('an image that is left out is not known; a barrier through nothing is none', async () => {
    start('half');
    const found = await ask('vms/a', 'vms/b');
    expect(found.get('vms/a')).toMatchObject({ kind: 'asked' });
    expect(found.get('vms/b')).toEqual(cannotTell('left it out'));
    await ceph.close();
    start('nothing');
    expect(await ceph.barrier(limits)).toEqual(cannotTell('cannot be read'));
  });

  test('an answer that comes too late, or to nobody, is nobody else’s', async () => {
    start('late', { graceMs: 5_000 });
    const aborted = AbortSignal.timeout(50);
    await expect(ceph.locks(['vms/a'], { ...limits, signal: aborted })).rejects.toThrow('timeout');
    const found = await ask('vms/b');
    expect([...found]).toEqual([['vms/b', { kind: 'asked', openers: [opener] }]]);
  });

  test('without python3 a question is answered all the same', async () => {
    start('well', { program: '/nonexistent/python3' });
    expect(await ceph.facts(limits)).toEqual(cannotTell('ENOENT'));
    expect(await ceph.facts(limits)).toEqual(cannotTell('started again in 5 s'));
  });

  test('close ends it, also one that does not listen, and nothing is started afterwards', async () => {
    for (const mode of ['well', 'stubborn']) {
      start(mode);
      const question = ceph.barrier(limits);
      await vi.waitFor(() => expect(starts()).toHaveLength(1), waitMs);
      await ceph.close();
      await question;
      expect(isAlive(pid())).toBe(false);
      expect(await ceph.barrier(limits)).toEqual(cannotTell('ns4 is ending'));
      expect(starts()).toHaveLength(1);
    }
  });

  test('openers must be given their second', async () => {
    start('well');
    await expect(ceph.ask(['vms/a'], { timeoutMs: 1_400 })).rejects.toThrow('1500 ms');
  });
});
