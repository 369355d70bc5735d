// What it costs to ask disks on a real Ceph: how long a look at a host with 200 instances takes, alive and silent, and the
// CPU of the background round over 5,000 instances, of ns4's own part and of its helper; and what cutting a host off takes.
// Run with: SONNY_CEPH_LAB=PATH npx tsx bench/ceph.ts [MINUTES]    (with "ceph-lab up --osds 3"; five unless said)
//
// The images are 200 real ones, held open by one process. In the background round each of them stands for 25 instances:
// it is asked by the name of another each time, at the rate of 5,000 in five minutes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { BackgroundAsking } from '../src/ns4/baseline/background-asking.ts';
import { Ceph } from '../src/ns4/ceph/ceph.ts';
import { cutOff } from '../src/ns4/disks/cut-off.ts';
import { Disks } from '../src/ns4/disks/disks.ts';
import { OpenedStore } from '../src/ns4/disks/opened-store.ts';
import type { Storage } from '../src/ns4/storage/storage.ts';
import { systemClock } from '../src/shared/ground/clock.ts';
import { InventoryStore } from '../src/shared/picture/store.ts';
import { connectRedis } from '../src/shared/redis/connect.ts';
import { keysOf } from '../src/shared/redis/keys.ts';
import { disksTarget } from '../src/shared/rules/disks.ts';
import { lab, labAccess, openImage, openMany, pathWithLabClient } from '../test/support/ceph-lab.ts';
import { hypervisor, inventory, picture, server } from '../test/support/inventories.ts';
import { startRedis } from '../test/support/redis.ts';
import { settingsOf } from '../test/support/redis-client.ts';

const images = 200;
const instances = 5_000;
const perHost = 20;
const [minutes = 5] = process.argv.slice(2).map(Number);
const [here, elsewhere] = ['127.0.61.31', '127.0.61.32'] as const;
const stop = new AbortController().signal;
const log = pino({ level: 'warn' });

/** CPU of a process so far, s; the kernel counts in hundredths. */
function cpuSeconds(pid: number | 'self'): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The one child of this process that is the helper. */
function helperPid(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const found = children.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('helper/main.py'),
  );
  if (found === undefined) throw new Error('the helper does not run');
  return found;
}

const seconds = (ms: number) => (ms / 1_000).toFixed(2);
const say = (text: string) => process.stdout.write(`${text} (load ${loadavg()[0]?.toFixed(1)})\n`);

/** A host with `images` running instances, all of which answered before, and one on another host. */
function disksOver(ceph: Ceph): Disks {
  const servers = Array.from({ length: images }, (_, n) => ({ ...server(`${n}`, 'hv01'), id: `many-${n}` }));
  const nowMs = Date.now();
  const answered = (id: string, host: string) => ({ host, atMs: nowMs, images: [`vms/${id}_disk`] });
  return new Disks({
    storage: ceph,
    pools: ['vms', 'volumes'],
    store: {
      of: async (ids) => new Map(ids.map((id) => [id, answered(id, 'hv01')])),
      elsewhere: async () => [answered('control', 'hv02')],
      addresses: async () =>
        [
          ['hv01', here],
          ['hv02', elsewhere],
        ].map(([host = '', address = '']) => ({ host, address, firstMs: nowMs, lastMs: nowMs })),
    },
    inventory: {
      read: async () => picture({ hypervisors: [hypervisor('hv01'), hypervisor('hv02')], servers }),
    },
    clock: systemClock,
  });
}

async function look(disks: Disks, what: string, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) {
    const beforeMs = performance.now();
    const { state, detail } = await disks.look(disksTarget('hv01'), stop);
    say(
      `${images} instances, ${what}: ${state} after ${seconds(performance.now() - beforeMs)} s: ${detail ?? ''}`,
    );
  }
}

