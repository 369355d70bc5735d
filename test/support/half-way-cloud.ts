// A pretend cloud in the middle of a recovery, as a fixture tells of it: the dead host forced down, the spare enabled,
// one instance moved, one on its way, the others not asked for. Brought there by the same requests as ns4 makes,
// without it.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import type { Ini } from './processes.ts';
import { openRawApi, type RawService, until } from './raw-api.ts';
import type { RedisFixture } from './redis-fixture.ts';

export interface HalfWayCloud {
  readonly name: string;
  /** Everything in config.ini but where Redis is. */
  readonly ini: Ini;
  readonly computes: number;
  readonly durations: Readonly<Record<string, number>>;
  /** The X of all its addresses, 127.X.*. */
  readonly block: number;
  readonly dead: string;
  readonly spare: string;
  readonly disabledReason: string;
  /** Of which the dead host's last sign of life is older. */
  readonly killedAtMs: number;
  readonly judgedAtMs: number;
  /** In the order of their creation; `evacuation`: the state of its migration, null: never asked for. */
  readonly instances: readonly {
    readonly name: string;
    readonly id: string;
    readonly host: string;
    readonly evacuation: 'done' | 'pre-migrating' | null;
  }[];
}

/** What a version left in Redis, with the cloud that it belongs to. */
export interface RecoveryFixture extends RedisFixture {
  readonly cloud: HalfWayCloud;
}

export function readFixture(name: string): RecoveryFixture {
  const file = new URL(`../integration/fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as RecoveryFixture;
}

/** The cloud as it stood before the host died; `ids` are the new ones by name. */
export async function raiseCloud(
  cloud: Pick<HalfWayCloud, 'computes' | 'durations' | 'spare'> & {
    instances: readonly { name: string; host: string }[];
  },
): Promise<{ simulator: Simulator; ids: Record<string, string> }> {
  const { computes, durations } = cloud;
  const simulator = await startSimulator({ computes, durations });
  const ids: Record<string, string> = {};
  for (const { name, host } of cloud.instances) ids[name] = await simulator.boot(name, host);
  simulator.spare(cloud.spare);
  return { simulator, ids };
}

/**
 * The cloud as it stood when the fixture was recorded, with what is to be replaced in the fixture as it has other ids
 * and addresses. Resolves when the last request that was under way is under way again, `rebuildMs` before its end.
 */
export async function raiseHalfWay(
  { cloud, recordedAtMs }: RecoveryFixture,
  rebuildMs: number,
): Promise<{ simulator: Simulator; rename: Record<string, string> }> {
  const { dead, spare, instances } = cloud;
  const { simulator, ids } = await raiseCloud({ ...cloud, durations: { ...cloud.durations, rebuildMs } });
  await simulator.kill(dead);
  const killedAtMs = Date.now();
  const { nova } = await openRawApi(simulator);
  const change = async (host: string, body: object) => {
    const found = await nova('GET', `/os-services?binary=nova-compute&host=${host}`);
    const { status } = await nova('PUT', `/os-services/${found.at<RawService>('services', 0).id}`, { body });
    if (status !== 200) throw new Error(`the service of ${host} took no change: ${status}`);
  };
  await change(dead, { forced_down: true, status: 'disabled', disabled_reason: cloud.disabledReason });
  await change(spare, { status: 'enabled' });
  const ask = async (name: string) => {
    const { status } = await nova('POST', `/servers/${ids[name]}/action`, {
      body: { evacuate: { host: spare } },
    });
    if (status !== 200) throw new Error(`${name} could not be evacuated: ${status}`);
  };
  const migrationOf = (name: string) =>
    simulator.snapshot().migrations.find(({ server }) => server === name)?.status;
  const reached = (state: HalfWayCloud['instances'][number]['evacuation']) =>
    instances.filter(({ evacuation }) => evacuation === state).map(({ name }) => name);

  await Promise.all(reached('done').map(ask));
  const wait = (names: readonly string[], state: string) =>
    until(
      () => names.map(migrationOf),
      (found) => found.every((one) => one === state),
      4 * rebuildMs,
    );
  await wait(reached('done'), 'done');
  // The dead host must not have been heard of after it was judged: it has to be dead for as long as it was then.
  const deadForMs = recordedAtMs - cloud.killedAtMs;
  await delay(Math.max(0, killedAtMs + deadForMs - Date.now()));
  await Promise.all(reached('pre-migrating').map(ask));
  await wait(reached('pre-migrating'), 'pre-migrating');
  const renamed = instances.map(({ name, id }) => [id, ids[name] ?? '']);
  return {
    simulator,
    rename: { ...Object.fromEntries(renamed), [`127.${cloud.block}.`]: `127.${simulator.settings.block}.` },
  };
}
