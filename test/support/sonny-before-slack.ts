// A sonny process between a real Redis and a pretend Slack that speaks the real protocols: a Slack of its own for each
// test of a file, which share the Redis server.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Slack, startSlack } from '../../simulator/slack/slack.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { hypervisor, inventory, server, spare } from './inventories.ts';
import { Household, type Ini, type Running } from './processes.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** Called at the top of a test file: what its tests use. Begins and ends with each of them. */
export function sonnyBeforeSlack(): SonnyBeforeSlack {
  const given = new SonnyBeforeSlack();
  beforeAll(async () => {
    given.redis = await startRedis();
  });
  afterAll(() => given.redis.stop());
  beforeEach(async () => {
    given.slack = await startSlack({ channels: ['ops', 'other', 'foreign', 'D0ALONE'] });
  });
  afterEach(async () => {
    await given.house.close();
    await given.slack.close();
  });
  return given;
}

class SonnyBeforeSlack {
  declare redis: TestRedis;
  declare slack: Slack;
  declare house: Household;

  /** A household whose sonny posts to the pretend Slack. */
  async open(change: Record<string, string> = {}, env: NodeJS.ProcessEnv = {}): Promise<Household> {
    const { slack } = this;
    const ini: Ini = {
      SLACK: {
        token: slack.botToken,
        app_token: slack.appToken,
        channel: 'ops',
        ask: slack.channel('other').id,
        clouds: 'cloud1',
        api_url: slack.apiUrl,
        ...change,
      },
    };
    const redisPort = this.redis.port;
    this.house = new Household({ cloud: 'cloud1', redisPort, ini, cloudsYaml: 'clouds: {}\n', env });
    await this.house.redis.flushall();
    return this.house;
  }

  /** As open, with sonny started and connected. */
  async started(change: Record<string, string> = {}, verbosity = '-v'): Promise<Running> {
    await this.open(change);
    const sonny = this.house.start('sonny', verbosity);
    await this.slack.posted(/initialized/, 30_000);
    await this.until(() => this.slack.connections === 1);
    return sonny;
  }

  async until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    const endMs = Date.now() + limitMs;
    while (!condition()) {
      if (Date.now() > endMs) throw new Error(`not within ${limitMs} ms. ${await this.house.story()}`);
      await delay(20);
    }
  }

  /** What the bot answered in the thread of a question. */
  async ask(text: string): Promise<string> {
    const question = await this.slack.say(text, { mention: true });
    const answer = await this.slack
      .posted((post) => post.threadTs === question.ts)
      .catch(async (error: Error) => {
        throw new Error(`${error.message}\n${await this.house.story()}`);
      });
    return answer.text;
  }

  async fillInventory(): Promise<void> {
    const { hosts, servers } = inventory(
      {
        hypervisors: [hypervisor('hv01', { name: 'hv01.example.org' }), spare('hv02')],
        servers: [server('web1', 'hv01'), server('<!channel>```', 'hv01', { id: 'id-evil' })],
      },
      Date.now() - 12_000,
    );
    if (hosts === null) throw new Error('no hosts');
    await new InventoryStore(this.house.redis, keysOf('cloud1')).write(hosts, servers);
  }
}
