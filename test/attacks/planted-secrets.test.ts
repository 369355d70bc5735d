// A hundred planted secrets, and everything around the three processes quotes them: Keystone when it refuses a login,
// Nova in every error, a fence agent in all it writes. None of them may be in any output, in Redis, or in a post of Slack.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { type Slack, startSlack } from '../../simulator/slack/slack.ts';
import { heardAll } from '../support/baseline.ts';
import { Household, type Running } from '../support/processes.ts';
import { QuotingCloud } from '../support/quoting-cloud.ts';
import { quotings } from '../support/quotings.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

/** What every secret has in it, in letters that few forms have to guard. */
const marks = Array.from({ length: 100 }, (_, i) => `Plant${String(i).padStart(3, '0')}`);
const guarded = ['', `"&'<`, ' $(id) `', 'ä€', '\\n%41+/', ';#!*~'];
const secrets = marks.map((mark, i) => `${mark}${guarded[i % guarded.length]}${mark}end`);
const secret = (i: number): string => secrets[i] ?? '';

let simulator: Simulator;
let redis: TestRedis;
let slack: Slack;
let cloud: QuotingCloud;
let house: Household;

beforeAll(async () => {
  [redis, slack, simulator] = await Promise.all([
    startRedis(),
    startSlack({ channels: ['ops'] }),
    startSimulator({
      password: secret(0),
      durations: { reportIntervalMs: 500, serviceDownMs: 3_000, agentDownMs: 3_000 },
    }),
  ]);
  for (const name of ['vm-1', 'vm-2', 'vm-3']) await simulator.boot(name, 'hv01');
  await simulator.boot('other', 'hv02');
  simulator.spare('hv04');
  const own = simulator.cloudsYaml();
  cloud = await QuotingCloud.open(/http:\/\/[\d.]+:\d+/.exec(own)?.[0] ?? '', secrets);
  const others = Object.fromEntries(
    secrets.slice(1, 50).map((password, i) => [`cloud-${i}`, { auth: { auth_url: 'http://k', password } }]),
  );
  const cloudsYaml = `${own.replaceAll(/http:\/\/[\d.]+:\d+/g, cloud.origin)}${stringify(others)
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n')}`;
  house = new Household({
    cloud: 'simulated',
    redisPort: redis.port,
    cloudsYaml,
    ini: {
      DEFAULT: { monitor_period: 1, heartbeat_period: 3, cooldown_period: 3600 },
      OPENSTACK: { cloud: 'simulated' },
      MYSQL: { pass: secret(97).replaceAll('%', '%%') },
      SCAN: { hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5 },
      FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout: 5 },
      SLACK: {
        token: slack.botToken,
        app_token: slack.appToken,
        channel: 'ops',
        api_url: slack.apiUrl,
        old_password: secret(98).replaceAll('%', '%%'),
        old_token: secret(99).replaceAll('%', '%%'),
      },
    },
  });
  layFencing();
});
afterAll(async () => {
  await house?.close();
  await Promise.all([cloud?.close(), slack?.close(), redis?.stop(), simulator?.close()]);
});

/** An agent that writes its passwords in every form, whatever it is asked; options of known and of unknown names. */
function layFencing(): void {
  const agent = join(house.dir, 'fence_chatty');
  const own = secrets.slice(50, 97);
  const forms = Object.values(quotings);
  for (const [i, form] of forms.entries())
    writeFileSync(join(house.dir, `words-${i}`), form(own[i % own.length] ?? ''));
  const next = `n=$(cat ${house.dir}/turn || echo 0); echo $(((n + 1) % ${forms.length})) > ${house.dir}/turn`;
  writeFileSync(agent, `#!/bin/sh\ncat > /dev/null\n${next}\ncat ${house.dir}/words-$n >&2\nexit 1\n`);
  chmodSync(agent, 0o755);
  const options = Object.fromEntries(
    own.map((value, i) => [i % 2 === 0 ? `password_${i}` : `unheard_of_${i}`, value]),
  );
  const hosts = Object.fromEntries(
    ['hv01', 'hv02', 'hv03', 'hv04'].map((host) => [
      host,
      { levels: [{ agent, options: { ...options, plug: host } }] },
    ]),
  );
  writeFileSync(join(house.dir, 'fencing.yaml'), stringify({ hosts }), { mode: 0o600 });
}

