// Records the fixture of test/integration/upgrade.test.ts: what the processes of today leave in Redis when they are
// killed in the middle of a recovery, with one instance moved, one asked for and two waiting. To be run when a release
// has changed what it keeps there, under the name of that release; what older ones left is never recorded again. Run
// with: npx tsx test/support/record-redis.ts > test/integration/fixtures/NAME.json   (after npm run build)
import { hostname } from 'node:os';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { heardAll } from './baseline.ts';
import { type HalfWayCloud, raiseCloud } from './half-way-cloud.ts';
import { Household, type Ini, type ProcessName } from './processes.ts';
import { until } from './raw-api.ts';
import { startRedis } from './redis.ts';
import { dumpRedis } from './redis-fixture.ts';

const name = 'simulated';
const [dead, spare] = ['hv01', 'hv04'];
/** What stands for this machine in the fixture. */
const machine = 'controller1';
const ini: Ini = {
  DEFAULT: { monitor_period: 1, heartbeat_period: 3, cooldown_period: 3600 },
  OPENSTACK: { cloud: name, concurrency: 1 },
  SCAN: { hypervisor_ports: '10022,10111,16509', instance_ports: 10022, timeout: 0.5, name: machine },
};
const plan = {
  computes: 4,
  durations: { reportIntervalMs: 500, serviceDownMs: 3_000, agentDownMs: 3_000, rebuildMs: 3_000 },
  spare,
  instances: [
    ...['vm-1', 'vm-2', 'vm-3', 'vm-4'].map((instance) => ({ name: instance, host: dead })),
    { name: 'other', host: 'hv02' },
  ],
};

const [{ simulator, ids }, redis] = await Promise.all([raiseCloud(plan), startRedis()]);
const household = new Household({
  cloud: name,
  redisPort: redis.port,
  cloudsYaml: simulator.cloudsYaml(),
  ini,
});
try {
  const running = (['ns4', 'monitor', 'sonny'] satisfies ProcessName[]).map((one) => household.start(one));
  await heardAll(household.redis, name);
  await simulator.kill(dead);
  const killedAtMs = Date.now();
  const journal = await until(
    readJournal,
    (found) => states(found) === 'ended asked pending pending',
    60_000,
  );
  const told = (await household.events()).at(-1);
  // sonny has told what there was to tell, so that its cursor says something.
  await until(
    () => running[2]?.output ?? '',
    (output) => output.includes(told?.text ?? ''),
  );
  await Promise.all(running.map((one) => one.signal('SIGKILL')));
  const dump = await dumpRedis(household.redis);
  if (states(await readJournal()) !== 'ended asked pending pending')
    throw new Error('killed too late: run it again');
  const cloud: HalfWayCloud = {
    name,
    ini,
    computes: plan.computes,
    durations: plan.durations,
    block: simulator.settings.block,
    ...{ dead, spare, killedAtMs },
    disabledReason: simulator.snapshot().hosts[dead]?.disabledReason ?? '',
    judgedAtMs: journal?.judgedAtMs ?? 0,
    instances: plan.instances.map((instance) => ({
      ...instance,
      id: ids[instance.name] ?? '',
      evacuation: evacuationOf(instance.name),
    })),
  };
  const text = JSON.stringify({ recordedAtMs: dump.recordedAtMs, cloud, keys: dump.keys }, null, 2);
  process.stdout.write(`${text.replaceAll(`${hostname()}/`, `${machine}/`)}\n`);
} finally {
  await household.close();
  await redis.stop();
  await simulator.close();
}

interface Journal {
  readonly judgedAtMs: number;
  readonly instances: Readonly<Record<string, { readonly name: string; readonly state: string }>>;
}

async function readJournal(): Promise<Journal | null> {
  const keys = keysOf(name);
  const id = await household.redis.get(keys.openJournal(dead));
  const text = id === null ? null : await household.redis.get(keys.journal(id));
  return text === null ? null : (JSON.parse(text) as Journal);
}

function states(journal: Journal | null): string {
  const order = ['ended', 'asking', 'asked', 'pending'];
  const found = Object.values(journal?.instances ?? {}).map(({ state }) => state);
  return found.sort((a, b) => order.indexOf(a) - order.indexOf(b)).join(' ');
}

function evacuationOf(instance: string): HalfWayCloud['instances'][number]['evacuation'] {
  const found = simulator.snapshot().migrations.find(({ server }) => server === instance)?.status;
  if (found === undefined || found === 'done') return found ?? null;
  return 'pre-migrating';
}
