// Restraint on a real OpenStack: whatever else is broken, nothing is evacuated, no compute service is touched, and the
// reason is announced by its name. The tests break the cloud further and further, so that one reset serves many of
// them.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readState } from '../../src/monitor/memory.ts';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import type { Refusal, RefusalName } from '../../src/shared/documents/refusals/refusals.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { cloudTool } from '../support/cloud-tool.ts';
import type { Household, Ini } from '../support/processes.ts';
import { never, type Stage, stage, Testbed } from '../support/testbed.ts';

const heartbeatPeriodMs = 8_000;
const hosts = ['hv01', 'hv02', 'hv03', 'hv04'];

let testbed: Testbed;
let on: Stage | null = null;

beforeAll(async () => {
  testbed = await Testbed.open();
});
afterEach(async () => {
  await on?.close();
  on = null;
});
afterAll(async () => {
  await testbed?.reset();
  await testbed?.close();
});

/** Instances that could be evacuated, and hv02's as a witness that the external network is well. */
async function resetAndBoot(): Promise<void> {
  await testbed.reset();
  await testbed.boot('vm', 'hv01', { count: 2 });
  await testbed.boot('other', 'hv02');
}

/** Starts ns4 and the monitor and waits until the first inventory. */
async function atWork(rules: Ini[string] = {}): Promise<Household> {
  on = await stage(testbed, { DEFAULT: { monitor_period: 3, ...rules }, SCAN: { timeout: 1 } });
  const { household } = on;
  // In some tests they are dead already.
  await testbed.wasWatched(on);
  household.start('ns4', '-vv');
  household.start('monitor', '-vv');
  const hostsKey = `sonny:{${testbed.env.cloud}}:inventory:hosts`;
  const isThere = async () => (await household.redis.exists(hostsKey)) === 1;
  await testbed.until('the first inventory', isThere, 60_000);
  return household;
}

/** What an evacuation would change: compute services as set by people, where each instance is, migration records. */
async function picture() {
  const services = await testbed.cloud.listComputeServices(never);
  const migrations = await Promise.all(hosts.map((host) => testbed.evacuations(host)));
  return {
    services: Object.fromEntries(
      services.map(({ host, status, disabledReason, forcedDown }) => [
        host,
        { status, disabledReason, forcedDown },
      ]),
    ),
    servers: Object.fromEntries(
      [...(await testbed.servers()).values()].map(({ name, host, status, taskState }) => [
        name,
        { host, status, taskState },
      ]),
    ),
    evacuations: migrations
      .flat()
      .map((m) => m.uuid)
      .sort(),
  };
}

const aliveAndWell = { status: 'enabled', disabledReason: null, forcedDown: false };
const untouched = {
  services: {
    hv01: aliveAndWell,
    hv02: aliveAndWell,
    hv03: aliveAndWell,
    hv04: { status: 'disabled', disabledReason: 'spare', forcedDown: false },
  },
  servers: {
    'vm-1': { host: 'hv01', status: 'ACTIVE', taskState: null },
    'vm-2': { host: 'hv01', status: 'ACTIVE', taskState: null },
    other: { host: 'hv02', status: 'ACTIVE', taskState: null },
  },
};

/** Waits until the monitor has ended so many further rounds: a decision put off must not go unseen. */
async function watchRounds(household: Household, rounds = 2): Promise<void> {
  const ends = new Set<number>();
  await testbed.until(
    `${rounds} further rounds of the monitor`,
    async () => {
      const state = await readState(household.redis, keysOf(testbed.env.cloud));
      const phase = state?.watches.hosts;
      if (phase?.kind === 'watching') ends.add(phase.nextCheckMs);
      // The first one seen may be the end of the round that is judged already.
      return ends.size > rounds;
    },
    60_000,
    100,
  );
}

