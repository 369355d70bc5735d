// What the service manager is told, and when it is not: the watchdog must end a process whose loop stands still, and no
// other one.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Notify, serviceManagerOf } from '../../../../src/shared/process/service-manager.ts';

/** Time that passes when the test says so. */
function handClock() {
  let nowMs = 0;
  let waiting: { untilMs: number; wake: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    steadyMs: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const end = () => reject(signal?.reason);
        signal?.addEventListener('abort', end, { once: true });
        const wake = () => {
          signal?.removeEventListener('abort', end);
          resolve();
        };
        waiting.push({ untilMs: nowMs + ms, wake });
      }),
    async pass(ms: number) {
      const endMs = nowMs + ms;
      await turn();
      for (;;) {
        const next = waiting.toSorted((a, b) => a.untilMs - b.untilMs)[0];
        if (next === undefined || next.untilMs > endMs) break;
        nowMs = next.untilMs;
        waiting = waiting.filter((one) => one !== next);
        next.wake();
        await turn();
      }
      nowMs = endMs;
    },
  };
}

function managed(environment: Record<string, string> = {}, notify?: Notify) {
  const env: NodeJS.ProcessEnv = {
    ...{ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7', PATH: '/usr/bin' },
    ...environment,
  };
  const clock = handClock();
  const told: string[] = [];
  const said: string[] = [];
  const manager = serviceManagerOf({
    ...{ env, pid: 7, clock, say: (line) => said.push(line) },
    notify: notify ?? (async (lines) => void told.push(lines.join(' '))),
  });
  const since = () => told.splice(0);
  return { env, clock, manager, told, said, since };
}

describe('told', () => {
  test('nothing before it works, then that it does, and that it lives three times in each period', async () => {
    const { clock, manager, since } = managed();
    const beat = manager.loop('the round', 1_000_000);
    beat();
    await clock.pass(60_000);
    expect(since()).toEqual([]);
    manager.ready('watches cloud one');
    manager.ready('twice is once');
    await clock.pass(25_000);
    expect(since()).toEqual(['STATUS=watches cloud one READY=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    manager.stopping();
    manager.stopping();
    await clock.pass(60_000);
    expect(since()).toEqual(['STOPPING=1']);
  });

  test('a loop that stands still: not a word that it lives, and why; it goes on when the loop does', async () => {
    const { clock, manager, said, since } = managed();
    const beats = [manager.loop('the round', 15_000), manager.loop('the work', 15_000)];
    manager.ready('works');
    for (let i = 0; i < 3; i += 1) {
      await clock.pass(10_000);
      for (const beat of beats) beat();
    }
    expect(since().filter((line) => line === 'WATCHDOG=1')).toHaveLength(4);
    for (let i = 0; i < 5; i += 1) {
      beats[1]?.();
      await clock.pass(10_000);
    }
    expect(since()).toEqual(['WATCHDOG=1', 'STATUS=the round stands still since 20 s']);
    expect(said).toEqual([
      'the round stands still since 20 s; the service manager is not told that all is well until that ends',
    ]);
    for (const beat of beats) beat();
    await clock.pass(10_000);
    expect(since()).toEqual(['WATCHDOG=1 STATUS=works']);
  });

  test('a pause that was told of is no standing still', async () => {
    const { clock, manager, since } = managed();
    const beat = manager.loop('the relay', 15_000);
    manager.ready('relays');
    await clock.pass(0);
    beat(300_000);
    since();
    await clock.pass(310_000);
    expect(since().filter((line) => line === 'WATCHDOG=1')).toHaveLength(31);
    await clock.pass(50_000);
    expect(since().filter((line) => line === 'WATCHDOG=1').length).toBeLessThan(2);
  });

  test('that it cannot be told is said once', async () => {
    const { clock, manager, said } = managed({}, async () => {
      throw new Error('spawn systemd-notify ENOENT');
    });
    manager.ready('works');
    await clock.pass(60_000);
    manager.stopping();
    await clock.pass(0);
    expect(said).toEqual(['the service manager cannot be told READY=1: spawn systemd-notify ENOENT']);
  });
});

describe('the environment', () => {
  test('is not handed on to programs that are started', () => {
    expect(managed().env).toEqual({ PATH: '/usr/bin' });
  });

  test.each([
    ['without a service manager nothing is told', { NOTIFY_SOCKET: '' }, []],
    ['without a watchdog it is told that it works', { WATCHDOG_USEC: '' }, ['STATUS=works READY=1']],
    ['a watchdog that is meant for another process', { WATCHDOG_PID: '8' }, ['STATUS=works READY=1']],
    ['a watchdog that nobody can read', { WATCHDOG_USEC: 'soon' }, ['STATUS=works READY=1']],
  ])('%s', async (_, environment, expected) => {
    const { clock, manager, since } = managed(environment);
    manager.loop('the round', 1_000);
    manager.ready('works');
    await clock.pass(60_000);
    expect(since()).toEqual(expected);
  });
});
