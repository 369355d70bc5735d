// The built-in fence level on a real Ceph, by the compiled ns4 as an operator tries it: does a host that it proved to be
// cut off write on, and when may its entries go?
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { OpenedStore } from '../../src/ns4/disks/opened-store.ts';
import { InventoryStore } from '../../src/shared/picture/store.ts';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { type Answering, agentAsking, answering } from '../support/asked-agent.ts';
import { cephLab, lab, labAccess, labAtPeace, pathWithLabClient } from '../support/ceph-lab.ts';
import { hypervisor, inventory, server } from '../support/inventories.ts';
import { Household } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const rounds = Number(process.env.ROUNDS ?? 10);
/** [FENCING] timeout; a machine with other work needs longer than this for its processes alone. */
const timeout = Number(process.env.FENCE_TIMEOUT ?? 5);
const hangingRounds = Number(process.env.HANGING_ROUNDS ?? 3);
const address = '127.0.61.1';
const keys = keysOf('simulated');

/** As no cloud is asked: one that is not there. */
const cloudsYaml = `clouds:
  simulated:
    auth: {auth_url: "http://127.0.0.1:9/v3", username: sonny, password: nothing-secret, project_name: admin,
           user_domain_name: Default, project_domain_name: Default}
`;

describe.skipIf(cephLab === undefined)('the level ceph', () => {
  let redis: TestRedis;
  let household: Household;
  let program: string;
  let agents: Answering;
  /** Another one for each test: the lock of a killed guest outlives it. */
  let instance: string;

  beforeAll(async () => {
    redis = await startRedis();
    const { conf, user, keyring, pools } = await labAccess();
    const path = pathWithLabClient(mkdtempSync(join(tmpdir(), 'sonny-lab-client-')));
    household = new Household({
      ...{ cloud: 'simulated', redisPort: redis.port, cloudsYaml },
      ...(path === undefined ? {} : { env: { PATH: path } }),
      ini: {
        OPENSTACK: { cloud: 'simulated' },
        CEPH: { conf: String(conf), user, keyring: String(keyring), pools: pools.join(', ') },
        FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout },
      },
    });
    writeFileSync(join(household.dir, 'fencing.yaml'), 'hosts: {hv01: {levels: [{agent: ceph}]}}\n', {
      mode: 0o600,
    });
    // The lab speaks to fence agents, maybe in the root of another Debian: this one has ns4 asked out here.
    agents = await answering(async (action) => {
      const { code, output } = await run('--action', action, '--level', '1', '--yes');
      if (code !== 0) return { code: 1, output };
      return { code: action === 'status' && /, ceph: cut off from Ceph/.test(output) ? 2 : 0, output };
    });
    program = join(household.dir, 'agent');
    writeFileSync(program, agentAsking(agents.port), { mode: 0o755 });
  });
  /** All is known of hv01, as after some minutes of work. */
  async function known(): Promise<void> {
    await household.redis.flushdb();
    instance = `level-${Date.now()}`;
    await lab('image', `${instance}_disk`, '--size', '256');
    const { hosts, servers } = inventory({
      hypervisors: [hypervisor('hv01', { state: 'down' })],
      servers: [server(instance, 'hv01', { id: instance })],
    });
    await new InventoryStore(household.redis, keys).write(hosts, servers);
    await new OpenedStore(household.redis, keys).learn([{ host: 'hv01', address }], Date.now());
  }
  afterEach(async () => {
    await labAtPeace(['level-guest'], []);
    await lab('ceph', 'osd', 'blocklist', 'rm', `${address}:0/0`);
  });
  afterAll(async () => {
    await agents?.close();
    await household?.close();
    await redis?.stop();
  });

  async function run(...args: string[]) {
    const running = household.start('ns4', '--fence', 'hv01', ...args);
    return { code: await running.exited, output: running.output };
  }

  test('no write is acknowledged after its proof', { timeout: rounds * 30_000 }, async () => {
    await known();
    const said = await lab('agent', program, '--ip', address, '--rounds', String(rounds));
    expect(said).toContain(`${rounds} rounds: ${rounds} proofs, 0 of them false`);
  });

  test('an address that was forgotten has the disk: no proof', async () => {
    await known();
    await lab('guest', 'start', '127.0.61.9', `${instance}_disk`, '--name', 'level-guest');
    const off = await run('--action', 'off', '--level', 'ceph', '--yes');
    expect(off).toMatchObject({
      code: 1,
      output: expect.stringMatching(/open by 127\.0\.61\.9, which is not/),
    });
  });

  test('a guest of before: its entry is lifted by a typed name only', async () => {
    await known();
    await lab('guest', 'start', address, `${instance}_disk`, '--name', 'level-guest');
    const off = await run('--action', 'off', '--level', 'ceph', '--yes');
    expect(off, off.output).toMatchObject({ code: 0, output: expect.stringContaining('cut off from Ceph') });
    const careless = await run('--action', 'on', '--level', 'ceph');
    expect(careless).toMatchObject({ code: 2, output: expect.stringContaining('expected --yes') });
    expect(await lab('ceph', 'osd', 'blocklist', 'ls')).toContain(`${address}:0/0`);
    const on = await run('--action', 'on', '--level', 'ceph', '--yes');
    expect(on, on.output).toMatchObject({ code: 0, output: expect.stringContaining(`${address} lifted`) });
    expect(await lab('ceph', 'osd', 'blocklist', 'ls')).not.toContain(`${address}:0/0`);
    const again = await run('--action', 'on', '--level', 'ceph');
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining('nothing to lift') });
  });

  test('no proof while an OSD hangs', { timeout: hangingRounds * 60_000 }, async () => {
    await known();
    const said = await lab('agent', program, '--ip', address, '--rounds', String(hangingRounds), '--hang');
    expect(said).toContain(`${hangingRounds} rounds: 0 proofs, 0 of them false`);
  });
});