function waitForRefusal(household: Household, name: RefusalName, host?: string) {
  return household.waitForEvent(
    ({ facts }) =>
      facts.kind === 'refused' &&
      facts.refusal.name === name &&
      (host === undefined || ('host' in facts.refusal && facts.refusal.host === host)),
    45_000,
  );
}

/** The names of all refusals announced, each once, sorted. */
async function refusalsSaid(household: Household): Promise<RefusalName[]> {
  const refused = (await household.events()).flatMap(({ facts }) =>
    facts.kind === 'refused' ? [facts.refusal.name] : [],
  );
  return [...new Set(refused)].sort();
}

async function expectNothingDone(
  household: Household,
  before: Awaited<ReturnType<typeof picture>>,
  only: readonly RefusalName[],
): Promise<void> {
  const story = await household.story();
  expect(await picture(), story).toEqual(before);
  const said = (await household.events()).map((e) => e.facts.kind);
  expect(
    said.filter((kind) => kind.startsWith('evacuation')),
    story,
  ).toEqual([]);
  expect(await refusalsSaid(household), story).toEqual([...only].sort());
}

/** Until the agents of exactly these hypervisors are silent, as Sonny counts it, and Nova sees all others up. */
async function silentAre(dead: readonly string[], limitMs = 60_000): Promise<void> {
  await testbed.until(
    `the silence of ${dead.join(', ') || 'nobody'}`,
    async () => {
      const agents = await testbed.cloud.listAgents(never);
      const services = await testbed.cloud.listComputeServices(never);
      return (
        agents.every(({ host, heartbeatAtMs }) =>
          dead.includes(host)
            ? Date.now() - heartbeatAtMs > heartbeatPeriodMs + 1_000
            : Date.now() - heartbeatAtMs < heartbeatPeriodMs / 2,
        ) && services.every((s) => s.state === 'up' || dead.includes(s.host))
      );
    },
    limitMs,
  );
}

describe('the control plane fails', () => {
  beforeAll(resetAndBoot);

  async function outage(service: string, lengthMs: number, meanwhile?: (h: Household) => Promise<unknown>) {
    await silentAre([]);
    const before = await picture();
    expect(before).toMatchObject(untouched);
    const household = await atWork();
    await cloudTool('service', 'stop', service);
    try {
      await Promise.all([delay(lengthMs), meanwhile?.(household)]);
    } finally {
      await cloudTool('service', 'start', service);
    }
    return { household, before };
  }

  /** OpenStack's own: each connection to RabbitMQ is tried again after pauses that grow, up to half a minute. */
  const recoveryLimitMs = 120_000;

  const isCleared = ({ facts }: SonnyEvent) => facts.kind === 'cleared' && facts.scope.kind === 'cloud';

  test('Keystone for 40 s: inventory-unavailable, then cleared', async () => {
    const { household, before } = await outage('keystone', 40_000, (h) =>
      waitForRefusal(h, 'inventory-unavailable'),
    );
    await household.waitForEvent(isCleared, 45_000);
    await watchRounds(household);
    await expectNothingDone(household, before, ['inventory-unavailable']);
  });

  test('nova-conductor for a minute: every nova-compute is down, nobody is suspicious, and it is said', async () => {
    const { household, before } = await outage('nova-conductor', 60_000, async (h) => {
      const said = await waitForRefusal(h, 'control-plane-suspect');
      expect(said.facts).toMatchObject({
        refusal: { scope: { kind: 'cloud' }, of: 'compute services', total: 4 },
      });
    });
    await silentAre([], recoveryLimitMs);
    await household.waitForEvent(isCleared, 15_000);
    await watchRounds(household);
    await expectNothingDone(household, before, ['control-plane-suspect']);
    expect((await household.events()).map((e) => e.facts.kind)).toEqual([
      'monitor-started',
      'refused',
      'cleared',
    ]);
  });

  test('RabbitMQ for a minute (every agent silent, every nova-compute down): nobody is judged', async () => {
    const { household, before } = await outage('rabbitmq', 60_000, (h) =>
      h.waitForEvent(
        ({ facts }) =>
          facts.kind === 'refused' &&
          facts.refusal.name === 'control-plane-suspect' &&
          facts.refusal.scope.kind === 'cloud' &&
          facts.refusal.of === 'agents',
        45_000,
      ),
    );
    await silentAre([], recoveryLimitMs);
    await household.waitForEvent(isCleared, 15_000);
    await watchRounds(household);
    // The first one or two to run out are looked at by themselves, until most have: they answer.
    const said = await refusalsSaid(household);
    const only: RefusalName[] = ['control-plane-suspect'];
    await expectNothingDone(
      household,
      before,
      said.includes('host-answers') ? [...only, 'host-answers'] : only,
    );
  });
});

