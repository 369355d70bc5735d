// Who works at a host: an operator who disabled its service, another Sonny, an earlier recovery of this one that ended
// short. What the monitor makes of it.
import { describe, expect, test } from 'vitest';
import type { Hypervisor } from '../../../src/shared/documents/inventory.ts';
import type { Refusal } from '../../../src/shared/documents/refusals/refusals.ts';
import { agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { done, Story, type World } from '../../support/monitor-story.ts';

interface Seen {
  dead: Partial<Hypervisor>;
  spare: Partial<Hypervisor>;
  /** Silent besides hv01. */
  alsoSilent: readonly string[];
  alive: boolean;
}

/** hv01 is silent, hv02 healthy, hv04 and hv05 are spares; `set` changes what is seen from now on. */
function cloud(change: Partial<World & Seen> = {}, rules: ConstructorParameters<typeof Story>[1] = {}) {
  const seen: Seen = { dead: {}, spare: {}, alsoSilent: [], alive: false, ...change };
  const s: Story = new Story(
    {
      inventory: () =>
        inventory(
          {
            hypervisors: [
              hypervisor('hv01', seen.dead),
              hypervisor('hv02'),
              hypervisor('hv03'),
              spare('hv04', seen.spare),
              spare('hv05'),
            ],
            agents: (seen.alive ? [] : ['hv01', ...seen.alsoSilent]).map((host) =>
              agent(host, 0, { heartbeatAtMs: s.atMs - 120_000 }),
            ),
            servers: [server('vm1', 'hv01'), server('vm2', 'hv02'), server('vm3', 'hv03')],
          },
          s.atMs,
        ),
      finding: (name) => (/^(hv01|id-vm1)$/.test(name) ? 'silent' : 'answers'),
      ...change,
    },
    rules,
  );
  return { s, set: (now: Partial<Seen>) => Object.assign(seen, now) };
}

const refusing =
  (refusal: Refusal): World['recover'] =>
  (request) =>
    done(request, { outcome: 'refused', acted: false, instances: [], refusal });

describe('C5: a host that an operator disabled', () => {
  const disabled = { status: 'disabled' as const, disabledReason: 'maintenance: BIOS update' };
  const refusal = {
    ...{ name: 'operator-at-work', host: 'hv01', reason: 'maintenance: BIOS update', meanwhile: false },
  };
  const refusals = (s: Story) =>
    s.events.flatMap((e) => (e.kind === 'refused' || e.kind === 'order-refused' ? [e.refusal] : []));

  test('is left alone when it falls silent, which is told once', () => {
    const { s } = cloud({ dead: disabled });
    s.round().round().round();
    expect(refusals(s)).toEqual([refusal]);
    expect(s.recoveries).toEqual([]);
    expect(s.events.some((e) => e.kind === 'host-dead')).toBe(false);
  });

  test('keeps nobody else from recovery, and counts for no limit', () => {
    const { s } = cloud({
      dead: disabled,
      finding: (name) => (/^(hv01|hv02|id-vm1|id-vm2)$/.test(name) ? 'silent' : 'answers'),
      alsoSilent: ['hv02'],
    });
    s.round();
    expect(s.recoveries.map(({ dead }) => dead)).toEqual(['hv02']);
    expect(refusals(s)).toEqual([refusal]);
  });

  test('is recovered where the configuration says so', () => {
    const { s } = cloud({ dead: disabled }, { disabledHosts: 'recover' });
    s.round();
    expect(s.recoveries).toHaveLength(1);
  });

  test.each(['AUTO: Connection to libvirt lost: 1', 'spare', 'sonny resurrection on hv09'])(
    'is not one with the reason %j',
    (disabledReason) => {
      const { s } = cloud({ dead: { status: 'disabled', disabledReason } });
      s.round();
      expect(s.recoveries).toHaveLength(1);
    },
  );

  test('is recovered by hand when he says so by name', () => {
    const { s } = cloud({ dead: disabled, recover: () => ({ state: 'running' }) });
    const order = (despite: string[]) =>
      s.order({
        ...{ kind: 'recover', id: 'order-1', host: 'hv01', target: null, by: 'anna', atMs: s.atMs },
        despite,
      });
    order([]);
    expect(refusals(s)).toEqual([refusal]);
    order(['operator-at-work']);
    expect(s.recoveries).toHaveLength(1);
    expect(s.requests.find((r) => r.name === 'recover')?.data).toMatchObject({
      despite: ['operator-at-work'],
    });
  });
});

describe('D3: what ended short is gone on with by hand, on the same spare', () => {
  const marked = {
    ...{ status: 'disabled' as const, state: 'down' as const, forcedDown: true },
    disabledReason: 'sonny resurrection on hv04 (x.1 life)',
  };
  const enabled = { status: 'enabled' as const, disabledReason: null, vcpusUsed: 20 };

  test.each(['hv04', null])('-s %s, within its own cooldown', (target) => {
    const { s, set } = cloud({ recover: (job) => done(job, { outcome: 'stopped' }) });
    s.round();
    expect(s.recoveries).toHaveLength(1);
    set({ dead: marked, spare: enabled });
    s.order({
      ...{ kind: 'recover', id: 'order-1', host: 'hv01', target, despite: [], by: 'anna', atMs: s.atMs },
    });
    expect(s.recoveries.at(-1)).toEqual({ dead: 'hv01', spare: 'hv04', attempt: 1 });
    expect(s.recoveries).toHaveLength(2);
  });

  test('ns4 refuses that order: the cooldown of what was done before stands, and others are held by it', () => {
    let refuses = false;
    const refusal = { name: 'came-back', host: 'hv01', evidence: 'port 22 open' } as const;
    const { s, set } = cloud({
      recover: (job) =>
        refuses
          ? done(job, { outcome: 'refused', refusal, acted: false })
          : done(job, { outcome: 'stopped' }),
    });
    s.round();
    const first = s.state.cooldown;
    refuses = true;
    set({ dead: marked, spare: enabled });
    s.atMs += 5_000;
    s.order({
      ...{ kind: 'recover', id: 'order-1', host: 'hv01', target: null, despite: [], by: 'anna' },
      atMs: s.atMs,
    });
    expect(s.state.cooldown).toMatchObject({ sinceMs: s.atMs, earlier: [{ sinceMs: first?.sinceMs }] });
    s.settle();
    expect(s.recoveries).toHaveLength(2);
    expect(s.state.cooldown).toEqual(first);
  });

  test("another incident's cooldown holds it all the same", () => {
    const { s, set } = cloud({ recover: (job) => done(job, { outcome: 'stopped' }) });
    s.round();
    set({ dead: marked, spare: enabled });
    s.state = { ...s.state, cooldown: { sinceMs: s.atMs - 1, recoveries: ['another.1'], earlier: [] } };
    s.order({
      ...{ kind: 'recover', id: 'order-1', host: 'hv01', target: null, despite: [], by: 'anna' },
      atMs: s.atMs,
    });
    expect(s.recoveries).toHaveLength(1);
  });
});

describe('C2: where another Sonny works', () => {
  test('its mark is no end of a suspicion, nor a recovery of ours that left something behind', () => {
    const { s, set } = cloud({
      recover: refusing({ name: 'foreign-mark', host: 'hv01', recovery: 'x.1' }),
    });
    s.round();
    const said = s.events.length;
    set({
      dead: {
        ...{ status: 'disabled', state: 'down', forcedDown: true },
        disabledReason: 'sonny resurrection on hv04 (x.1 other)',
      },
    });
    s.round().round();
    expect(s.events.slice(said)).toMatchObject([{ kind: 'return-watched' }]);
    expect(s.state.incidents).toMatchObject([{ raised: { refusal: { name: 'foreign-mark' } } }]);
    set({ dead: {}, alive: true });
    s.round();
    expect(s.events.slice(said + 1)).toMatchObject([{ kind: 'returned', host: 'hv01' }]);
  });
});
