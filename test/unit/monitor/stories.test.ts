// The monitor's rules as stories: what it sees, what it asks of ns4, what it refuses and says.
import { describe, expect, test } from 'vitest';
import { recoveriesOf } from '../../../src/monitor/core/state/state.ts';
import { awaitedJobs } from '../../../src/monitor/core/step.ts';
import { sentence } from '../../../src/shared/documents/events/events.ts';
import type { RefusalName } from '../../../src/shared/documents/refusals/refusals.ts';
import { agent, hypervisor, inventory, nowMs, server, spare } from '../../support/inventories.ts';
import { done, Story, type World } from '../../support/monitor-story.ts';

/** hv01 with three instances has been silent for two minutes; hv02 is healthy with one, hv04 is the spare. */
function deadHv01(change: Parameters<typeof inventory>[0] | null = null) {
  return (atMs: number) =>
    inventory(
      change ?? {
        hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
        agents: [agent('hv01', 120_000)],
        servers: [server('vm1', 'hv01'), server('vm2', 'hv01'), server('vm3', 'hv01'), server('vm9', 'hv02')],
      },
      atMs,
    );
}

const silentHv01: World['finding'] = (name) => (/^(hv01|id-vm[123])$/.test(name) ? 'silent' : 'answers');

function story(world: Partial<World> = {}, change: ConstructorParameters<typeof Story>[1] = {}): Story {
  const built = deadHv01();
  const told: Story = new Story({ inventory: () => built(told.atMs), finding: silentHv01, ...world }, change);
  return told;
}

describe('a dead hypervisor', () => {
  test('is recovered onto the spare: suspicion, scan, servers, witnesses, verdict, evacuation', () => {
    const s = story().round();
    expect(s.requests.map((r) => r.name)).toEqual([
      'refresh-inventory',
      'scan',
      'refresh-inventory',
      'scan',
      'recover',
    ]);
    expect(s.recoveries).toEqual([{ dead: 'hv01', spare: 'hv04', attempt: 1 }]);
    expect(s.events.map((e) => e.kind)).toEqual([
      'suspects-found',
      'hosts-silent',
      'host-dead',
      'recovery-requested',
      'recovery-ended',
    ]);
    expect(s.texts.at(-1)).toContain('all 1 affected instances are back ("vm1")');
  });

  test('the evidence tells the silence of a stopped instance apart, as it proves nothing', () => {
    const cloud = deadHv01({
      hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
      agents: [agent('hv01', 120_000)],
      servers: [
        server('vm1', 'hv01'),
        server('vm2', 'hv01', { vmState: 'stopped', status: 'SHUTOFF' }),
        server('vm9', 'hv02'),
      ],
    });
    const s: Story = story({ inventory: () => cloud(s.atMs) });
    s.round();
    expect(s.texts.join('\n')).toContain(
      'its instances do not answer ("vm1"); others cannot tell ("vm2" (stopped))',
    );
  });

  test('the cooldown is stamped in the very state that asks for the evacuation', () => {
    const s = story({ recover: () => ({ state: 'running' }) }).round();
    expect(recoveriesOf(s.state)).toHaveLength(1);
    expect(s.state.cooldown?.recoveries).toEqual([recoveriesOf(s.state)[0]?.recovery.id]);
  });

  test('the monitor keeps watching while an evacuation runs, and does not judge its host again', () => {
    const s = story({ recover: () => ({ state: 'running' }) })
      .round()
      .round()
      .round();
    expect(s.recoveries).toHaveLength(1);
    expect(s.requests.filter((r) => r.name === 'refresh-inventory').length).toBeGreaterThanOrEqual(4);
    expect(s.events.filter((e) => e.kind === 'cleared')).toEqual([]);
  });
});

