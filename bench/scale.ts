// What a round of the monitor costs in a cloud of 10,000 hypervisors and 200,000 instances: CPU of the three processes,
// their memory, and what is read from Redis; one round in which nothing is wrong, and one with a host that fell silent.
// Run with: npx tsx bench/scale.ts [HYPERVISORS] [INSTANCES]    (after npm run build)
//
// At full size on a machine that does nothing else: one reads 400 pages of instances and ports first, which has to end
// within the 80 s of its job, or is begun again and again and nothing comes of it. Then the background scan has to hear
// everybody, as nobody's silence counts before; only then come the rounds that are measured.
//
// The three processes are the real ones out of dist/, on a private redis-server. Behind them stands a pretend OpenStack
// that makes up its lists page by page and knows nothing else: the tests' simulator keeps a world and threads for each
// address, which is too much at this size. All addresses are on loopback, where a port without a listener refuses, and
// so lives; only the silent host and its guests have threads that fall silent. `dead_backoff = 0`: Sonny comes to its
// verdict, says what it would do, and moves nothing.
//
// A round is told from outside, so that this file outlives changes of the inside: it begins when ns4 asks for the first
// page of hypervisors. The round with the silent host asks twice, the second time for the servers as well.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
// All that is taken from the house, but for dist/PROCESS/main.js and the name of the event stream below.
import { LoopbackAddress } from '../simulator/network/loopback-address.ts';
import { startRedis } from '../test/support/redis.ts';

const eventStream = 'sonny:{bench}:events';
const heardHash = 'sonny:{bench}:heard:bench';
const processNames = ['monitor', 'ns4', 'sonny'] as const;
type Name = (typeof processNames)[number];

const [hypervisors = 10_000, instances = 200_000] = process.argv.slice(2).map(Number);
const perHost = Math.ceil(instances / hypervisors);
/** Long enough for a whole refresh; heartbeats never run out in between. */
const monitorPeriodS = Math.max(5, Math.ceil(instances / 6_000));
const config = (redisPort: number) => `[DEFAULT]
monitor_period = ${monitorPeriodS}
heartbeat_period = 600
dead_backoff = 0
[REDIS]
host = 127.0.0.1
port = ${redisPort}
db = 0
[OPENSTACK]
cloud = bench
provider_net = ext-net
[SCAN]
hypervisor_ports = 10022,10111,16509
instance_ports = 10022
timeout = 1
name = bench
`;
const waitLimitMs = 400_000;
const oldMs = 3_600_000;

/** The lists of a large cloud, made up from numbers. */
class PretendCloud {
  /** The host that is not heard of any more; null: all is well. */
  silent: number | null = null;
  /** When each refresh began. */
  readonly refreshes: number[] = [];
  serverPages = 0;
  readonly #startedAtMs = Date.now();
  #url = '';

