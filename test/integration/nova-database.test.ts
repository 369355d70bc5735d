// The database method's SQL against a real MariaDB: what moves, what does not, and that nothing is ever done by half,
// whatever happens to the connection.
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createNovaDatabase,
  type NovaDatabase,
  type NovaDatabaseOptions,
} from '../../src/ns4/nova-database/nova-database.ts';
import type { MysqlSettings } from '../../src/shared/config/settings.ts';
import { OperationalError } from '../../src/shared/ground/errors.ts';
import { startMariadb, type TestMariadb, type TestNova } from '../support/mariadb.ts';
import { type Fate, startMysqlProxy } from '../support/mysql-proxy.ts';
import { freePort } from '../support/redis.ts';

const from = { host: 'hv01', node: 'hv01.example.org' };
const to = { host: 'hv04', node: 'hv04.example.org' };
const ids = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`) as [
  string,
  string,
  string,
];
const [a, b, c] = ids;
const dead = 'hv01/hv01.example.org';
const spare = 'hv04/hv04.example.org';
const go = new AbortController().signal;

let server: TestMariadb;
let nova: TestNova;
let settings: MysqlSettings;
let schemas = 0;
/** Ended after each test, last opened first. */
const open: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  schemas += 1;
  nova = await server.createNova(`nova${schemas}`);
  settings = nova.settings;
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function databaseAt(at: MysqlSettings, options?: NovaDatabaseOptions): NovaDatabase {
  const database = createNovaDatabase(at, options);
  open.push(() => database.close());
  return database;
}

async function threeOnTheDead(): Promise<void> {
  await nova.addInstances(ids.map((uuid) => ({ uuid, ...from })));
}

const move = (options?: NovaDatabaseOptions, at = settings) =>
  databaseAt(at, options).moveInstances({ ids, from, to }, go);

async function behindProxy(decide: (statement: string) => Fate | Promise<Fate>): Promise<MysqlSettings> {
  const proxy = await startMysqlProxy(server.port, decide);
  open.push(() => proxy.close());
  return { ...settings, port: proxy.port };
}

/** The message, which must be one line of an OperationalError without the password. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    (value) => expect.fail(`resolved: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OperationalError);
  const { message } = error as OperationalError;
  expect(message).not.toContain('\n');
  expect(message).not.toContain(settings.password);
  return message;
}