/** Everything that Redis holds, as text. */
async function everythingIn(client: Redis): Promise<string> {
  const texts: string[] = [];
  for (const key of await client.keys('*')) {
    const read = {
      string: () => client.get(key),
      list: () => client.lrange(key, 0, -1),
      hash: () => client.hgetall(key),
      stream: () => client.xrange(key, '-', '+'),
      zset: () => client.zrange(key, '0', '-1'),
      set: () => client.smembers(key),
    }[await client.type(key)];
    texts.push(key, JSON.stringify(await read?.()));
  }
  return texts.join('\n');
}

/** A text with whatever it says in other writing behind it; in its own words, not the masker's. */
function inClear(text: string): string {
  const byCode = (base: number) => (_: string, code: string) =>
    String.fromCodePoint(Number.parseInt(code, base));
  const plain = text
    .replaceAll(/\\+u([0-9a-f]{4})/gi, byCode(16))
    .replaceAll(/\\+x([0-9a-f]{2})/gi, byCode(16))
    .replaceAll(/\\+([0-7]{3})/g, byCode(8))
    .replaceAll(/&#x0*([0-9a-f]{1,5});?/gi, byCode(16))
    .replaceAll(/&#0*([0-9]{1,6});?/g, byCode(10))
    .replaceAll(/(?:%25)*%([0-9a-f]{2})/gi, byCode(16));
  const base64 = [...text.matchAll(/[A-Za-z0-9+/_-]{10,}/g)].flatMap(([run]) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64').toString('latin1')),
  );
  const hex = [...text.matchAll(/(?:[0-9a-f]{2}[:]?){8,}/gi)].flatMap(([run]) =>
    [0, 1].map((skip) => Buffer.from(run.replaceAll(':', '').slice(skip), 'hex').toString('latin1')),
  );
  return [text, plain, ...base64, ...hex].join('\n');
}

function leaksIn(text: string): string[] {
  const clear = inClear(inClear(text));
  return marks.filter((mark) => clear.includes(mark));
}

test('the test itself would see a secret in any form', () => {
  for (const [name, form] of Object.entries(quotings))
    expect(leaksIn(form(secret(7))), name).toEqual([marks[7]]);
});

test('a login that is refused, in twelve ways', async () => {
  cloud.hostile = (_, path) => path.endsWith('/auth/tokens');
  const said = await Promise.all(
    ['-v', '-vv', '-v', '-vv'].map(async (verbosity) => {
      const running = house.start('ns4', '--check', verbosity);
      await running.exited;
      return running.output;
    }),
  );
  expect(cloud.answered).toBeGreaterThan(4);
  expect(leaksIn(said.join('\n'))).toEqual([]);
  expect(said.join('\n')).toMatch(/Keystone login of user \S+: \d{3} /);
});

test('a whole failure with a cloud, a device and proxies that quote', async () => {
  cloud.hostile = () => false;
  const running: Running[] = (['ns4', 'monitor', 'sonny'] as const).map((name) => house.start(name, '-vv'));
  await heardAll(house.redis, 'simulated');
  const before = cloud.answered;
  let turn = 0;
  // Enough goes through that a recovery gets under way.
  cloud.hostile = (method, path) => {
    turn += 1;
    return method !== 'GET' || /os-migrations|os-aggregates|projects/.test(path) || turn % 4 === 0;
  };
  await simulator.kill('hv01');
  for (let i = 0; i < 150 && cloud.answered - before < 120; i += 1) await delay(200);
  const commands = [
    house.start('ns4', '--check'),
    house.start('monitor', '--check'),
    house.start('sonny', '--check'),
    house.start('ns4', '--fence', 'hv01', '--action', 'status'),
    house.start('ns4', '--confirm-fenced', 'hv01', '--yes'),
  ];
  await Promise.all(commands.map(({ exited }) => Promise.race([exited, delay(20_000)])));
  for (let i = 0; i < 50 && cloud.answered - before < 160; i += 1) await delay(200);
  expect(cloud.answered - before).toBeGreaterThan(20);
  const outputs = [...running, ...commands].map(({ output }) => output);
  const kept = await everythingIn(house.redis);
  const posts = slack.posts.map(({ text }) => text).join('\n');
  expect(running.map(({ alive }) => alive)).toEqual([true, true, true]);
  expect(outputs.map(leaksIn)).toEqual(outputs.map(() => []));
  expect(leaksIn(kept)).toEqual([]);
  expect(leaksIn(posts)).toEqual([]);
  expect(outputs.join('\n')).toContain('****');
  expect(outputs.join('\n')).not.toMatch(/ticket=/);
  expect(readFileSync(join(house.dir, 'fencing.yaml'), 'utf8')).toContain(marks[60]);
}, 120_000);
