// The client of OpenStack alone, as it is quick: every field of every answer to every call of its, with nonsense of all kinds.
// It gives what makes sense or a CloudError, in time, without control characters; and the next straight answer is understood
// again, as nothing odd is remembered. `SEED` repeats it, `RUNS` makes it longer.
import { afterEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { type Cloud, CloudError } from '../../src/ns4/cloud/cloud.ts';
import { type CloudClient, createCloud } from '../../src/ns4/openstack/client.ts';
import { systemClock } from '../../src/shared/ground/clock.ts';
import { credentialsOf } from '../support/simulated-credentials.ts';
import { Bending } from './bending.ts';
import { seeded } from './nonsense.ts';

let simulator: Simulator;
let cloud: CloudClient;
afterEach(async () => {
  await cloud?.close();
  await simulator?.close();
});

const limitMs = 6_000;
const signal = new AbortController().signal;
const noControls = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

test('every call', async () => {
  const { random, runs } = seeded('bent answers to the client', 600);
  simulator = await startSimulator({ listen: false, durations: { tokenCacheMs: 60_000 } });
  const id = await simulator.boot('vm-1', 'hv01');
  await simulator.boot('vm-2', 'hv02');
  simulator.spare('hv04');
  // An odd catalogue is believed for a minute.
  let aheadMs = 0;
  const clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };
  const open = () =>
    createCloud(credentialsOf(simulator), {
      ...{ clock, random: () => 0, timeoutMs: 2_000 },
      retry: { retries: 1, pauseMs: 1, maxPauseMs: 1, totalMs: 3_000 },
    });
  const calls: Record<string, (of: CloudClient) => Promise<unknown>> = {
    describe: (of) => of.describe(signal),
    listHypervisors: (of) => of.listHypervisors(signal),
    readUptime: (of) => of.readUptime('hv01', signal),
    listComputeServices: (of) => of.listComputeServices(signal),
    listAgents: (of) => of.listAgents(signal),
    listAggregates: (of) => of.listAggregates(signal),
    listProjects: (of) => of.listProjects(signal),
    listServers: (of) => of.listServers(signal),
    readServer: (of) => of.readServer(id, signal),
    listEvacuations: (of) => of.listEvacuations('hv01', signal),
    listMigrations: (of) => of.listMigrations('hv01', signal),
    listMigrationsOf: (of) => of.listMigrationsOf(id, signal),
    listPorts: (of) => of.listPorts({ host: 'hv01' }, signal),
    listNetworks: (of) => of.listNetworks(signal),
    listInstanceAddresses: (of) => of.listInstanceAddresses(signal),
    changeComputeService: async (of) => {
      const [service] = await of.listComputeServices(signal, 'hv03');
      return of.changeComputeService(service?.id ?? '', { disabledReason: 'x', status: 'disabled' }, signal);
    },
  } satisfies Partial<Record<keyof Cloud | 'describe', (of: CloudClient) => Promise<unknown>>>;

  const done: string[] = [];
  const bending = new Bending(random, (what) => done.push(what));
  let [refused, given] = [0, 0];
  cloud = open();
  for (let run = 0; run < runs; run += 1) {
    const name = random.pick(Object.keys(calls));
    const call = calls[name];
    if (call === undefined) throw new Error(name);
    if (random.chance(0.3)) {
      await cloud.close();
      cloud = open();
    }
    done.splice(0);
    simulator.bend((asked, answer) => (random.chance(0.5) ? bending.bend(asked, answer) : answer));
    const beganMs = performance.now();
    const what = () => `${name} after ${done.join('; ')}`;
    try {
      const text = JSON.stringify(await call(cloud)) ?? '';
      given += 1;
      // Names of instances and reasons are for people to choose: they are shown by those who say them.
      expect(JSON.stringify(cloud.leftOut()), what()).not.toMatch(noControls);
      expect(text.length, what()).toBeLessThan(5_000_000);
    } catch (error) {
      if (!(error instanceof CloudError)) throw new Error(`${what()}: ${(error as Error).stack}`);
      refused += 1;
      expect(error.message, what()).not.toMatch(noControls);
      expect(error.message.length, what()).toBeLessThan(3_000);
    }
    simulator.bend(null);
    await call(cloud).catch(async () => {
      aheadMs += 61_000;
      await call(cloud).catch(() => {});
      await call(cloud).catch((error) => {
        throw new Error(`not understood afterwards, ${what()}: ${error}`);
      });
    });
    expect(performance.now() - beganMs, what()).toBeLessThan(limitMs);
  }
  process.stdout.write(
    `${bending.count} answers bent in ${bending.tried.fields.length} fields ` +
      `(${bending.tried.untouched.length} untouched): ${refused} calls refused, ${given} gave what made sense\n`,
  );
}, 600_000);
