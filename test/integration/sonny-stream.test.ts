// The cursor in a real event stream: first start, pages, what was trimmed away, a stream that began anew.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { announce } from '../../src/shared/documents/events/events.ts';
import { EventLog, eventCapacity } from '../../src/shared/redis/event-log.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { type Page, RedisEventSource } from '../../src/sonny/inbox/event-source.ts';
import { streamStart } from '../../src/sonny/inbox/position.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const keys = keysOf('cloud1');
const event = (host: string) =>
  announce('cloud1', 0, { kind: 'disabled-with-instances', host, instances: 1 });

describe('the event stream of a cloud', () => {
  let server: TestRedis;
  let redis: Redis;
  let log: EventLog;
  const open = () =>
    new RedisEventSource(redis, {
      cloud: 'cloud1',
      streamKey: keys.events,
      cursorKey: keys.relayCursor,
    });
  const add = (...hosts: string[]) => log.append(hosts.map(event));
  const said = ({ entries }: Page) => entries.map((entry) => entry.event?.text.split(' ')[0] ?? null);
  const numbers = ({ entries }: Page) => entries.map(({ position }) => position.number);

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis({ port: server.port, protocol: 2 });
    log = new EventLog(redis, keys);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  beforeEach(() => redis.flushall());

  it('begins at the end at the very first start, and keeps that place', async () => {
    await add('old1', 'old2');
    const first = await open().open();
    await add('new1');
    // Killed before it said anything: the next start knows the place all the same.
    const second = open();
    expect(await second.open()).toEqual(first);
    const page = await second.readAfter(first, 10);
    expect([said(page), numbers(page), page.lost]).toEqual([['new1'], [3], null]);
  });

  it('begins at the beginning of a stream that did not exist at the first start', async () => {
    const source = open();
    const position = await source.open();
    expect(position).toEqual(streamStart);
    expect(await source.readAfter(position, 10)).toEqual({ entries: [], lost: null });
    await add('a', 'b');
    expect(said(await open().readAfter(await open().open(), 10))).toEqual(['a', 'b']);
  });

  it('reads page by page, each event with its number', async () => {
    const source = open();
    let position = await source.open();
    await add(...Array.from({ length: 25 }, (_, i) => `hv${i}`));
    const pages: string[] = [];
    for (;;) {
      const page = await source.readAfter(position, 10);
      const last = page.entries.at(-1);
      if (last === undefined) break;
      pages.push(...said(page).map(String));
      expect(last.position.number).toBe(pages.length);
      position = last.position;
      await source.store(position);
    }
    expect(pages).toEqual(Array.from({ length: 25 }, (_, i) => `hv${i}`));
    expect(await open().open()).toEqual(position);
  });

  it('counts what the cap took away meanwhile, also behind an unread page', async () => {
    const source = open();
    const start = await source.open();
    await add(...Array.from({ length: 30 }, (_, i) => `hv${i}`));
    const page = await source.readAfter(start, 10);
    expect(page.lost).toBeNull();
    await redis.xtrim(keys.events, 'MAXLEN', 5);
    const next = await source.readAfter(page.entries.at(-1)?.position ?? start, 10);
    expect(next.lost).toMatchObject({ count: 15 });
    expect(said(next)).toEqual(['hv25', 'hv26', 'hv27', 'hv28', 'hv29']);
    expect(numbers(next)).toEqual([26, 27, 28, 29, 30]);
  });

  it('counts in a stream that the monitor itself trimmed', async () => {
    const source = open();
    const start = await source.open();
    const hosts = Array.from({ length: eventCapacity + 500 }, (_, i) => `hv${i}`);
    await add(...hosts);
    const page = await source.readAfter(start, 1);
    const kept = await redis.xlen(keys.events);
    expect(kept).toBeLessThan(eventCapacity + 500);
    expect(page.lost).toMatchObject({ count: hosts.length - kept });
    expect(said(page)).toEqual([`hv${hosts.length - kept}`]);
  });

  it('reports no loss when only what was read is gone', async () => {
    const source = open();
    const start = await source.open();
    await add('a', 'b', 'c');
    const position = (await source.readAfter(start, 3)).entries.at(-1)?.position ?? start;
    await add('d');
    await redis.xtrim(keys.events, 'MAXLEN', 1);
    const page = await source.readAfter(position, 10);
    expect([said(page), page.lost]).toEqual([['d'], null]);
  });

  it('goes on in a stream that was deleted, and in one whose clock went back', async () => {
    const source = open();
    const start = await source.open();
    await add('a', 'b');
    const position = (await source.readAfter(start, 2)).entries.at(-1)?.position ?? start;
    await redis.del(keys.events);
    expect(said(await source.readAfter(position, 10))).toEqual([]);
    await redis.xadd(keys.events, '5-0', 'event', JSON.stringify(event('early')));
    expect(said(await source.readAfter(position, 10))).toEqual(['early']);
    await redis.del(keys.events);
    await add('later');
    expect(said(await source.readAfter(position, 10))).toEqual(['later']);
  });

  it('hands on whole events, of whichever version, and one that cannot be read stops none of the others', async () => {
    const source = open();
    const start = await source.open();
    const good = announce('cloud1', 1, { kind: 'returned', host: 'hv1' }, ['20261121T120000-hv1']);
    const { incidents: _, ...rest } = good;
    for (const written of [
      JSON.stringify(good),
      '{',
      JSON.stringify({ ...good, facts: { kind: 'of-next-year' } }),
      JSON.stringify({ ...rest, version: 1 }),
      JSON.stringify(good),
    ])
      await redis.xadd(keys.events, '*', 'event', written);
    await redis.xadd(keys.events, '*', 'other', 'field');
    const page = await source.readAfter(start, 10);
    expect(page.entries.map(({ event: read }) => read)).toEqual([
      good,
      null,
      { ...good, facts: null },
      { ...good, version: 1, incidents: [], facts: null },
      good,
      null,
    ]);
    expect(numbers(page)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('takes a stored cursor that is none for a first start', async () => {
    await redis.set(keys.relayCursor, 'nonsense');
    await add('a');
    expect(await open().open()).toMatchObject({ number: 1 });
  });
});