  async start(): Promise<string> {
    const server = createServer((request, response) => this.#answer(request, response));
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    server.unref();
    this.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this.#url;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const url = new URL(request.url ?? '/', this.#url);
    const found = this.#find(url);
    response.writeHead(found === null ? 404 : request.method === 'POST' ? 201 : 200, {
      'content-type': 'application/json',
      'x-subject-token': 'bench',
      date: new Date().toUTCString(),
    });
    response.end(JSON.stringify(found ?? {}));
  }

  #find({ pathname, searchParams: query }: URL): object | null {
    const host = query.get('host');
    const only = host === null ? null : Number(host.slice(2));
    const numbers = (count: number) => (only === null ? range(0, count) : [only]);
    switch (pathname.replace(/\/$/, '')) {
      case '/id/v3/auth/tokens':
        return this.#token();
      case '/id/v3/projects':
        return { projects: [{ id: 'p1', name: 'demo' }], links: { next: null } };
      case '/nova/v2.1':
      case '/nova':
        return { version: { id: 'v2.1', status: 'CURRENT', version: '2.93', min_version: '2.1', links: [] } };
      case '/nova/v2.1/os-hypervisors/detail':
        if (!query.has('marker')) this.refreshes.push(Date.now());
        return page('hypervisors', query, range(0, hypervisors), (i) => this.#hypervisor(i));
      case '/nova/v2.1/os-services':
        return { services: numbers(hypervisors).map((i) => this.#service(i)) };
      case '/nova/v2.1/os-aggregates':
        return { aggregates: [] };
      case '/nova/v2.1/os-migrations':
        return { migrations: [] };
      case '/nova/v2.1/servers/detail': {
        this.serverPages += 1;
        // Nothing changes in this cloud.
        const since = Date.parse(query.get('changes-since') ?? '') || 0;
        const all = only === null ? range(0, instances) : range(only * perHost, (only + 1) * perHost);
        return page('servers', query, since > this.#startedAtMs ? [] : all, (i) => this.#server(i));
      }
      case '/neutron/v2.0/agents':
        return { agents: numbers(hypervisors).map((i) => this.#agent(i)) };
      case '/neutron/v2.0/networks':
        return { networks: [{ id: idOf(0), name: 'ext-net', 'router:external': true, shared: true }] };
      case '/neutron/v2.0/rbac-policies':
        return { rbac_policies: [{ id: idOf(1), object_id: idOf(0), target_tenant: '*' }] };
      case '/neutron/v2.0/floatingips':
        return { floatingips: [] };
      case '/neutron/v2.0/ports':
        // Those of one host or instance are asked for by a recovery only, and there is none.
        return query.has('binding:host_id') || query.has('device_id')
          ? { ports: [] }
          : page('ports', query, range(0, instances), (i) => this.#port(i));
      default:
        return null;
    }
  }

  #token(): object {
    const urls = { identity: '/id/v3', compute: '/nova/v2.1', network: '/neutron' };
    const catalog = Object.entries(urls).map(([type, path]) => ({
      ...{ type, name: type, id: type },
      endpoints: [
        { interface: 'public', url: this.#url + path, region: 'RegionOne', region_id: 'RegionOne' },
      ],
    }));
    const [issued, expires] = [Date.now(), Date.now() + 86_400_000].map((ms) => new Date(ms).toISOString());
    const named = { id: 'admin', name: 'admin' };
    return {
      token: { issued_at: issued, expires_at: expires, user: named, project: named, roles: [named], catalog },
    };
  }

  #heardAt(i: number): string {
    // Reports come every ten seconds, each host's at its own.
    const ms = i === this.silent ? Date.now() - oldMs : Date.now() - (i % 10) * 1_000;
    return new Date(ms).toISOString().slice(0, 19);
  }

  #hypervisor(i: number): object {
    return {
      id: idOf(i),
      hypervisor_hostname: `hv${i}.example.org`,
      state: i === this.silent ? 'down' : 'up',
      status: i === spare ? 'disabled' : 'enabled',
      hypervisor_type: 'QEMU',
      hypervisor_version: 6_002_000,
      host_ip: hostAddress(i),
      service: { id: idOf(i), host: `hv${i}`, disabled_reason: i === spare ? 'spare' : null },
      vcpus: 128,
      memory_mb: 515_000,
      local_gb: 10_000,
      vcpus_used: 2 * perHost,
      memory_mb_used: 4_096 * perHost,
      local_gb_used: 0,
      free_ram_mb: 100_000,
      free_disk_gb: 10_000,
      current_workload: 0,
      running_vms: perHost,
      disk_available_least: 0,
      cpu_info: { arch: 'x86_64', model: 'EPYC', vendor: 'AMD', features: ['pge', 'clflush'], topology: {} },
    };
  }

  #service(i: number): object {
    return {
      ...{ binary: 'nova-compute', host: `hv${i}`, id: idOf(i), zone: 'nova', forced_down: false },
      status: i === spare ? 'disabled' : 'enabled',
      state: i === this.silent ? 'down' : 'up',
      updated_at: `${this.#heardAt(i)}.000000`,
      disabled_reason: i === spare ? 'spare' : null,
    };
  }

  #agent(i: number): object {
    return {
      ...{ id: idOf(i), host: `hv${i}`, binary: 'neutron-openvswitch-agent', alive: i !== this.silent },
      heartbeat_timestamp: this.#heardAt(i).replace('T', ' '),
    };
  }

  #port(i: number): object {
    return {
      ...{ id: idOf(i), device_id: idOf(i), device_owner: 'compute:nova', network_id: idOf(0) },
      fixed_ips: [{ subnet_id: idOf(1), ip_address: guestAddress(i) }],
    };
  }

  #server(i: number): object {
    const at = `${new Date(this.#startedAtMs - oldMs).toISOString().slice(0, 19)}Z`;
    const host = Math.floor(i / perHost);
    return {
      ...{ id: idOf(i), name: `instance-of-somebody-${i}`, status: 'ACTIVE', tenant_id: 'p1', user_id: 'u1' },
      ...{ metadata: {}, hostId: 'f'.repeat(56), image: '', created: at, updated: at, progress: 0 },
      flavor: {
        ...{ vcpus: 2, ram: 4_096, disk: 20, ephemeral: 0, swap: 0, original_name: 'm1.medium' },
        extra_specs: {},
      },
      addresses: {
        'ext-net': [
          {
            version: 4,
            addr: guestAddress(i),
            'OS-EXT-IPS:type': 'fixed',
            'OS-EXT-IPS-MAC:mac_addr': 'fa:16',
          },
        ],
      },
      ...{ accessIPv4: '', accessIPv6: '', config_drive: '', key_name: null, description: null, tags: [] },
      ...{ 'OS-DCF:diskConfig': 'MANUAL', locked: false, host_status: 'UP', security_groups: [] },
      'OS-EXT-AZ:availability_zone': 'nova',
      'OS-SRV-USG:launched_at': at,
      'OS-SRV-USG:terminated_at': null,
      'OS-EXT-SRV-ATTR:host': `hv${host}`,
      'OS-EXT-SRV-ATTR:instance_name': `instance-${i}`,
      'OS-EXT-SRV-ATTR:hypervisor_hostname': `hv${host}.example.org`,
      'OS-EXT-SRV-ATTR:user_data': null,
      'OS-EXT-STS:task_state': null,
      'OS-EXT-STS:vm_state': 'active',
      'OS-EXT-STS:power_state': 1,
      'os-extended-volumes:volumes_attached': [],
    };
  }
}

/** The last host is set aside. In the dry mode nobody asks whether it is empty. */
const spare = hypervisors - 1;
const victim = Math.floor(hypervisors / 2);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const idOf = (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
const address = (net: number, i: number) =>
  `127.${net + Math.floor(i / 62_500)}.${Math.floor(i / 250) % 250}.${1 + (i % 250)}`;
const hostAddress = (i: number) => address(20, i);
const guestAddress = (i: number) => address(30, i);

/** As Nova pages: a link to the next page under every full one. */
function page(
  key: string,
  query: URLSearchParams,
  all: readonly number[],
  view: (i: number) => object,
): object {
  const limit = Math.min(Number(query.get('limit') ?? 1_000), 1_000);
  const marker = query.get('marker');
  const first = marker === null ? 0 : Number(marker.slice(24)) - (all[0] ?? 0) + 1;
  const shown = all.slice(first, first + limit);
  const last = shown.at(-1);
  const links = [{ rel: 'next', href: `http://nova/?marker=${idOf(last ?? 0)}` }];
  return { [key]: shown.map(view), ...(shown.length === limit ? { [`${key}_links`]: links } : {}) };
}

/** What is read of a process from outside. */
interface Reading {
  readonly cpuS: number;
  readonly residentMb: number;
  readonly peakMb: number;
}
interface Moment {
  readonly atMs: number;
  readonly processes: Readonly<Record<Name, Reading>>;
  readonly redisSentMb: number;
}

const pretend = new PretendCloud();
const dir = mkdtempSync(join(tmpdir(), 'sonny-bench-'));
const server = await startRedis();
const redis = new Redis({ host: server.host, port: server.port, db: 0, protocol: 2 });
const quiet: LoopbackAddress[] = [];
const running = new Map<Name, ChildProcess>();
const outputs = new Map<Name, string>();
try {
  const url = await pretend.start();
  writeFileSync(join(dir, 'config.ini'), config(server.port), { mode: 0o600 });
  const names = 'username: admin, password: x, project_name: admin';
  const login = `{auth_url: '${url}/id/v3', ${names}, user_domain_name: Default, project_domain_name: Default}`;
  writeFileSync(join(dir, 'clouds.yaml'), `clouds: {bench: {auth: ${login}}}\n`, { mode: 0o600 });
  for (const name of processNames) start(name);
  await measure();
} finally {
  for (const child of running.values()) child.kill('SIGKILL');
  await Promise.all(quiet.map((one) => one.close()));
  redis.disconnect();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}

function start(name: Name): void {
  const main = join(import.meta.dirname, `../dist/${name}/main.js`);
  const { OS_CLIENT_CONFIG_FILE: _, ...env } = process.env;
  const child = spawn(process.execPath, [main, '-v'], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const hear = (chunk: Buffer) => outputs.set(name, ((outputs.get(name) ?? '') + chunk).slice(-100_000));
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  running.set(name, child);
}

async function measure(): Promise<void> {
  // The first round reads everything and is not measured.
  await nextRound();
  const known = range(0, instances).map(guestAddress).concat(range(0, hypervisors).map(hostAddress));
  const beganMs = Date.now();
  const cpuS = () => readingOf(running.get('ns4')?.pid ?? 0).cpuS;
  const before = cpuS();
  await heard(known.length);
  print(
    `The background scan has heard ${known.length} addresses after ${((Date.now() - beganMs) / 1_000).toFixed(0)} s, for ${(cpuS() - before).toFixed(1)} s of CPU in ns4.\n`,
  );
  const begun = await nextRound();
  const idle = await nextRound();
  const size = await redis.info('memory');
  const addresses = range(victim * perHost, Math.min((victim + 1) * perHost, instances)).map(guestAddress);
  await Promise.all([
    silence(hostAddress(victim), [10_022, 10_111, 16_509]),
    ...addresses.map((a) => silence(a, [10_022])),
  ]);
  pretend.silent = victim;
  const suspicious = await nextRound();
  const serversBefore = pretend.serverPages;
  // Asked for anew as somebody is suspicious; the round after it begins without.
  await until('the servers to be read again', () => pretend.serverPages > serversBefore);
  // Its page of hypervisors may come a little after that of the servers.
  await delay(500);
  const over = await nextRound();
  print(`${hypervisors} hypervisors, ${instances} instances, Node ${process.version}\n`);
  print('| | idle round | round with a silent host |');
  print('| --- | --- | --- |');
  const row = (what: string, of: (from: Moment, to: Moment) => number, unit: string) =>
    print(`| ${what} | ${of(begun, idle).toFixed(2)} ${unit} | ${of(suspicious, over).toFixed(2)} ${unit} |`);
  for (const name of processNames)
    row(`CPU of ${name}`, (from, to) => to.processes[name].cpuS - from.processes[name].cpuS, 's');
  row('read from Redis', (from, to) => to.redisSentMb - from.redisSentMb, 'MB');
  row('from its beginning to the next', (from, to) => (to.atMs - from.atMs) / 1_000, 's');
  for (const name of processNames) {
    row(`memory of ${name} at its end`, (_, to) => to.processes[name].residentMb, 'MB');
    row(`most memory of ${name} so far`, (_, to) => to.processes[name].peakMb, 'MB');
  }
  print(`\nRedis holds ${/used_memory_human:(\S+)/.exec(size)?.[1]}. What was said:`);
  for (const text of await said()) print(`- ${text}`);
  for (const name of processNames)
    for (const line of (outputs.get(name) ?? '')
      .split('\n')
      .filter((l) => /"level":(40|50|60)/.test(l))
      .slice(-8))
      print(`- ${name}: ${line.slice(0, 300)}`);
}

/** Until the background scan has heard so many: before that nobody's silence counts. */
async function heard(count: number): Promise<void> {
  let found = 0;
  const looking = setInterval(async () => {
    // Redis is ended when this was in vain.
    found = await redis.hlen(heardHash).catch(() => found);
  }, 500);
  await until('the background scan', () => found > count).finally(() => clearInterval(looking));
}

async function nextRound(): Promise<Moment> {
  const before = pretend.refreshes.length;
  await until('the next refresh', () => pretend.refreshes.length > before);
  process.stderr.write(
    `${(performance.now() / 1_000).toFixed(0)} s: round ${pretend.refreshes.length} has begun\n`,
  );
  return read();
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const untilMs = Date.now() + waitLimitMs; !isSo(); await delay(5)) {
    const ended = [...running].find(([, child]) => child.exitCode !== null || child.signalCode !== null);
    if (ended) throw new Error(`${ended[0]} has ended: ${outputs.get(ended[0])?.slice(-3_000)}`);
    if (Date.now() < untilMs) continue;
    throw new Error(
      `waited in vain for ${what}:\n${(await said()).join('\n')}\n${[...outputs.values()].join('\n')}`,
    );
  }
}

async function read(): Promise<Moment> {
  const processes = Object.fromEntries(
    processNames.map((name) => [name, readingOf(running.get(name)?.pid ?? 0)]),
  );
  const info = await redis.info('stats');
  const sent = Number(/total_net_output_bytes:(\d+)/.exec(info)?.[1]);
  return { atMs: Date.now(), processes: processes as Moment['processes'], redisSentMb: sent / 2 ** 20 };
}

function readingOf(pid: number): Reading {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024;
  // After the name, which is in brackets: state, ppid … utime and stime are the 12th and 13th, in hundredths of a
  // second.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return {
    cpuS: (Number(fields[11]) + Number(fields[12])) / 100,
    residentMb: megabytes('VmRSS'),
    peakMb: megabytes('VmHWM'),
  };
}

async function silence(where: string, ports: readonly number[]): Promise<void> {
  const one = new LoopbackAddress(where, { open: ports, closed: [] });
  quiet.push(one);
  await one.become('silent');
}

async function said(): Promise<string[]> {
  const entries = await redis.xrange(eventStream, '-', '+');
  return entries.map(([, fields]) => (JSON.parse(fields[1] ?? '{}') as { text?: string }).text ?? '');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
