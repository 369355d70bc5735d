// Fence agents that do what they should not: however they behave, they end in time, prove nothing by claiming it, and
// their secrets stay on their standard input. Real programs, as spawning is the matter.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentCall, runAgent } from '../../../../src/ns4/fencing/agent.ts';
import { look, powerOff } from '../../../../src/ns4/fencing/level.ts';
import { systemClock } from '../../../../src/shared/ground/clock.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-agents-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const password = 'hunter2-of-the-bmc';
const never = new AbortController().signal;
let programs = 0;

/** A program in sh that has read its options into $options, its action into $action, before its body. */
function agent(body: string): AgentCall['device'] {
  programs += 1;
  const program = join(dir, `agent-${programs}`);
  const head = `#!/bin/sh\noptions=$(cat)\naction=$(echo "$options" | sed -n 's/^action=//p')\n`;
  writeFileSync(program, head + body);
  chmodSync(program, 0o755);
  return { program, options: { username: 'admin', password, here_path: dir } };
}

const run = (body: string, change: Partial<AgentCall> = {}) =>
  runAgent({ device: agent(body), action: 'status', timeoutMs: 5_000, signal: never, ...change });

const levelOf = (...bodies: string[]) => ({
  number: 1,
  devices: bodies.map((body) => ({ agent: 'fence_own', ...agent(body) })),
});
const off = (body: string, timeoutMs = 3_000) =>
  powerOff({ level: levelOf(body), timeoutMs, signal: never, clock });

/** Real time, with pauses a tenth of their length. */
const clock = {
  nowMs: () => systemClock.nowMs(),
  steadyMs: () => systemClock.steadyMs(),
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 10, signal),
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
async function pidIn(file: string): Promise<number> {
  for (let i = 0; i < 200 && !existsSync(join(dir, file)); i += 1) await delay(10);
  await delay(20);
  return Number(readFileSync(join(dir, file), 'utf8'));
}