describe('fencing', () => {
  const unwitnessed = {
    hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
    agents: [agent('hv01', 120_000)],
    servers: [
      server('vm1', 'hv01', { addresses: [] }),
      server('vm2', 'hv01', { vmState: 'stopped' }),
      server('vm9', 'hv02'),
    ],
  };
  const story = (fencing: 'none' | 'required', world: Partial<World> = {}) => {
    const told: World = {
      inventory: () => inventory(unwitnessed, s.atMs),
      finding: (n) => (n === 'hv01' || n === 'id-vm2' ? 'silent' : 'answers'),
      recover: (request) => done(request),
      ...world,
    };
    const s: Story = new Story(told, { fencing });
    return s;
  };
  const deadEvidence = (s: Story) => s.events.flatMap((e) => (e.kind === 'host-dead' ? [e.evidence] : []));

  test('none: a silent host without witnesses is left alone', () => {
    const s = story('none').round();
    expect(s.refusals).toEqual(['no-witness']);
    expect(s.recoveries).toEqual([]);
  });

  test('required: it goes on to dead, with what that rests on', () => {
    const s = story('required').round();
    expect(s.refusals).toEqual([]);
    // An ns4 of another configuration must not take the order for one that silence is enough for.
    expect(s.recoveries).toHaveLength(1);
    const orders = s.requests.filter((job) => job.name === 'recover');
    expect(orders).toMatchObject([{ data: { proofDemanded: true } }]);
    expect(deadEvidence(s)).toEqual([
      [
        expect.stringContaining('no heartbeat (the newest heartbeat of its agents is'),
        'the host does not answer (hv01 silent)',
        'none of its instances could testify ("vm2" (stopped)), so fencing has to prove it',
        'the controls answer (3 of 3)',
      ],
    ]);
  });

  test.each<[string, RefusalName, (name: string, scan: number) => 'answers' | 'silent' | 'unknown']>([
    [
      'the host answers the second scan',
      'host-answers',
      (n, scan) => (n === 'id-vm2' || (n === 'hv01' && scan < 2) ? 'silent' : 'answers'),
    ],
    ['a stopped instance of it answers', 'guests-answer', (n) => (n === 'hv01' ? 'silent' : 'answers')],
    [
      'the second scan has trouble of its own',
      'scan-unknown',
      (n, scan) => (n !== 'hv01' && n !== 'id-vm2' ? 'answers' : scan < 2 ? 'silent' : 'unknown'),
    ],
    [
      'the control hosts fall silent, though guests of theirs answer',
      'scanner-blind',
      (n, scan) =>
        n === 'hv01' || n === 'id-vm2' || (n === 'hv02' && scan > 1) || n === 'hv04' ? 'silent' : 'answers',
    ],
  ])('required: %s', (_, refusal, finding) => {
    const s: Story = story('required', {
      finding: (name) => finding(name, s.requests.filter((r) => r.name === 'scan').length),
    });
    s.round();
    expect(s.refusals).toEqual([refusal]);
    expect(s.recoveries).toEqual([]);
  });

  test('required: instances that answer are a veto all the same', () => {
    const servers = [server('vm1', 'hv01'), server('vm9', 'hv02')];
    const s: Story = story('required', {
      inventory: () => inventory({ ...unwitnessed, servers }, s.atMs),
      finding: (n) => (n === 'hv01' ? 'silent' : 'answers'),
    });
    expect(s.round().refusals).toEqual(['guests-answer']);
  });

  describe('fence-failed', () => {
    const refusal = (failure: 'off-failed' | 'timed-out', detail = 'no answer') => ({
      name: 'fence-failed' as const,
      host: 'hv01',
      levels: [{ agent: 'fence_ipmilan', failure, detail }],
    });
    const refusing = (answer: () => ReturnType<typeof refusal>) =>
      story('required', {
        recover: (request) =>
          done(request, { outcome: 'refused', acted: false, instances: [], refusal: answer() }),
      });

    test('is said once, asked again each round, and costs no cooldown', () => {
      let count = 0;
      const s = refusing(() => refusal('off-failed', `no answer, try ${++count}`))
        .round()
        .round()
        .round();
      expect(s.refusals).toEqual(['fence-failed']);
      expect(s.recoveries).toHaveLength(3);
      expect(s.state.cooldown).toBeNull();
      expect(s.events.filter((e) => e.kind === 'host-dead')).toHaveLength(1);
      expect(s.events.filter((e) => e.kind === 'recovery-requested')).toHaveLength(1);
      expect(sentence({ kind: 'refused', refusal: refusal('off-failed') })).toEqual({
        level: 'error',
        text: 'hv01 is not proven to be off: level 1, fence_ipmilan: "off" failed ("no answer"). Nothing evacuated. When you have made sure that it has no power: "ns4 --confirm-fenced hv01".',
      });
    });

    test('is said again when it fails in another way', () => {
      let failure: 'off-failed' | 'timed-out' = 'off-failed';
      const s = refusing(() => refusal(failure)).round();
      failure = 'timed-out';
      expect(s.round().round().refusals).toEqual(['fence-failed', 'fence-failed']);
    });

    test('the order to look at once ends the pause between two rounds', () => {
      const s = refusing(() => refusal('off-failed')).round();
      const phase = s.state.watches.hosts;
      expect(phase).toMatchObject({ kind: 'watching' });
      expect(phase.kind === 'watching' && phase.nextCheckMs).toBeGreaterThan(s.atMs);
      s.order({ kind: 'confirm-fenced', host: 'hv01', by: 'alice', atMs: s.atMs });
      expect(s.state.watches.hosts).toEqual({ kind: 'watching', nextCheckMs: s.atMs });
      s.round();
      expect(s.recoveries).toHaveLength(2);
    });
  });
});