describe('a hypervisor fails, in part or in full', () => {
  beforeAll(resetAndBoot);

  test('only its processes die: host-answers; its address is silent too: guests-answer', async () => {
    await silentAre([]);
    const before = await picture();
    expect(before).toMatchObject(untouched);
    const household = await atWork();
    await cloudTool('kill', 'hv01', '--compute', '--agent');
    const alive = await waitForRefusal(household, 'host-answers');
    expect(alive.text).toContain(testbed.addressOf('hv01'));
    await watchRounds(household);
    await expectNothingDone(household, before, ['host-answers']);

    await cloudTool('silence', testbed.addressOf('hv01'));
    const unreachable = await waitForRefusal(household, 'guests-answer');
    expect(unreachable.facts).toMatchObject({
      refusal: { host: 'hv01', answering: expect.arrayContaining(['"vm-1"', '"vm-2"']), silent: 0 },
    });
    await watchRounds(household);
    await expectNothingDone(household, before, ['host-answers', 'guests-answer']);
  });

  interface Case {
    readonly name: string;
    readonly refusal: { name: RefusalName } & Record<string, unknown>;
    readonly rules?: Ini[string];
    /** Further hypervisors killed, besides hv01. */
    readonly alsoDead?: readonly string[];
    /** Hypervisors whose agents are made silent, besides the dead. */
    readonly silentAgents?: readonly string[];
    readonly spoil?: () => Promise<void>;
    readonly mend?: () => Promise<void>;
    /** What `spoil` changes of the untouched services. */
    readonly services?: Record<string, object>;
  }

  const healthy = hosts.filter((host) => host !== 'hv01');
  const tool = (verb: string, objects: readonly string[]) => async () => {
    for (const object of objects) await cloudTool(verb, object);
  };
  const toHealthy = (verb: string) => () =>
    tool(
      verb,
      healthy.map((host) => testbed.addressOf(host)),
    )();
  const addressesOf = async (name: string) =>
    ((await testbed.servers()).get(name)?.addresses ?? []).map((a) => a.address);

  const cases: Case[] = [
    {
      name: 'dry mode',
      rules: { dead_backoff: 0 },
      refusal: { name: 'dry-mode', hosts: ['hv01'] },
    },
    {
      name: 'one suspect, none allowed',
      rules: { suspicious_backoff: 0 },
      refusal: { name: 'too-many-suspects', suspects: ['hv01'], limit: 0 },
    },
    {
      name: 'the scanner reaches no hypervisor at all',
      spoil: toHealthy('silence'),
      mend: toHealthy('unsilence'),
      refusal: {
        name: 'scanner-blind',
        of: 'hosts',
        hosts: ['hv01'],
        controls: healthy,
      },
    },
    {
      name: 'the scanner reaches no guest at all',
      spoil: async () => tool('silence', await addressesOf('other'))(),
      mend: async () => tool('unsilence', await addressesOf('other'))(),
      refusal: { name: 'scanner-blind', of: 'guests', hosts: ['hv01'] },
    },
    {
      name: 'no spare',
      spoil: tool('unspare', ['hv04']),
      mend: tool('spare', ['hv04']),
      services: { hv04: aliveAndWell },
      refusal: { name: 'no-spare', host: 'hv01', candidates: [] },
    },
    {
      name: 'the agent of the only spare is dead',
      silentAgents: ['hv04'],
      spoil: async () => void (await cloudTool('kill', 'hv04', '--agent')),
      mend: async () => void (await cloudTool('revive', 'hv04', '--agent')),
      refusal: {
        name: 'no-spare',
        host: 'hv01',
        candidates: [{ host: 'hv04', why: expect.stringContaining('has a silent network agent') }],
      },
    },
    {
      name: 'two suspects, one allowed',
      rules: { suspicious_backoff: 1 },
      alsoDead: ['hv02'],
      refusal: { name: 'too-many-suspects', suspects: ['hv01', 'hv02'], limit: 1 },
    },
    {
      name: 'two dead, one allowed',
      rules: { dead_backoff: 1 },
      alsoDead: ['hv02'],
      refusal: { name: 'too-many-dead', hosts: ['hv01', 'hv02'], limit: 1 },
    },
  ];

  const check = async (c: Case): Promise<void> => {
    const dead = ['hv01', ...(c.alsoDead ?? [])];
    for (const host of dead) await cloudTool('kill', host);
    try {
      await c.spoil?.();
      await silentAre([...dead, ...(c.silentAgents ?? [])]);
      const before = await picture();
      expect(before).toMatchObject({ ...untouched, services: { ...untouched.services, ...c.services } });
      const household = await atWork(c.rules);
      const event = await waitForRefusal(household, c.refusal.name);
      const { refusal } = event.facts as { refusal: Refusal };
      expect(refusal).toMatchObject(c.refusal);
      await watchRounds(household);
      await expectNothingDone(household, before, [c.refusal.name]);
    } finally {
      await on?.close();
      on = null;
      await c.mend?.();
    }
  };
  for (const c of cases) test(`${c.name}: ${c.refusal.name}`, () => check(c));
});

