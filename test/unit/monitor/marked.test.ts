// Hosts that bear the mark of a recovery which the monitor does not know of: their return is watched all the same.
import { describe, expect, test } from 'vitest';
import { statusOf } from '../../../src/monitor/core/status.ts';
import { dueAtMs } from '../../../src/monitor/core/step.ts';
import type { Hypervisor } from '../../../src/shared/documents/inventory.ts';
import type { Shown } from '../../../src/shared/documents/jobs/look-at-recovered.ts';
import { agent, hypervisor, inventory, server } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

const reason = 'sonny resurrection on hv04 (20261120T030000-hv01.1 other-life)';
const marked: Partial<Hypervisor> = {
  ...{ state: 'down', status: 'disabled', forcedDown: true, disabledReason: reason, runningVms: 0 },
};

/** hv01 as `seen.hv01` says, and what it shows; hv02 is well, unless `seen.silent`. */
function cloud(hv01: Partial<Hypervisor>) {
  const seen: { hv01: Partial<Hypervisor>; shown: Partial<Shown>; silent: boolean } = {
    ...{ hv01, shown: {}, silent: false },
  };
  const s: Story = new Story({
    inventory: () => {
      const others = ['hv02', 'hv03', 'hv05'].map((host) => hypervisor(host, { runningVms: 1 }));
      const ageMs = seen.silent ? 300_000 : 1_000;
      const beats = others.map(({ host }) => agent(host, 0, { heartbeatAtMs: s.atMs - ageMs }));
      return inventory(
        {
          hypervisors: [hypervisor('hv01', seen.hv01), ...others],
          agents: [agent('hv01', 0, { heartbeatAtMs: s.atMs - 600_000 }), ...beats],
          servers: others.map(({ host }, i) => server(`vm${i}`, host)),
        },
        s.atMs,
      );
    },
    shown: () => seen.shown,
  });
  const pass = (ms: number) => {
    const [untilMs, from] = [s.atMs + ms, s.told.length];
    while (s.atMs < untilMs) {
      s.atMs = Math.max(s.atMs, Math.min(untilMs, dueAtMs(s.state)));
      s.input({ kind: 'tick' }).settle();
    }
    return s.events.slice(from);
  };
  const lead = (epoch: number, found: 'state' | 'nothing') =>
    s.input({ kind: 'leads', epoch, who: `host/${epoch}`, found });
  return { s, seen, pass, lead };
}

const found = { kind: 'return-watched', hosts: [{ host: 'hv01', reason }] };

describe('a host that bears the mark of a recovery that nothing is remembered of', () => {
  test('Redis was flushed, and it comes back with its guests: in safe mode too it is called out', () => {
    const { s, seen, pass, lead } = cloud(marked);
    lead(7, 'nothing');
    expect(pass(10_000)).toMatchObject([{ kind: 'refused', refusal: { name: 'state-lost' } }, found]);
    expect(s.texts.at(-1)).toBe(
      `hv01 ("${reason}") was found marked by an earlier recovery; its return is watched.`,
    );
    expect(s.state).toMatchObject({ cooldown: null, incidents: [{ stage: 'away', recoveries: 0 }] });
    expect(s.told.at(-1)?.incidents).toEqual([s.state.incidents[0]?.id]);
    const status = statusOf(s.state, { cloud: 'c', who: 'w', nowMs: s.atMs, rules: s.rules });
    expect(status.incidents).toMatchObject([{ subject: { name: 'hv01' }, stage: 'away' }]);
    lead(8, 'state');
    expect(pass(300_000), 'said once').toEqual([]);
    const clearing = { unfinished: [{ id: 'id-vm1', name: 'vm1' }], recorded: ['id-vm1'], listed: 0 };
    seen.shown = { answers: 'open', clearing };
    expect(pass(61_000)).toMatchObject([{ kind: 'running-twice', host: 'hv01', instances: ['vm1'] }]);
    seen.shown = { answers: 'open', clearing: { ...clearing, unfinished: [] } };
    expect(pass(20_000)).toMatchObject([{ kind: 'running-twice-over', why: 'completed' }]);
    seen.hv01 = { runningVms: 0 };
    expect(pass(61_000)).toMatchObject([{ kind: 'returned', host: 'hv01' }]);
    expect(s.state.incidents).toEqual([]);
  });

  test('nobody remembers what was moved, and Nova is away when it comes back', () => {
    const { s, seen, pass } = cloud(marked);
    pass(10_000);
    seen.shown = { answers: 'open', unknown: '503' };
    expect(pass(61_000)).toMatchObject([
      { kind: 'running-twice', instances: [], untold: 'Nova could not be asked: 503' },
    ]);
    expect(s.texts.at(-1)).toMatch(/^Instances may run TWICE, nobody knows which\. Power hv01 off now\./);
  });

  test('also while nobody is judged, as most of the cloud is silent', () => {
    const { seen, pass } = cloud(marked);
    seen.silent = true;
    expect(pass(10_000)).toContainEqual(expect.objectContaining(found));
  });

  test('recovered without the monitor while that had an incident of it open', () => {
    const { s, seen, pass } = cloud({});
    s.world.finding = (name) => (name === 'hv01' ? 'silent' : 'answers');
    expect(pass(10_000).map(({ kind }) => kind)).toContain('suspects-found');
    const [before] = s.state.incidents;
    expect(before?.stage).not.toBe('away');
    seen.hv01 = marked;
    expect(pass(61_000)).toContainEqual(expect.objectContaining(found));
    expect(s.state.incidents).toMatchObject([{ id: before?.id, stage: 'away' }]);
  });

  test.each<[string, Partial<Hypervisor>]>([
    ['one that is up again', { ...marked, forcedDown: false, state: 'up' }],
    ['a spare', { status: 'disabled', disabledReason: 'spare' }],
    ['one under maintenance', { ...marked, disabledReason: 'disk' }],
  ])('not %s', (_, hv01) => {
    const { s, pass } = cloud({ runningVms: 0, ...hv01 });
    expect(pass(10_000)).toEqual([]);
    expect(s.state.incidents).toEqual([]);
  });
});