describe('refusals', () => {
  const base = {
    hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
    agents: [agent('hv01', 120_000)],
    servers: [server('vm1', 'hv01'), server('vm9', 'hv02')],
  };
  const many = ['hv11', 'hv12', 'hv13', 'hv14', 'hv15', 'hv16'];
  /** So that the many are not most of the cloud, which would be another matter. */
  const well = ['hv21', 'hv22', 'hv23', 'hv24', 'hv25', 'hv26'];
  const table: {
    name: RefusalName;
    when: string;
    world?: Partial<World>;
    cloud?: Parameters<typeof inventory>[0];
    rules?: ConstructorParameters<typeof Story>[1];
  }[] = [
    {
      name: 'inventory-unavailable',
      when: 'the refresh fails',
      world: { refresh: () => ({ state: 'done', result: { ok: false, detail: 'Keystone is away' } }) },
    },
    {
      name: 'inventory-unavailable',
      when: 'the refresh throws',
      world: { refresh: () => ({ state: 'failed', detail: 'boom' }) },
    },
    {
      name: 'inventory-stale',
      when: 'the inventory is of another hour',
      world: { inventory: () => inventory(base, nowMs - 3_600_000) },
    },
    {
      name: 'too-many-suspects',
      when: 'six hosts are suspicious',
      cloud: {
        ...base,
        hypervisors: [...base.hypervisors, ...[...many, ...well].map((h) => hypervisor(h))],
        agents: many.map((h) => agent(h, 120_000)),
      },
    },
    {
      name: 'no-address',
      when: 'Nova knows no host_ip',
      cloud: { ...base, hypervisors: [hypervisor('hv01', { address: null }), ...base.hypervisors.slice(1)] },
    },
    { name: 'host-answers', when: 'the host answers the scan', world: { finding: () => 'answers' } },
    {
      name: 'scan-failed',
      when: 'the scan fails',
      world: { scan: () => ({ state: 'failed', detail: 'stalled' }) },
    },
    { name: 'scan-failed', when: 'the scan vanished', world: { scan: () => ({ state: 'missing' }) } },
    { name: 'scanner-blind', when: 'the controls are silent too', world: { finding: () => 'silent' } },
    {
      name: 'scan-unknown',
      when: 'the scanner had trouble of its own',
      world: { finding: (n) => (n === 'hv01' ? 'unknown' : 'answers') },
    },
    {
      name: 'no-witness',
      when: 'no instance has an external address',
      cloud: { ...base, servers: [server('vm1', 'hv01', { addresses: [] })] },
    },
    {
      name: 'no-witness',
      when: 'only stopped instances have one',
      cloud: { ...base, servers: [server('vm1', 'hv01', { vmState: 'stopped', status: 'SHUTOFF' })] },
    },
    {
      name: 'nothing-to-recover',
      when: 'Nova has no instance there any more',
      cloud: { ...base, servers: [server('vm9', 'hv02')] },
    },
    {
      name: 'already-handled',
      when: 'Sonny was there before and something is left',
      cloud: {
        ...base,
        hypervisors: [
          hypervisor('hv01', {
            state: 'down',
            status: 'disabled',
            disabledReason: 'sonny resurrection on hv04',
          }),
          ...base.hypervisors.slice(1),
        ],
      },
    },
    {
      name: 'guests-answer',
      when: 'one of its instances answers',
      world: { finding: (n) => (n === 'hv01' || n === 'id-vm1' ? 'silent' : 'answers') },
    },
    {
      name: 'scanner-blind',
      when: 'guests of healthy hosts are silent as well',
      world: { finding: (n) => (n.startsWith('id-') || n === 'hv01' ? 'silent' : 'answers') },
    },
    {
      name: 'scan-unknown',
      when: 'a witness could not be scanned',
      world: {
        finding: (n) =>
          n === 'hv01'
            ? 'silent'
            : n === 'id-vm1'
              ? 'unknown'
              : n === 'id-vm9'
                ? 'answers'
                : n.startsWith('id-')
                  ? 'silent'
                  : 'answers',
      },
    },
    { name: 'dry-mode', when: 'dead_backoff is 0', rules: { deadBackoff: 0 } },
    {
      name: 'too-many-dead',
      when: 'two are dead',
      cloud: {
        ...base,
        hypervisors: [...base.hypervisors, hypervisor('hv03')],
        agents: [agent('hv01', 120_000), agent('hv03', 120_000)],
        servers: [...base.servers, server('vm3', 'hv03')],
      },
      world: { finding: (n) => (/^(hv01|hv03|id-vm[13])$/.test(n) ? 'silent' : 'answers') },
    },
    {
      name: 'no-spare',
      when: 'nothing is set aside',
      cloud: { ...base, hypervisors: base.hypervisors.slice(0, 2) },
    },
    {
      name: 'no-spare',
      when: "the spare's own agent is dead",
      cloud: { ...base, agents: [agent('hv01', 120_000), agent('hv04', 120_000)] },
    },
  ];
  test.each(table)('$name: $when', ({ name, world, cloud, rules }) => {
    const built = deadHv01(cloud ?? null);
    const s: Story = new Story({ inventory: () => built(s.atMs), finding: silentHv01, ...world }, rules);
    s.round();
    expect(s.refusals).toEqual([name]);
    expect(s.recoveries).toEqual([]);
    const again = s.events.length;
    s.round().round();
    expect(s.refusals, 'it is said once while it stays so').toEqual([name]);
    expect(s.events).toHaveLength(again);
  });

  test('cooldown: a second death within it is told and left alone, after it is recovered', () => {
    const cloud = {
      hypervisors: [hypervisor('hv01'), hypervisor('hv02'), spare('hv04'), spare('hv05')],
      servers: [server('vm1', 'hv01'), server('vm2', 'hv02')],
    };
    let dead = 'hv01';
    const s: Story = new Story(
      {
        inventory: () => inventory({ ...cloud, agents: [agent(dead, -(s.atMs - nowMs) + 120_000)] }, s.atMs),
        finding: (n) => (n === dead || n === (dead === 'hv01' ? 'id-vm1' : 'id-vm2') ? 'silent' : 'answers'),
      },
      { cooldownMs: 3_600_000 },
    );
    s.round();
    dead = 'hv02';
    s.round().round();
    expect(s.refusals).toEqual(['cooldown']);
    s.atMs += 3_600_000;
    s.round();
    expect(s.recoveries.map((e) => e.dead)).toEqual(['hv01', 'hv02']);
  });

  test('the operator forgets the cooldown', () => {
    const s = story({ recover: () => ({ state: 'running' }) }).round();
    s.order({ kind: 'reset-cooldown', by: 'anna', atMs: s.atMs });
    expect(s.state.cooldown).toBeNull();
    expect(s.texts.at(-1)).toBe('The cooldown was reset by anna.');
  });

  test('worker-silent: nobody finishes the job within its limit; it is taken back', () => {
    const s = story();
    s.input({ kind: 'tick' });
    s.atMs += 91_000;
    s.input({ kind: 'tick' });
    expect(s.refusals).toEqual(['worker-silent']);
    expect(s.state.watches.hosts.kind).toBe('watching');
  });

  test('a host whose heartbeat returns between the scans is let go', () => {
    let rounds = 0;
    const s: Story = new Story({
      inventory: () => {
        rounds += 1;
        const ageMs = rounds > 1 ? 1_000 : 120_000;
        return inventory(
          {
            hypervisors: [hypervisor('hv01'), hypervisor('hv02'), spare('hv04')],
            agents: [agent('hv01', 0, { heartbeatAtMs: s.atMs - ageMs })],
            servers: [server('vm1', 'hv01')],
          },
          s.atMs,
        );
      },
      finding: silentHv01,
      scan: () => {
        rounds = 2;
        return null;
      },
    });
    s.round();
    expect(s.recoveries).toEqual([]);
    expect(s.events.map((e) => e.kind)).toEqual(['suspects-found', 'hosts-silent', 'cleared']);
  });

  test('an outcome nobody waits for changes nothing: late, doubled or of an earlier life', () => {
    const s = story().round();
    const before = JSON.stringify(s.state);
    for (const job of s.requests) s.outcome(job, s.answer(job));
    expect(JSON.stringify(s.state)).toBe(before);
  });

  test('back-off: said once, counted, and its end told', () => {
    let calm = false;
    const s: Story = new Story({
      inventory: () =>
        inventory(
          {
            hypervisors: [...many, ...well].map((h) => hypervisor(h)),
            agents: calm ? [] : many.map((h) => agent(h, 999_000)),
          },
          s.atMs,
        ),
    });
    s.round().round().round();
    calm = true;
    s.round();
    expect(s.refusals).toEqual(['too-many-suspects']);
    expect(s.texts.at(-1)).toBe('No hypervisor is suspicious any more; backed off 3 times.');
  });
});