/** As before an evacuation of all of them: what each step takes. */
async function cutsOff(ceph: Ceph, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) {
    const tookMs: Record<string, number> = {};
    const timed = async <T>(what: string, work: Promise<T>): Promise<T> => {
      const beforeMs = performance.now();
      const done = await work;
      tookMs[what] = performance.now() - beforeMs;
      return done;
    };
    const seen = { host: 'hv01', address: here, firstMs: Date.now(), lastMs: Date.now() };
    const result = await timed(
      'all of it',
      cutOff(
        {
          storage: {
            block: (...asked) => timed('entry', ceph.block(...asked)),
            barrier: (limits) => timed('barrier', ceph.barrier(limits)),
            blocklist: (limits) => ceph.blocklist(limits),
            watchers: (...asked) => timed('watchers', ceph.watchers(...asked)),
            locks: (...asked) => timed('locks', ceph.locks(...asked)),
          },
          pools: ['vms', 'volumes'],
          store: { addresses: async () => [seen] },
          cuts: { note: async () => undefined },
          ...{ timeoutMs: 60_000, clock: systemClock },
        },
        {
          host: 'hv01',
          instances: Array.from({ length: images }, (_, n) => ({ id: `many-${n}`, volumes: [] })),
          ...{ signal: stop, seenOff: null, asProofWithinMs: 60_000, beforeBlocking: async () => undefined },
        },
      ),
    );
    const steps = Object.entries(tookMs).map(([what, ms]) => `${what} ${seconds(ms)} s`);
    say(`cut off with ${images} instances: ${result.done ? 'done' : result.why}: ${steps.join(', ')}`);
    await ceph.unblock([here], { timeoutMs: 10_000, signal: stop });
  }
}

/** The round as ns4 runs it, over names of which 25 are one image. */
async function background(ceph: Ceph): Promise<void> {
  const redisServer = await startRedis();
  const redis = connectRedis(settingsOf(redisServer), 'bench', log);
  const keys = keysOf('bench');
  const stored = new InventoryStore(redis, keys);
  const servers = Array.from({ length: instances }, (_, n) =>
    server(`${n}`, `hv${1 + Math.floor(n / perHost)}`, { launchedAtMs: Date.now() - 86_400_000 }),
  );
  const hypervisors = Array.from({ length: instances / perHost }, (_, n) => hypervisor(`hv${1 + n}`));
  let asked = 0;
  const storage: Pick<Storage, 'ask'> = {
    async ask(names, limits) {
      const real = (name: string) => name.replace(/id-(\d+)/, (_, n) => `many-${Number(n) % images}`);
      asked += names.length;
      const found = await ceph.ask([...new Set(names.map(real))], limits);
      return new Map(names.map((name) => [name, found.get(real(name)) ?? { kind: 'absent' }]));
    },
  };
  const round = new BackgroundAsking({
    ...{ storage, pools: ['vms', 'volumes'], store: new OpenedStore(redis, keys) },
    cloud: { listServers: async (_, host) => servers.filter((one) => one.host === host) },
    ...{ inventory: stored, rules: { heartbeatPeriodMs: 40_000 }, clock: systemClock, log },
  });
  const { hosts, servers: all } = inventory({ hypervisors, servers }, Date.now());
  await stored.write({ ...hosts, cloud: 'bench' }, all);
  round.start();
  await delay(10_000);
  const pid = helperPid();
  const [askedBefore, own, helper, sinceMs] = [asked, cpuSeconds('self'), cpuSeconds(pid), performance.now()];
  await delay(minutes * 60_000);
  const tookS = (performance.now() - sinceMs) / 1_000;
  const share = (cpuS: number) => `${((100 * cpuS) / tookS).toFixed(2)} %`;
  say(
    `${instances} instances in the background, ${minutes} minutes: ${((asked - askedBefore) / 2 / tookS).toFixed(1)} asked a second, each by two names; of a core ns4 ${share(cpuSeconds('self') - own)}, its helper ${share(cpuSeconds(pid) - helper)}`,
  );
  await round.close();
  redis.disconnect();
  await redisServer.stop();
}

const clientDir = mkdtempSync(join(tmpdir(), 'sonny-bench-ceph-'));
process.env.PATH = pathWithLabClient(clientDir) ?? process.env.PATH;
const ceph = new Ceph(await labAccess(), { log, clock: systemClock, mask: (text) => text });
await lab('image', 'vms/control_disk');
const [many, control] = await Promise.all([openMany(here, images), openImage(elsewhere, 'control_disk')]);
try {
  const disks = disksOver(ceph);
  await look(disks, 'alive', 5);
  if (minutes > 0) await background(ceph);
  many.kill();
  await look(disks, 'killed just now', 3);
  await delay(32_000);
  await look(disks, 'killed half a minute ago', 3);
  await cutsOff(ceph, 5);
} finally {
  many.kill();
  await control.close();
  await ceph.close();
  rmSync(clientDir, { recursive: true });
}
