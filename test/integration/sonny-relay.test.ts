// The real sonny process between a real Redis and the pretend Slack: what is told, in which order, whatever is away.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Post, type Slack, startSlack } from '../../simulator/slack/slack.ts';
import type { EventFacts } from '../../src/shared/documents/events/events.ts';
import { announce } from '../../src/shared/documents/events/events.ts';
import { EventLog } from '../../src/shared/redis/event-log.ts';
import { databaseNumber, keysOf } from '../../src/shared/redis/keys.ts';
import { Household, type Ini, type Running } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const [cloud1, cloud2] = ['north', 'south'];

describe('the sonny process', { timeout: 60_000 }, () => {
  let redis: TestRedis;
  let slack: Slack;
  let household: Household;
  const connections: Redis[] = [];

  const house = (slackIni: Ini[string] = {}, clouds = cloud1) => {
    household = new Household({
      cloud: cloud1,
      redisPort: redis.port,
      cloudsYaml: '',
      ini: { SLACK: { clouds, ...slackIni } },
    });
  };
  const withSlack = (change: Ini[string] = {}): Ini[string] => ({
    token: slack.botToken,
    app_token: slack.appToken,
    channel: '#ops',
    api_url: slack.apiUrl,
    ...change,
  });
  /** Starts sonny and waits until it has said so, and so has taken its place in the stream. */
  const started = async (): Promise<Running> => {
    const before = greetings();
    const running = household.start('sonny', '-v');
    await slack.posted(() => greetings() > before, 20_000).catch(fail);
    return running;
  };
  const greetings = () => lines().filter((line) => line.startsWith('Sonny is initialized')).length;
  const fail = async (error: Error) => {
    throw new Error(`${error.message}\n${await household.story()}`);
  };
  const log = (cloud: string) => {
    const own = new Redis({ port: redis.port, db: databaseNumber(cloud), protocol: 2 });
    own.on('error', () => {});
    connections.push(own);
    return new EventLog(own, keysOf(cloud));
  };
  const facts = (host: string): EventFacts => ({ kind: 'disabled-with-instances', host, instances: 1 });
  /** Events are numbered over all clouds; `from` up to `to`, not included. */
  const happen = async (from: number, to: number, cloud = cloud1) => {
    const numbers = Array.from({ length: to - from }, (_, i) => from + i);
    await log(cloud).append(numbers.map((n) => announce(cloud, Date.now(), facts(`hv${n}`))));
  };
  const lines = (posts: readonly Post[] = slack.appPosts) => posts.flatMap(({ text }) => text.split('\n'));
  /** Numbers of the events told, in order. */
  const told = (cloud = cloud1) =>
    lines()
      .flatMap((line) => new RegExp(`^${cloud}: hv(\\d+) `).exec(line)?.[1] ?? [])
      .map(Number);
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const until = (last: number, cloud = cloud1) =>
    slack.posted((post) => post.text.includes(`${cloud}: hv${last} `), 30_000).catch(fail);
  const cursor = (key: string) => household.redis.get(key);

  beforeEach(async () => {
    redis = await startRedis({ aof: true });
    slack = await startSlack({ channels: ['ops'] });
  });
  afterEach(async () => {
    await household.close();
    for (const connection of connections.splice(0)) connection.disconnect();
    await slack.close();
    await redis.stop();
  });

  it('says that it is there, what happens in each cloud, and that it ends', async () => {
    house(withSlack(), `${cloud1}, ${cloud2}`);
    await happen(0, 3);
    const sonny = await started();
    expect(lines()).toEqual([`Sonny is initialized and follows ${cloud1}, ${cloud2}.`]);
    await happen(3, 5);
    await happen(5, 6, cloud2);
    await until(4);
    await until(5, cloud2);
    const before = Date.now();
    await sonny.signal('SIGTERM');
    expect(Date.now() - before).toBeLessThan(5_000);
    expect(await sonny.exited).toBe(0);
    expect(lines().at(-1)).toBe('Sonny terminates.');
    // What was there before the very first start is history.
    expect([told(), told(cloud2)]).toEqual([[3, 4], [5]]);
  });

  it('tells what monitors of other versions wrote, past what nobody can read', async () => {
    house(withSlack());
    await started();
    const { incidents: _, ...rest } = announce(cloud1, Date.now(), facts('hv1'));
    await happen(0, 1);
    for (const written of [
      '{',
      JSON.stringify({ ...rest, version: 1, text: 'hv1 said an older monitor.' }),
      JSON.stringify({
        ...rest,
        version: 2,
        incidents: [],
        text: 'hv2 is news.',
        facts: { kind: 'of-next-year' },
      }),
    ])
      await household.redis.xadd(keysOf(cloud1).events, '*', 'event', written);
    await happen(3, 4);
    await until(3);
    expect(told()).toEqual([0, 1, 2, 3]);
    expect(lines()).toContain(`${cloud1}: hv1 said an older monitor.`);
  });

  it('posts at most once a second, and loses nothing of a flood', async () => {
    house(withSlack());
    await started();
    for (let n = 0; n < 300; n += 10) {
      await happen(n, n + 10);
      await delay(50);
    }
    await until(299);
    expect(told()).toEqual(numbers(0, 300));
    const times = slack.appPosts.map(({ atMs }) => atMs);
    // A little less than a second: when it left and when it came are measured by two processes.
    for (const [i, at] of times.slice(1).entries()) expect(at - (times[i] ?? 0)).toBeGreaterThan(900);
    expect(Math.max(...slack.appPosts.map(({ text }) => text.length))).toBeLessThanOrEqual(3_500);
  });

  it('defect 12: what happens while Slack is away comes complete and in order when it is back', async () => {
    house(withSlack());
    await started();
    await happen(0, 2);
    await until(1);
    await slack.away();
    await happen(2, 50);
    await delay(2_500);
    await happen(50, 100);
    await slack.back();
    await until(99);
    expect(told()).toEqual(numbers(0, 100));
  });

  it('defect 12: while Slack refuses posts with 429 nothing is lost, and its pause is kept', async () => {
    house(withSlack());
    await started();
    slack.rateLimit(2, 2);
    await happen(0, 30);
    await delay(1_000);
    await happen(30, 60);
    await until(59);
    expect(told()).toEqual(numbers(0, 60));
    const times = slack.calls.filter(({ method }) => method === 'chat.postMessage').map(({ atMs }) => atMs);
    const [, first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(1_950);
    expect(third - second).toBeGreaterThanOrEqual(1_950);
  });

  it.each([
    ['an error page', { kind: 'status', status: 503 }],
    ['trouble of its own', { kind: 'error', error: 'internal_error' }],
    ['no answer at all', { kind: 'hang' }],
  ] as const)('defect 12: nothing is lost when Slack answers with %s', async (_, trouble) => {
    house(withSlack());
    await started();
    slack.trouble(trouble, 1, 'chat.postMessage');
    await happen(0, 5);
    await until(4);
    expect(told()).toEqual(numbers(0, 5));
  });

  it('defect 12: kill -9 in the middle, and what happens until the next start, lose nothing', async () => {
    house(withSlack());
    const sonny = await started();
    await happen(0, 400);
    await slack.posted((post) => post.text.includes(`${cloud1}: hv0 `)).catch(fail);
    await sonny.signal('SIGKILL');
    const killedAt = told().length;
    expect(killedAt).toBeLessThan(400);
    await happen(400, 410);
    await started();
    await until(409);
    // One post at most is told twice: the one whose cursor was not stored yet.
    expect([...new Set(told())]).toEqual(numbers(0, 410));
    const largest = Math.max(...slack.appPosts.map(({ text }) => text.split('\n').length));
    expect(told().length - 410).toBeLessThanOrEqual(largest);
  });

  it('defect 12: killed while Slack was away, it tells all at the next start', async () => {
    house(withSlack());
    const sonny = await started();
    await slack.away();
    await happen(0, 20);
    await delay(1_500);
    await sonny.signal('SIGKILL');
    await slack.back();
    await started();
    await until(19);
    expect(told()).toEqual(numbers(0, 20));
  });

  it('starts while Slack is away, and collects meanwhile', async () => {
    house(withSlack());
    await slack.away();
    const sonny = household.start('sonny');
    const deadline = Date.now() + 10_000;
    while ((await cursor(keysOf(cloud1).relayCursor)) === null && Date.now() < deadline) await delay(50);
    await happen(0, 5);
    await slack.back();
    await until(4);
    expect(lines()[0]).toMatch(/^Sonny is initialized/);
    expect(told()).toEqual(numbers(0, 5));
    expect(sonny.alive).toBe(true);
  });

  it('goes on after Redis was restarted', async () => {
    house(withSlack());
    await started();
    await happen(0, 2);
    await until(1);
    await redis.shutdown();
    await delay(1_000);
    await redis.start();
    await happen(2, 4);
    await until(3);
    expect(told()).toEqual(numbers(0, 4));
  });

  it('ends within its deadline although Slack does not answer', async () => {
    house(withSlack());
    const sonny = await started();
    slack.trouble({ kind: 'hang' }, 100);
    await happen(0, 1);
    await delay(1_500);
    const before = Date.now();
    await sonny.signal('SIGTERM');
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(await sonny.exited).toBe(0);
    slack.calm();
    await started();
    await until(0);
  });

  it('without app_token only posts', async () => {
    house(withSlack({ app_token: 'None' }));
    await started();
    await happen(0, 2);
    await until(1);
    expect(slack.connections).toBe(0);
    expect(slack.calls.map(({ method }) => method)).not.toContain('apps.connections.open');
  });

  it('without token tells the terminal, loses nothing over a kill -9, and leaves the cursor of Slack alone', async () => {
    house();
    const shown = (running: Running, last: number) =>
      expect.poll(() => running.output, { timeout: 20_000 }).toMatch(new RegExp(`hv${last} `));
    const first = household.start('sonny');
    await expect.poll(() => first.output, { timeout: 20_000 }).toContain('Sonny is initialized');
    await happen(0, 3);
    await shown(first, 2);
    expect(first.output).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARNING north: hv0 is disabled/m);
    await first.signal('SIGKILL');
    await happen(3, 5);
    const second = household.start('sonny');
    await shown(second, 4);
    expect(second.output).not.toMatch(/hv0 /);
    expect(second.output).toMatch(/hv3 [\s\S]*hv4 /);
    await second.signal('SIGTERM');
    expect(second.output).toMatch(/Sonny terminates\.\s*$/);
    expect(await cursor(keysOf(cloud1).relayCursor)).toBeNull();
  });
});