describe('hosts that die together, their heartbeats running out one after another', () => {
  const hypervisors = [
    hypervisor('hv01'),
    hypervisor('hv02'),
    hypervisor('hv03', { runningVms: 1 }),
    spare('hv04'),
    spare('hv05'),
  ];
  const servers = [server('vm1', 'hv01'), server('vm2', 'hv02'), server('vm3', 'hv03')];
  /** hv01's heartbeat has run out, hv02's will in twenty seconds; hv03 is heard all the time. */
  function dying(hv02: { heard: (atMs: number) => number; silent: boolean }, change = {}): Story {
    const s: Story = new Story(
      {
        inventory: () =>
          inventory(
            {
              hypervisors,
              servers,
              agents: [agent('hv01', 41_000), agent('hv02', 0, { heartbeatAtMs: hv02.heard(s.atMs) })],
            },
            s.atMs,
          ),
        finding: (n) =>
          /^(hv01|id-vm1)$/.test(n) || (hv02.silent && /^(hv02|id-vm2)$/.test(n)) ? 'silent' : 'answers',
      },
      change,
    );
    return s;
  }

  test('the first one is not taken for the only one: the limit holds', () => {
    const s = dying({ heard: () => nowMs - 20_000, silent: true });
    s.round();
    expect(s.refusals).toEqual(['perhaps-more-dead']);
    expect(s.state.watches.hosts).toEqual({ kind: 'watching', nextCheckMs: nowMs + 20_001 });
    s.round();
    expect(s.refusals).toEqual(['perhaps-more-dead', 'too-many-dead']);
    expect(s.recoveries).toEqual([]);
  });

  test('a beat of OVN that was found since, but may be as old as the look before, is no word since', () => {
    const ovn = (atMs: number, heardAfterMs: number) => ({
      ...({ says: 'alive', why: 'moved', baseMs: 0, isBehind: false, silentSinceMs: null } as const),
      ...{ heardAtMs: atMs, heardAfterMs, lookedAtMs: atMs },
    });
    // Its nova-compute says nothing for it.
    const mute = hypervisors.map((h) => (h.host === 'hv02' ? { ...h, reportedAtMs: null } : h));
    const found = (afterMs: number) => {
      const agents = (atMs: number) => [
        agent('hv01', 41_000),
        agent('hv02', 0, { binary: 'ovn-controller', ovn: ovn(atMs, atMs - afterMs) }),
      ];
      const s: Story = new Story({
        inventory: () => inventory({ hypervisors: mute, servers, agents: agents(s.atMs) }, s.atMs),
        finding: (n) => (/^(hv01|id-vm1|hv02|id-vm2)$/.test(n) ? 'silent' : 'answers'),
      });
      return s.round().refusals;
    };
    expect(found(60_000)).toEqual(['perhaps-more-dead']);
    expect(found(0)).toEqual([]);
  });

  test('it is recovered once the other is heard again', () => {
    let heardAtMs = nowMs - 20_000;
    const s = dying({ heard: () => heardAtMs, silent: true });
    s.round();
    heardAtMs = nowMs + 15_000;
    s.round();
    expect(s.recoveries).toEqual([{ dead: 'hv01', spare: 'hv04', attempt: 1 }]);
  });

  test('one that answers the scan delays nothing', () => {
    const s = dying({ heard: () => nowMs - 20_000, silent: false });
    expect(s.round().recoveries).toHaveLength(1);
  });

  test('within the limit they are recovered together: the cooldown of the first must not leave the other down', () => {
    const s = dying({ heard: () => nowMs - 20_000, silent: true }, { deadBackoff: 2 });
    s.round();
    expect(s.refusals).toEqual(['perhaps-more-dead']);
    expect(s.round().recoveries.map(({ dead }) => dead)).toEqual(['hv01', 'hv02']);
  });

  test.each(['refreshing', 'scanning-hosts', 'reading-servers', 'scanning-guests'] as const)(
    'a recovery ends with nothing done while the next one is looked at (%s): they count together',
    (kind) => {
      const hv02 = { heard: (atMs: number) => atMs, silent: false };
      const s = dying(hv02);
      s.world.recover = () => ({ state: 'running' });
      const [recovery] = s.round().requests.filter((r) => r.name === 'recover');
      Object.assign(hv02, { heard: () => nowMs, silent: true });
      s.atMs = nowMs + 90_000;
      s.input({ kind: 'tick' });
      while (s.state.watches.hosts.kind !== kind) {
        const [job] = awaitedJobs(s.state).filter((j) => j.name !== 'recover');
        if (job === undefined) throw new Error(`never ${kind}`);
        s.outcome(job, s.answer(job));
      }
      if (recovery?.name !== 'recover') throw new Error('no recovery');
      const refusal = { name: 'spare-unfit', host: 'hv01', spare: 'hv04', why: 'it is enabled' } as const;
      s.outcome(recovery, done(recovery, { outcome: 'refused', acted: false, instances: [], refusal }));
      s.round();
      expect(s.refusals).toEqual(['spare-unfit', 'too-many-dead']);
      expect(s.recoveries).toHaveLength(1);
    },
  );
});

