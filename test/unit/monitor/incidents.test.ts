// Incidents: one for each dead or dying host, from its first suspicion to its return to service, and what stands on it.
import { describe, expect, test } from 'vitest';
import { recoveriesOf } from '../../../src/monitor/core/state/state.ts';
import type { RecoveryReport } from '../../../src/shared/documents/jobs/recover.ts';
import { type Refusal, refusalEntries } from '../../../src/shared/documents/refusals/refusals.ts';
import { agent, hypervisor, inventory, nowMs, server, spare } from '../../support/inventories.ts';
import { done, Story, type World } from '../../support/monitor-story.ts';

const handled = {
  state: 'down',
  status: 'disabled',
  forcedDown: true,
  disabledReason: 'sonny resurrection on hv04',
} as const;

/** hv01 is silent, hv02 healthy, hv04 a spare; `hv01` changes how Nova shows the dead one. */
function cloud(change: Partial<World> = {}, rules: ConstructorParameters<typeof Story>[1] = {}) {
  const seen = {
    hv01: {} as Parameters<typeof hypervisor>[1],
    heardMsAgo: 120_000,
    servers: [server('vm1', 'hv01'), server('vm9', 'hv02')],
  };
  const s: Story = new Story(
    {
      inventory: () =>
        inventory(
          {
            hypervisors: [
              hypervisor('hv01', seen.hv01),
              hypervisor('hv02', { runningVms: 1 }),
              spare('hv04'),
            ],
            agents: [agent('hv01', 0, { heartbeatAtMs: s.atMs - seen.heardMsAgo })],
            servers: seen.servers,
          },
          s.atMs,
        ),
      finding: (name) => (/^(hv01|id-vm1)$/.test(name) ? 'silent' : 'answers'),
      ...change,
    },
    rules,
  );
  return { s, seen };
}

const refusing =
  (refusal: Refusal): World['recover'] =>
  (request) =>
    done(request, { outcome: 'refused', acted: false, instances: [], refusal });

describe('one incident from the first suspicion to the return', () => {
  test('every event about the host carries its id; the cloud is nobody of its own', () => {
    const { s, seen } = cloud();
    s.round();
    const [incident] = s.state.incidents;
    expect(incident).toMatchObject({ stage: 'away', recoveries: 1, recovery: null });
    expect(s.told.map(({ facts, incidents }) => [facts.kind, incidents])).toEqual(
      ['suspects-found', 'hosts-silent', 'host-dead', 'recovery-requested', 'recovery-ended'].map((kind) => [
        kind,
        [incident?.id],
      ]),
    );
    seen.hv01 = handled;
    seen.servers = [server('vm9', 'hv02')];
    s.round().round();
    expect(s.state.incidents, 'it is away until it returns').toMatchObject([{ id: incident?.id }]);
    Object.assign(seen, { hv01: {}, heardMsAgo: 0 });
    s.round();
    expect(s.told.at(-1)).toEqual({ incidents: [incident?.id], facts: { kind: 'returned', host: 'hv01' } });
    expect(s.state.incidents).toEqual([]);
  });

  test('a host that is heard again closes it, and its next suspicion opens another one', () => {
    const { s, seen } = cloud({ finding: () => 'answers' });
    s.round();
    const first = s.state.incidents[0]?.id;
    seen.heardMsAgo = 0;
    s.round();
    expect(s.told.at(-1)).toMatchObject({
      incidents: [first],
      facts: { kind: 'cleared', of: 'host-answers' },
    });
    seen.heardMsAgo = 120_000;
    s.round();
    expect(s.state.incidents[0]?.id).not.toBe(first);
  });

  test('recoveries are numbered below it, each with a name of its own', () => {
    const { s } = cloud({
      recover: refusing({ name: 'spare-unfit', host: 'hv01', spare: 'hv04', why: 'x' }),
    });
    s.round().round();
    const ids = s.requests.flatMap((r) => (r.name === 'recover' ? [r.data] : []));
    const incident = s.state.incidents[0]?.id;
    expect(ids.map((data) => [data.incident, data.recovery])).toEqual([
      [incident, `${incident}.1`],
      [incident, `${incident}.2`],
    ]);
  });
});