describe('moving instances', () => {
  it('writes host and node of all, and leaves the others alone', async () => {
    await threeOnTheDead();
    const other = 'dddddddd-0000-4000-8000-000000000000';
    await nova.addInstances([{ uuid: other, ...from }]);
    expect(await move()).toEqual({ moved: ids, already: [], elsewhere: [] });
    expect(await nova.places()).toEqual({ [a]: spare, [b]: spare, [c]: spare, [other]: dead });
  });

  it('can be repeated: then all are there already', async () => {
    await threeOnTheDead();
    await move();
    expect(await move()).toEqual({ moved: [], already: ids, elsewhere: [] });
  });

  it('asks nothing of the server for no instances', async () => {
    const nowhere = { ...settings, port: await freePort() };
    const result = await databaseAt(nowhere).moveInstances({ ids: [], from, to }, go);
    expect(result).toEqual({ moved: [], already: [], elsewhere: [] });
  });

  it('leaves deleted instances and those of other hosts, or of none, alone', async () => {
    await nova.addInstances([
      { uuid: a, ...from, deleted: 7 },
      { uuid: b, host: 'hv02', node: 'hv02' },
      { uuid: c, host: null, node: null },
    ]);
    expect(await move()).toEqual({
      moved: [],
      already: [],
      elsewhere: [
        { id: b, host: 'hv02' },
        { id: c, host: 'no host' },
      ],
    });
  });

  it('leaves an instance alone whose host is no name of one, and tells no more of it', async () => {
    await nova.addInstances([
      { uuid: a, ...from },
      { uuid: b, host: 'hv02\nip=203.0.113.66', node: 'x' },
      { uuid: c, host: '', node: '' },
    ]);
    expect(await move()).toEqual({
      moved: [a],
      already: [],
      elsewhere: [
        { id: b, host: 'a host whose name makes no sense' },
        { id: c, host: 'no host' },
      ],
    });
  });

  it('waits for whoever is changing an instance, and then sees the change', async () => {
    await threeOnTheDead();
    const other = await server.root(settings.database);
    await other.query('START TRANSACTION; UPDATE instances SET host = "hv09" WHERE uuid = ?', [b]);
    const moving = move();
    await waitForLock();
    await other.query('COMMIT');
    expect(await moving).toEqual({ moved: [a, c], already: [], elsewhere: [{ id: b, host: 'hv09' }] });
  });

  it('is not held up by a change of an instance it does not move', async () => {
    await threeOnTheDead();
    const other = await server.root(settings.database);
    const bystander = 'bbbbbbbb-1111-4000-8000-000000000000';
    await nova.addInstances([{ uuid: bystander, ...from }]);
    await other.query('START TRANSACTION; UPDATE instances SET task_state = "x" WHERE uuid = ?', [bystander]);
    expect((await move({ limits: { lockWaitS: 1 } })).moved).toEqual(ids);
    await other.query('ROLLBACK');
  });

  it('takes names for what they are, however they look', async () => {
    const odd = { host: `hv'; DROP TABLE instances; -- \\`, node: 'h"v`%_\\\' OR 1=1 #é' };
    const root = await server.root();
    await root.query("SET GLOBAL sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')");
    open.push(() => root.query("SET GLOBAL sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', '')"));
    await nova.addInstances([{ uuid: a, ...odd }]);
    const there = await databaseAt(settings).moveInstances({ ids: [a, "' OR ''='"], from: odd, to }, go);
    expect(there).toEqual({ moved: [a], already: [], elsewhere: [] });
    const back = await databaseAt(settings).moveInstances({ ids: [a], from: to, to: odd }, go);
    expect(back.moved).toEqual([a]);
    expect(await nova.places()).toEqual({ [a]: `${odd.host}/${odd.node}` });
  });

  it('writes compute_id where Nova has it, and nothing when the target has none', async () => {
    nova = await server.createNova(`nova${schemas}_2023`, { computeId: true });
    settings = nova.settings;
    await threeOnTheDead();
    await nova.addComputeNode(from.host, from.node);
    await nova.addComputeNode(to.host, 'another.node');
    expect(await refusal(move())).toBe(
      `MySQL at 127.0.0.1:${server.port}: Nova's table compute_nodes has no hypervisor hv04.example.org on host hv04; nothing was changed`,
    );
    expect(await nova.places()).toEqual({ [a]: dead, [b]: dead, [c]: dead });
    const id = await nova.addComputeNode(to.host, to.node);
    expect((await move()).moved).toEqual(ids);
    expect(await nova.places()).toEqual({
      [a]: `${spare}/${id}`,
      [b]: `${spare}/${id}`,
      [c]: `${spare}/${id}`,
    });
  });
});