describe('one run', () => {
  test.each([0, 1, 2])('its exit code %i and its words', async (code) => {
    expect(await run(`echo "Status: as  asked"; echo more >&2; exit ${code}`)).toEqual({
      kind: 'ended',
      code,
      said: expect.stringMatching(/^(Status: as asked more|more Status: as asked)$/),
    });
  });

  test("its words without what the fence agents' own logger puts around them", async () => {
    const lines = ['ERROR: Unable to connect', '', "ERROR: Please use '-h' for usage", ''];
    const said = lines.map((line) => (line === '' ? '' : `2026-11-21 12:23:48,094 ${line}`)).join('\n');
    expect((await run(`printf '%s' "${said}" >&2; exit 1`)).said).toBe('Unable to connect');
  });

  test('options and action come on standard input, as lines', async () => {
    const result = await run('echo "$options" | sort | tr "\\n" " "', { action: 'off' });
    expect(result.said).toBe(`action=off here_path=${dir} password=**** username=admin`);
  });

  test('no secret in arguments or environment, of the agent or of a child', async () => {
    const { PATH } = process.env;
    process.env.SONNY_TEST_TOKEN = password;
    // Of what an agent says the last 400 characters are kept, and npm's PATH grows with the depth of the folder.
    process.env.PATH = '/usr/bin:/bin';
    try {
      const result = await run('cat /proc/$$/cmdline | tr "\\0" " "; echo; env; sh -c env');
      expect(result.said).not.toContain('****');
      expect(result.said).toMatch(/PATH=/);
      expect(result.said).not.toMatch(/SONNY_TEST_TOKEN|VITEST/);
    } finally {
      delete process.env.SONNY_TEST_TOKEN;
      process.env.PATH = PATH;
    }
  });

  test('a secret that it prints is masked: plain, encoded, in the middle, on both streams', async () => {
    const auth = Buffer.from(`admin:${password}`).toString('base64');
    const said = (await run(`echo "x${password}y ${password}"; echo "Basic ${auth}" >&2; exit 1`)).said;
    expect(said).not.toContain(password);
    expect(said).not.toContain(auth);
    expect(said).toContain('x****y ****');
  });

  test('a secret too short to be masked: nothing of its output is shown', async () => {
    const device = { ...agent('echo "$options"; exit 1'), options: { password: 'abc' } };
    const { said } = await runAgent({ device, action: 'status', timeoutMs: 5_000, signal: never });
    expect(said).not.toContain('abc');
    expect(said).toMatch(/not shown/);
  });

  test('megabytes of output are read, bounded, and hold nothing up; a secret cut at the bound does not show', async () => {
    const result = await run(`yes "${password}" | head -c 5000000; exit 2`);
    expect(result).toMatchObject({ kind: 'ended', code: 2 });
    expect(result.said.length).toBeLessThanOrEqual(401);
    expect(result.said).not.toMatch(/hunter/);
  });

  test('one that ends without reading its input', async () => {
    const program = join(dir, 'deaf');
    writeFileSync(program, '#!/bin/sh\nexec <&-\nexit 2\n', { mode: 0o755 });
    const options = { password, padding: 'x'.repeat(200_000) };
    expect(
      await runAgent({ device: { program, options }, action: 'status', timeoutMs: 5_000, signal: never }),
    ).toMatchObject({ kind: 'ended', code: 2 });
  });

  test.each([
    ['a value', { ip: '10.0.0.1\nplug=8' }],
    ['a name', { 'ip=10.0.0.1\nplug': '8' }],
  ])('%s that would be two lines: it is not even started', async (_, options) => {
    const device = { ...agent(`touch ${dir}/started`), options };
    const call = { device, action: 'off', timeoutMs: 5_000, signal: never } as const;
    expect(await runAgent(call)).toMatchObject({ kind: 'cannot-run' });
    expect(existsSync(join(dir, 'started'))).toBe(false);
  });

  test('one that is no program', async () => {
    const program = join(dir, 'nonsense');
    writeFileSync(program, '\u0000\u0001', { mode: 0o755 });
    const call = { action: 'status', timeoutMs: 5_000, signal: never } as const;
    expect(await runAgent({ device: { program, options: {} }, ...call })).not.toMatchObject({ code: 0 });
    const gone = { program: join(dir, 'gone'), options: {} };
    expect(await runAgent({ device: gone, ...call })).toMatchObject({ kind: 'cannot-run' });
  });

  test('one that hangs, ignores SIGTERM and has children: all are ended at its time limit', async () => {
    const body = `trap '' TERM\nsh -c 'trap "" TERM; echo $$ > ${dir}/child; exec sleep 60' &\necho $$ > ${dir}/parent\necho halfway\nwait; sleep 60`;
    const startedAtMs = Date.now();
    const result = await run(body, { timeoutMs: 300 });
    expect(result).toEqual({ kind: 'timed-out', said: 'halfway' });
    expect(Date.now() - startedAtMs).toBeLessThan(3_000);
    expect(isAlive(await pidIn('parent'))).toBe(false);
    expect(isAlive(await pidIn('child'))).toBe(false);
  });

  test('one that ends but leaves a child with its output open: the child is ended too', async () => {
    const startedAtMs = Date.now();
    const result = await run(
      `sh -c 'echo $$ > ${dir}/left; exec sleep 60' &\nwhile [ ! -s ${dir}/left ]; do :; done; exit 0`,
    );
    expect(result).toMatchObject({ kind: 'ended', code: 0 });
    expect(Date.now() - startedAtMs).toBeLessThan(2_500);
    expect(isAlive(await pidIn('left'))).toBe(false);
  });

  test('aborted: the agent is ended, and the reason is what is thrown', async () => {
    const stop = new AbortController();
    const reason = new Error('this ns4 is being stopped');
    const running = run(`echo $$ > ${dir}/aborted; sleep 60`, { signal: stop.signal });
    const pid = await pidIn('aborted');
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(isAlive(pid)).toBe(false);
  });

  test('it is told nothing before the last word, and nothing at all when that is no', async () => {
    const told = join(dir, 'told');
    const body = `echo "$action" > ${told}`;
    const no = new Error('another worker owns it');
    const beforeTelling = async () => {
      await delay(200);
      expect(existsSync(told)).toBe(false);
      throw no;
    };
    await expect(run(body, { action: 'off', beforeTelling })).rejects.toBe(no);
    await delay(100);
    // Not even an empty input: fence agents take that for an order to reboot.
    expect(existsSync(told)).toBe(false);
    await run(body, { action: 'off', beforeTelling: async () => {} });
    expect(readFileSync(told, 'utf8')).toBe('off\n');
  });
});