describe('ns4 refuses: every refusal that it can give is said once, however many rounds follow', () => {
  const evidence: Readonly<Record<string, Refusal>> = {
    'control-plane-suspect': {
      name: 'control-plane-suspect',
      scope: { kind: 'zone', name: 'a' },
      of: 'agents',
      stale: ['hv01', 'hv02'],
      total: 3,
      why: 'no-answer',
      hosts: ['hv01'],
    },
    'scan-failed': { name: 'scan-failed', of: 'hosts', hosts: ['hv01'], detail: 'boom' },
    'scanner-blind': { name: 'scanner-blind', of: 'hosts', hosts: ['hv01'], controls: ['hv02'] },
    'too-few-vantage-points': {
      name: 'too-few-vantage-points',
      hosts: ['hv01'],
      vantagePoints: ['a'],
      missing: [],
      quorum: 2,
    },
    'scan-unknown': { name: 'scan-unknown', host: 'hv01', detail: 'EMFILE' },
    'guests-answer': { name: 'guests-answer', host: 'hv01', answering: ['vm1'], silent: 0 },
    'disks-open': { name: 'disks-open', host: 'hv01', on: '1 of 1 disks are open by 10.2.0.1' },
    'disks-unknown': { name: 'disks-unknown', host: 'hv01', detail: 'Ceph is away' },
    'not-cut-off': { name: 'not-cut-off', host: 'hv01', detail: 'osd.1 does not answer' },
    'wrong-device': { name: 'wrong-device', host: 'hv01', fell: ['hv07'], atMs: 1 },
    'unknown-host': { name: 'unknown-host', host: 'hv01' },
    'came-back': { name: 'came-back', host: 'hv01', evidence: 'port 22 open' },
    'spare-unfit': { name: 'spare-unfit', host: 'hv01', spare: 'hv04', why: 'it is full' },
    'already-recovering': { name: 'already-recovering', host: 'hv01', incident: 'i', spare: 'hv04' },
    'too-late': { name: 'too-late', host: 'hv01', ageMs: 130_000 },
    'journal-not-believed': {
      ...{ name: 'journal-not-believed', host: 'hv01' },
      document: { what: 'journal', about: '20261121T030000-hv01.1', why: 'unsigned' },
    },
    'api-unavailable': { name: 'api-unavailable', host: 'hv01', detail: 'Nova answered 503' },
    'fence-failed': { name: 'fence-failed', host: 'hv01', levels: [] },
    'fencing-plans-differ': {
      ...{ name: 'fencing-plans-differ', hosts: ['hv01'] },
      plans: [
        { plan: 'aaaa', of: ['ctl1'] },
        { plan: 'bbbb', of: ['ctl2'] },
      ],
    },
    'foreign-mark': { name: 'foreign-mark', host: 'hv01', recovery: 'x.1' },
    'operator-at-work': { name: 'operator-at-work', host: 'hv01', reason: 'BIOS', meanwhile: false },
  };
  const byNs4 = refusalEntries.filter(({ by }) => by.includes('ns4')).map(({ name }) => name);

  test.each(byNs4)('%s', (name) => {
    const refusal = evidence[name];
    if (refusal === undefined) throw new Error(`no evidence for ${name}`);
    const { s } = cloud({ recover: refusing(refusal) });
    s.round();
    const said = s.events.length;
    s.round().round().round().round();
    expect(s.recoveries, 'it is asked again every round').toHaveLength(5);
    expect(s.events.slice(said)).toEqual([]);
  });
});