test('instances left on a host handled before are told of, though the recovery of another is refused every round', () => {
  let serversAtMs = nowMs;
  let isHandled = false;
  const s: Story = new Story({
    inventory: () => {
      const handled = {
        state: 'down',
        status: 'disabled',
        disabledReason: 'sonny resurrection on hv05',
      } as const;
      const seen = inventory(
        {
          hypervisors: [
            hypervisor('hv01', isHandled ? { ...handled, forcedDown: true } : {}),
            ...[hypervisor('hv02'), hypervisor('hv03', { runningVms: 1 }), hypervisor('hv06'), spare('hv04')],
          ],
          servers: [server('vm1', 'hv01'), server('vm2', 'hv02'), server('vm3', 'hv03')],
          agents: [agent('hv01', 0, isHandled ? {} : { heartbeatAtMs: s.atMs }), agent('hv02', 99_000)],
        },
        s.atMs,
      );
      return { ...seen, servers: seen.servers && { ...seen.servers, collectedAtMs: serversAtMs } };
    },
    finding: (name) => (/^(hv02|id-vm2)$/.test(name) ? 'silent' : 'answers'),
    refresh: (servers) => {
      if (servers) serversAtMs = s.atMs;
      const result = { ok: true, collectedAtMs: s.atMs, serversCollectedAtMs: serversAtMs } as const;
      return { state: 'done', result: { ...result, hypervisors: 5, servers: 3, tookMs: 10 } };
    },
    recover: (r) => {
      const levels = [{ agent: 'fence_ipmilan', failure: 'timed-out' as const, detail: 'no answer' }];
      const refusal = { name: 'fence-failed' as const, host: 'hv02', levels };
      return done(r, { outcome: 'refused', acted: false, instances: [], refusal });
    },
  });
  s.round().round();
  isHandled = true;
  s.round().round();
  expect(s.refusals).toEqual(['fence-failed', 'already-handled']);
});