describe('one level', () => {
  const device = (name: string) => `${dir}/${name}`;
  const honest = (name: string) =>
    `f=${device(name)}; case $action in off) echo off > $f; echo "Success: Powered OFF";; status) grep -q off $f 2>/dev/null && { echo "Status: OFF"; exit 2; }; echo "Status: ON";; esac`;

  test('off, and seen off', async () => {
    expect(await off(honest('a'))).toMatchObject({
      off: true,
      output: 'off: Success: Powered OFF; status: Status: OFF',
    });
  });

  test('off already: it is told to power off all the same', async () => {
    writeFileSync(device('b'), 'off');
    rmSync(device('b-told'), { force: true });
    const body = `[ $action = off ] && touch ${device('b-told')}; ${honest('b')}`;
    expect(await off(body)).toMatchObject({ off: true });
    expect(existsSync(device('b-told'))).toBe(true);
  });

  test('off a moment later: it is waited for', async () => {
    const since = '$(( $(date +%s%N) - $(cat $f) ))';
    const body = `f=${device('c')}; case $action in off) date +%s%N > $f;; status) [ ${since} -gt 300000000 ] && exit 2; exit 0;; esac`;
    expect(await off(body, 8_000)).toMatchObject({ off: true });
  });

  test('success without effect: no proof', async () => {
    expect(await off('[ $action = off ] && echo "Success: Powered OFF"; exit 0', 600)).toMatchObject({
      off: false,
      failure: { failure: 'not-verified', agent: 'fence_own' },
    });
  });

  test('a failed off is not made good by a status that says off', async () => {
    expect(await off('[ $action = off ] && { echo no >&2; exit 1; }; exit 2')).toMatchObject({
      off: false,
      failure: { failure: 'off-failed', detail: 'exit code 1: no' },
    });
  });

  test('an off that exits with 2 failed as well: that code means something only for status', async () => {
    expect(await off('exit 2')).toMatchObject({ off: false, failure: { failure: 'off-failed' } });
  });

  test('an off that hangs', async () => {
    expect(await off('sleep 60', 300)).toMatchObject({ off: false, failure: { failure: 'timed-out' } });
  });

  test('a status that errs, then hangs: bounded', async () => {
    const startedAtMs = Date.now();
    const body = `[ $action = off ] && exit 0; [ -e ${device('d')} ] && sleep 60; touch ${device('d')}; echo "login failed" >&2; exit 1`;
    expect(await off(body, 600)).toMatchObject({ off: false, failure: { failure: 'not-verified' } });
    expect(Date.now() - startedAtMs).toBeLessThan(5_000);
  });
});

describe('one look at a host that was proven off', () => {
  test.each([
    ['says on', 'echo Status: ON; exit 0', 'on'],
    ['says off', 'echo Status: OFF; exit 2', 'off'],
    ['errs', 'echo "login failed" >&2; exit 1', 'unknown'],
    ['hangs', 'sleep 60', 'unknown'],
  ])('the device %s', async (_, body, says) => {
    const startedAtMs = Date.now();
    const seen = await look({ level: levelOf(body), timeoutMs: 1_000, signal: never });
    expect(seen.says).toBe(says);
    expect(Date.now() - startedAtMs).toBeLessThan(5_000);
  });

  test('it is not there at all', async () => {
    const gone = { agent: 'fence_own', program: join(dir, 'no-such-agent'), options: {} };
    const level = { number: 1, devices: [gone] };
    expect((await look({ level, timeoutMs: 1_000, signal: never })).says).toBe('unknown');
  });
});