describe("an operator's word that a host is off acts on its incident", () => {
  const fenceFailed: Refusal = { name: 'fence-failed', host: 'hv01', levels: [] };
  const confirm = (s: Story) => s.order({ kind: 'confirm-fenced', host: 'hv01', by: 'anna', atMs: s.atMs });

  test('while a recovery runs: as soon as that ends without a proof, the next round begins', () => {
    const { s } = cloud({ recover: () => ({ state: 'running' }) });
    s.round();
    const job = s.requests.find((r) => r.name === 'recover');
    if (job?.name !== 'recover') throw new Error('no recovery');
    s.atMs += 20_000;
    confirm(s);
    s.round();
    expect(s.state.watches.hosts, 'a round has left the host out meanwhile').toMatchObject({
      kind: 'watching',
    });
    s.atMs += 2_000;
    s.outcome(job, refusing(fenceFailed)(job));
    expect(s.state.watches.hosts).toEqual({ kind: 'watching', nextCheckMs: s.atMs });
    s.round();
    expect(s.recoveries).toHaveLength(2);
  });

  test('one look for one word: without a proof it does not go round and round', () => {
    const { s } = cloud({ recover: refusing(fenceFailed) });
    s.round();
    confirm(s);
    s.round();
    expect(s.recoveries).toHaveLength(2);
    const { hosts } = s.state.watches;
    expect(hosts.kind === 'watching' && hosts.nextCheckMs).toBeGreaterThan(s.atMs);
  });

  test('while a round is under way that ends without a recovery: the next one follows at once', () => {
    let answers = false;
    const { s } = cloud({
      recover: refusing(fenceFailed),
      finding: (name) => (!answers && /^(hv01|id-vm1)$/.test(name) ? 'silent' : 'answers'),
    });
    s.round();
    answers = true;
    s.atMs += 60_000;
    s.input({ kind: 'tick' });
    confirm(s);
    s.round();
    expect(s.refusals).toEqual(['fence-failed', 'host-answers']);
    expect(s.state.watches.hosts).toEqual({ kind: 'watching', nextCheckMs: s.atMs });
  });
});

describe('what stands about the cloud is gone with its own reason', () => {
  test('servers-unavailable is not cleared by a picture of the hosts, and said once while they fail', () => {
    let fails = true;
    const { s } = cloud({
      recover: () => ({ state: 'running' }),
      refresh: (servers) =>
        servers && fails ? { state: 'done', result: { ok: false, detail: 'Nova said 500' } } : null,
    } as Partial<World>);
    const { inventory: read } = s.world;
    s.world.inventory = () => {
      const { hosts, servers } = read();
      return { hosts, servers: { ...servers, collectedAtMs: fails ? nowMs : servers.collectedAtMs } };
    };
    s.round().round().round();
    expect(s.refusals).toEqual(['servers-unavailable']);
    expect(s.events.filter((e) => e.kind === 'cleared')).toEqual([]);
    fails = false;
    s.round();
    expect(s.events.filter((e) => e.kind === 'cleared')).toMatchObject([{ of: 'servers-unavailable' }]);
    expect(s.texts).toContain('The list of instances is fresh again.');
    expect(recoveriesOf(s.state)).toHaveLength(1);
  });

  test('worker-silent about scans is not over because a refresh went well', () => {
    let fails = true;
    const { s } = cloud({ scan: () => (fails ? { state: 'running' } : null) });
    for (let round = 0; round < 3; round += 1) {
      s.round();
      s.atMs += 60_001;
      s.input({ kind: 'tick' });
    }
    expect(s.refusals).toEqual(['worker-silent']);
    expect(s.events.filter((e) => e.kind === 'cleared')).toEqual([]);
    fails = false;
    s.round();
    expect(s.events.filter((e) => e.kind === 'cleared')).toMatchObject([{ of: 'worker-silent' }]);
  });
});