describe('a refusal by ns4', () => {
  test('is said once, though the order is tried again every round', () => {
    const s = story({
      recover: (r) =>
        done(r, {
          outcome: 'refused',
          acted: false,
          instances: [],
          refusal: { name: 'spare-unfit', host: 'hv01', spare: 'hv04', why: 'it has 1 instances on it' },
        }),
    });
    s.round().round().round();
    expect(s.refusals).toEqual(['spare-unfit']);
    expect(s.recoveries.length).toBe(3);
    expect(s.state.cooldown, 'nothing was done, so nothing cools down').toBeNull();
  });
});

describe('a lost worker', () => {
  test('the recovery is handed to another one, with the same incident', () => {
    let attempts = 0;
    const s = story({
      recover: (r) => {
        attempts = r.data.attempt;
        return r.data.attempt === 1
          ? { state: 'failed', detail: 'job stalled more than allowable limit' }
          : done(r);
      },
    });
    s.round();
    expect(attempts).toBe(2);
    expect(new Set(s.requests.flatMap((r) => (r.name === 'recover' ? [r.data.incident] : []))).size).toBe(1);
    expect(s.events.map((e) => e.kind)).toContain('recovery-continued');
  });

  test.each([
    ['lost again and again is taken over soon each time', true, [null, 1_000, 1_000, 1_000]],
    [
      'that fails again and again is asked for after longer and longer pauses',
      false,
      [null, 2_000, 4_000, 8_000],
    ],
  ])('a recovery %s', (_, workerLost, expected) => {
    const s = story({ recover: () => ({ state: 'running' }) }).round();
    const pauses = expected.map(() => {
      const job = s.requests.filter((r) => r.name === 'recover').at(-1);
      if (job === undefined) throw new Error('no evacuation');
      s.outcome(job, { state: 'failed', detail: 'an attempt', workerLost });
      const retryAtMs = recoveriesOf(s.state)[0]?.recovery.retryAtMs ?? null;
      const pauseMs = retryAtMs === null ? null : retryAtMs - s.atMs;
      s.atMs += pauseMs ?? 0;
      s.input({ kind: 'tick' });
      return pauseMs;
    });
    expect(pauses).toEqual(expected);
  });

  test('after twenty attempts the recovery is given up aloud, and the cooldown stands', () => {
    const s = story({ recover: () => ({ state: 'failed', detail: 'boom' }) }, { deadBackoff: 1 });
    s.round();
    for (let i = 0; i < 40 && recoveriesOf(s.state).length > 0; i += 1) {
      s.atMs += 61_000;
      s.round();
    }
    expect(s.texts.some((t) => t.startsWith('Nobody knows how hv01 -> hv04 ended'))).toBe(true);
    expect(s.state.cooldown).not.toBeNull();
  });

  test('a recovery without an end is given up after its limit', () => {
    const s = story({ recover: () => ({ state: 'running' }) }).round();
    s.atMs += 3_700_001;
    s.input({ kind: 'tick' });
    expect(recoveriesOf(s.state)).toEqual([]);
    expect(s.events.map((e) => e.kind)).toContain('recovery-lost');
  });
});