describe('trouble on the way', () => {
  beforeEach(threeOnTheDead);

  it('tries again after a deadlock', async () => {
    const other = await server.root(settings.database);
    // More changes than ours, so that InnoDB sacrifices our transaction.
    await other.query('CREATE TABLE ballast (n INT); START TRANSACTION');
    await other.query('INSERT INTO ballast SELECT seq FROM seq_1_to_500');
    await other.query('UPDATE instances SET task_state = "x" WHERE uuid = ?', [c]);
    const moving = move();
    await waitForLock();
    await other.query('UPDATE instances SET task_state = "x" WHERE uuid = ?', [a]);
    await other.query('COMMIT');
    const [status] = await other.query('SHOW ENGINE INNODB STATUS');
    expect(JSON.stringify(status)).toContain('LATEST DETECTED DEADLOCK');
    expect((await moving).moved).toEqual(ids);
  });

  it('gives up after a bounded number of lock waits', async () => {
    const other = await server.root(settings.database);
    await other.query('START TRANSACTION; UPDATE instances SET task_state = "x" WHERE uuid = ?', [c]);
    const pauses: number[] = [];
    const clock = { nowMs: () => 0, steadyMs: () => 0, sleep: async (ms: number) => void pauses.push(ms) };
    expect(await refusal(move({ clock, limits: { lockWaitS: 0 } }))).toMatch(
      /^MySQL at \S+: Lock wait timeout exceeded.* \(5 attempts\); nothing was changed$/,
    );
    expect(pauses).toEqual([250, 500, 1_000, 2_000]);
    await other.query('ROLLBACK');
    expect(await nova.places()).toEqual({ [a]: dead, [b]: dead, [c]: dead });
  });

  it('leaves nothing half done when the connection is killed between two updates', async () => {
    const root = await server.root();
    let updates = -1;
    const at = await behindProxy(async (statement): Promise<Fate> => {
      if (statement.startsWith('prepare UPDATE')) updates = 0;
      else if (statement === 'execute' && updates >= 0) updates += 1;
      if (updates === 2) await root.query('KILL USER nova');
      return 'pass';
    });
    expect(await refusal(move({}, at))).toMatch(/^MySQL at \S+: .*([Cc]onnection).*; nothing was changed$/);
    expect(updates).toBe(2);
    expect(await nova.places()).toEqual({ [a]: dead, [b]: dead, [c]: dead });
  });

  it('learns that a COMMIT without an answer was carried out', async () => {
    let commits = 0;
    const at = await behindProxy((statement): Fate => {
      if (statement === 'COMMIT') commits += 1;
      return statement === 'COMMIT' && commits === 1 ? 'lose-answer' : 'pass';
    });
    expect(await move({}, at)).toEqual({ moved: ids, already: [], elsewhere: [] });
    expect(commits).toBe(2);
    expect(await nova.places()).toEqual({ [a]: spare, [b]: spare, [c]: spare });
  });

  it('moves them after all when the COMMIT without an answer never arrived', async () => {
    const fates: Fate[] = ['cut', 'pass'];
    const at = await behindProxy((statement) => (statement === 'COMMIT' && fates.shift()) || 'pass');
    expect(await move({}, at)).toEqual({ moved: ids, already: [], elsewhere: [] });
    expect(fates).toEqual([]);
    expect(await nova.places()).toEqual({ [a]: spare, [b]: spare, [c]: spare });
  });

  it('waits for the end of a transaction the server still holds after the line went dead', async () => {
    const fates: Fate[] = ['freeze', 'pass'];
    const at = await behindProxy((statement) => (statement === 'COMMIT' && fates.shift()) || 'pass');
    const limits = { statementMs: 1_000, lockWaitS: 5, idleTransactionS: 2 };
    expect((await move({ limits }, at)).moved).toEqual(ids);
    expect(fates).toEqual([]);
  });

  it('says so when it cannot learn what became of a COMMIT', async () => {
    const at = await behindProxy((statement) => (statement === 'COMMIT' ? 'lose-answer' : 'pass'));
    const clock = { nowMs: () => 0, steadyMs: () => 0, sleep: async () => {} };
    expect(await refusal(move({ clock }, at))).toMatch(
      /: .* \(5 attempts\); a COMMIT got no answer, so 3 instances may have been moved$/,
    );
    expect(await move()).toEqual({ moved: [], already: ids, elsewhere: [] });
  });

  it('gives up on a server that stops answering', async () => {
    const at = await behindProxy((statement) => (statement.startsWith('prepare UPDATE') ? 'freeze' : 'pass'));
    const limits = { statementMs: 300, idleTransactionS: 1 };
    expect(await refusal(move({ limits }, at))).toMatch(/: no answer within 0.3 s; nothing was changed$/);
  });

  it('stops at once, changing nothing, when the signal says so or it is closed', async () => {
    const other = await server.root(settings.database);
    await other.query('START TRANSACTION; UPDATE instances SET task_state = "x" WHERE uuid = ?', [c]);
    const stop = new AbortController();
    const moving = databaseAt(settings).moveInstances({ ids, from, to }, stop.signal);
    const closed = databaseAt(settings);
    const closing = refusal(closed.moveInstances({ ids, from, to }, go));
    await waitForLock(2);
    const reason = new Error('the job was taken over');
    stop.abort(reason);
    await expect(moving).rejects.toBe(reason);
    await closed.close();
    expect(await closing).toMatch(/: closed$/);
    await other.query('ROLLBACK');
    expect(await nova.places()).toEqual({ [a]: dead, [b]: dead, [c]: dead });
  });
});