describe('recovery by hand', () => {
  const order = (
    s: Story,
    change: { target?: string | null; despite?: string[]; host?: string; atMs?: number } = {},
  ) =>
    s.order({
      kind: 'recover',
      id: 'order-1',
      host: 'hv01',
      target: 'hv04',
      despite: [],
      by: 'anna',
      atMs: s.atMs,
      ...change,
    });
  const answers = (s: Story) => s.events.flatMap((e) => (e.kind === 'order-refused' ? [e.refusal.name] : []));

  test('an order begins a recovery at once, whatever the watch thinks of the host, and is answered by its id', () => {
    const { s } = cloud({ recover: () => ({ state: 'running' }) });
    order(s);
    expect(s.told.at(-1)).toMatchObject({
      incidents: [s.state.incidents[0]?.id],
      facts: { kind: 'recovery-requested', order: 'order-1', host: 'hv01' },
    });
    const job = s.requests.find((r) => r.name === 'recover');
    expect(job?.data).toMatchObject({ byHand: true, evidence: ['ordered by hand by anna'] });
    expect(s.state.cooldown, 'it is a recovery as any other').not.toBeNull();
  });

  test('without a target the method chooses one', () => {
    const { s } = cloud({ recover: () => ({ state: 'running' }) });
    order(s, { target: null });
    expect(s.recoveries).toEqual([{ dead: 'hv01', spare: 'hv04', attempt: 1 }]);
  });

  test.each([
    ['dry-mode', { deadBackoff: 0 }],
    ['too-many-dead', { deadBackoff: 1 }],
    ['cooldown', {}],
    ['state-lost', {}],
  ] as const)('%s holds it, and is waived by that name', (name, rules) => {
    const { s } = cloud({ recover: () => ({ state: 'running' }) }, rules);
    if (name === 'too-many-dead') order(s, { host: 'hv02', despite: ['cooldown'] });
    if (name === 'cooldown')
      s.state = { ...s.state, cooldown: { sinceMs: s.atMs - 1, recoveries: ['x'], earlier: [] } };
    if (name === 'state-lost') s.state = { ...s.state, safeMode: { sinceMs: s.atMs, why: 'Redis is empty' } };
    const before = s.recoveries.length;
    const target = name === 'too-many-dead' ? null : 'hv04';
    order(s, { target, despite: name === 'too-many-dead' ? ['cooldown'] : [] });
    expect(answers(s)).toEqual([name]);
    expect(s.recoveries).toHaveLength(before);
    if (name === 'too-many-dead') return;
    order(s, { despite: [name] });
    expect(s.recoveries).toHaveLength(before + 1);
  });

  test('a spare that does not fit, a host that nobody knows, a picture that nobody has', () => {
    const { s } = cloud();
    order(s, { target: 'hv02' });
    order(s, { host: 'hv77' });
    order(s, { target: 'hv78' });
    expect(answers(s)).toEqual(['spare-unfit', 'unknown-host', 'unknown-host']);
  });

  test.each([-121_000, 121_000])(
    'an order given %i ms from now is refused: nobody knows how the host is now',
    (byMs) => {
      const { s } = cloud({ recover: () => ({ state: 'running' }) });
      order(s, { atMs: s.atMs + byMs });
      expect(answers(s)).toEqual(['too-late']);
      expect(s.recoveries).toEqual([]);
      order(s, { atMs: s.atMs + Math.sign(byMs) * 119_000 });
      expect(s.recoveries).toHaveLength(1);
    },
  );

  test('of a host that is being recovered it follows what is under way', () => {
    const { s } = cloud({ recover: () => ({ state: 'running' }) });
    s.round();
    order(s);
    expect(s.recoveries).toHaveLength(1);
    expect(s.events.at(-1)).toMatchObject({ kind: 'recovery-requested', order: 'order-1' });
  });

  test('what ns4 refuses is told as the end of it, also when the same refusal stands already', () => {
    const refusal: Refusal = { name: 'came-back', host: 'hv01', evidence: 'port 22 open' };
    const { s } = cloud({ recover: refusing(refusal) });
    s.round();
    order(s);
    const job = s.requests.filter((r) => r.name === 'recover').at(-1);
    if (job?.name !== 'recover') throw new Error('no recovery');
    s.outcome(job, s.answer(job));
    const ends = s.events.flatMap((e): RecoveryReport[] => (e.kind === 'recovery-ended' ? [e.report] : []));
    expect(ends).toMatchObject([{ outcome: 'refused', refusal }]);
  });
});