describe('when to look next', () => {
  test('at the moment the oldest heartbeat would run out, not a monitor period later', () => {
    const s: Story = new Story({
      inventory: () =>
        inventory(
          {
            hypervisors: [hypervisor('hv01'), hypervisor('hv02')],
            agents: [agent('hv01', 0, { heartbeatAtMs: nowMs - 30_000 })],
          },
          s.atMs,
        ),
    });
    s.round();
    expect(s.state.watches.hosts).toEqual({ kind: 'watching', nextCheckMs: nowMs - 30_000 + 40_001 });
  });

  test('after the monitor period at the latest, and never in a tight loop', () => {
    const ages = [39_999, 1_000];
    const s: Story = new Story(
      {
        inventory: () =>
          inventory(
            {
              hypervisors: [hypervisor('hv01')],
              agents: [agent('hv01', 0, { heartbeatAtMs: s.atMs - (ages[0] ?? 0) })],
            },
            s.atMs,
          ),
      },
      { monitorPeriodMs: 5_000 },
    );
    s.round();
    expect(s.state.watches.hosts).toEqual({ kind: 'watching', nextCheckMs: s.atMs + 1_000 });
    ages.shift();
    s.round();
    expect(s.state.watches.hosts).toEqual({ kind: 'watching', nextCheckMs: s.atMs + 5_000 });
  });
});