describe('after a recovery', () => {
  beforeAll(resetAndBoot);

  test('a second hypervisor dies, with a spare at hand: cooldown', async () => {
    const household = await atWork();
    await cloudTool('kill', 'hv01');
    await household.waitForEvent((e) => e.facts.kind === 'recovery-ended', 180_000);
    await cloudTool('spare', 'hv03');
    const before = await picture();
    expect(before.servers).toMatchObject({ 'vm-1': { host: 'hv04' }, other: { host: 'hv02' } });
    await cloudTool('kill', 'hv02');
    const event = await waitForRefusal(household, 'cooldown');
    expect(event.facts).toMatchObject({ refusal: { hosts: ['hv02'] } });
    await watchRounds(household);
    expect(await picture(), await household.story()).toEqual(before);
    expect(before.services.hv03).toEqual({ status: 'disabled', disabledReason: 'spare', forcedDown: false });
    expect(before.services.hv02).toEqual(aliveAndWell);
    const requested = (await household.events()).filter((e) => e.facts.kind === 'recovery-requested');
    expect(requested).toHaveLength(1);
    expect(await refusalsSaid(household)).toEqual(['cooldown']);
  });
});

describe('while the monitor watches', () => {
  beforeAll(async () => {
    await resetAndBoot();
    await testbed.boot('third', 'hv03');
  });

  test('two hypervisors die at the same moment, one allowed: nobody is taken for the only one', async () => {
    const household = await atWork({ dead_backoff: 1 });
    const before = await picture();
    await Promise.all([cloudTool('kill', 'hv01'), cloudTool('kill', 'hv02')]);
    await waitForRefusal(household, 'too-many-dead');
    await watchRounds(household);
    const said = await refusalsSaid(household);
    expect(said.filter((name) => name !== 'perhaps-more-dead')).toEqual(['too-many-dead']);
    expect(await picture(), await household.story()).toEqual(before);
    const requested = (await household.events()).filter((e) => e.facts.kind === 'recovery-requested');
    expect(requested).toEqual([]);
  });
});