describe('reaching the server', () => {
  it('checks the login and the right to change instances, changing none', async () => {
    await threeOnTheDead();
    expect(await databaseAt(settings).check()).toMatch(
      new RegExp(
        `^MySQL at 127.0.0.1:${server.port}: \\S*MariaDB\\S*, nova may move instances in database ${settings.database} \\(without compute_id, no TLS\\)$`,
      ),
    );
    expect(await nova.places()).toEqual({ [a]: dead, [b]: dead, [c]: dead });
  });

  it('is refused without the right to change instances', async () => {
    const root = await server.root();
    await root.query(
      `CREATE USER reader IDENTIFIED BY 'x'; GRANT SELECT ON ${settings.database}.* TO reader`,
    );
    const reader = { ...settings, user: 'reader', password: 'x' };
    expect(await refusal(createNovaDatabase(reader).check())).toMatch(
      /UPDATE command denied to user 'reader'/,
    );
  });

  it('does with the right to the columns it needs', async () => {
    const root = await server.root();
    const table = `${settings.database}.instances`;
    await root.query(
      `CREATE USER little IDENTIFIED BY 'x'; GRANT SELECT, UPDATE (host, node) ON ${table} TO little`,
    );
    await threeOnTheDead();
    const little = { ...settings, user: 'little', password: 'x' };
    expect(await databaseAt(little).check()).toMatch(/little may move/);
    expect((await move({}, little)).moved).toEqual(ids);
  });

  it('is refused by a server that is read-only', async () => {
    const root = await server.root();
    await root.query('SET GLOBAL read_only = 1');
    open.push(() => root.query('SET GLOBAL read_only = 0'));
    expect(await refusal(databaseAt(settings).check())).toMatch(/--read-only/);
  });

  it.each([
    [
      'a wrong password',
      { password: 'wrong-password' },
      /Access denied: the user or password is refused \(error 1045\)/,
    ],
    ['a database that is not there', { database: 'nowhere' }, /'nowhere'/],
    [
      'a host name that is not there',
      { host: 'db.invalid' },
      /^MySQL at db\.invalid:\d+: (.*(ENOTFOUND|EAI_AGAIN)|no connection within 5 s)/,
    ],
    ['a CA file that is not there', { ca: '/nowhere/ca.pem' }, /the CA file cannot be read: no such file/],
  ])('says in one line that there is %s', async (_what, change, text) => {
    const message = await refusal(databaseAt({ ...settings, ...change }).check());
    expect(message).toMatch(text);
    expect(message).not.toContain('wrong-password');
  });

  it('says in one line that there is no server, or one that says nothing', async () => {
    const port = await freePort();
    expect(await refusal(databaseAt({ ...settings, port }).check())).toBe(
      `MySQL at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
    open.push(() => new Promise((resolve) => silent.close(resolve)));
    const database = databaseAt({ ...settings, port }, { limits: { connectMs: 300 } });
    expect(await refusal(database.check())).toBe(`MySQL at 127.0.0.1:${port}: no connection within 0.3 s`);
  });

  it('leaves a server that sends without an end', async () => {
    const port = await freePort();
    const flood = createServer((socket) => {
      socket.on('error', () => {});
      // Parts of one packet that never ends, as the protocol numbers them.
      let part = 0;
      const send = () => {
        const head = Buffer.from([0xff, 0xff, 0xff, part % 256]);
        part += 1;
        if (!socket.destroyed) socket.write(Buffer.concat([head, Buffer.alloc(0xffffff)]), () => send());
      };
      send();
    });
    await new Promise<void>((resolve) => flood.listen(port, '127.0.0.1', resolve));
    open.push(() => new Promise((resolve) => flood.close(resolve)));
    expect(await refusal(databaseAt({ ...settings, port }).check())).toMatch(/it sends without an end$/);
  });

  it('takes only a certificate of the CA, for the very name or address', async () => {
    const { ca, otherCa } = server.certificates;
    const at = (host: string, change: Partial<MysqlSettings> = {}) =>
      databaseAt({ ...settings, host, ca, ...change }).check();
    const mismatch = /does not match certificate's altnames/;
    expect(await at('localhost')).toMatch(/, TLS\)$/);
    expect(await refusal(at('localhost', { ca: otherCa }))).toMatch(/certificate/);
    expect(await refusal(at('127.0.0.1'))).toMatch(mismatch);
    open.push(() => server.certify('DNS:localhost'));
    await server.certify('IP:127.0.0.1');
    expect(await at('127.0.0.1')).toMatch(/, TLS\)$/);
    expect(await refusal(at('localhost'))).toMatch(mismatch);
  });
});

/** Until so many statements of ours wait for someone's row. (InnoDB's own tables about that lag behind.) */
async function waitForLock(waiting = 1): Promise<void> {
  const root = await server.root();
  const sql =
    "SELECT * FROM information_schema.PROCESSLIST WHERE USER = 'nova' AND COMMAND = 'Execute' AND TIME_MS > 30";
  await expect.poll(async () => ((await root.query(sql))[0] as unknown[]).length).toBe(waiting);
}
