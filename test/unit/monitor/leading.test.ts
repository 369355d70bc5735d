// The monitor that takes the lead, as stories: which epoch its orders carry, which jobs its assignments name, and what
// it makes of a worker that lost its right to go on.
import { describe, expect, test } from 'vitest';
import type { Found } from '../../../src/monitor/core/state/input.ts';
import { assignmentsOf, recoveriesOf } from '../../../src/monitor/core/state/state.ts';
import { agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { done, Story, type World } from '../../support/monitor-story.ts';

/** hv01 with two instances is silent, hv04 is its spare. */
function story(world: Partial<World> = {}): Story {
  const told: Story = new Story({
    inventory: () =>
      inventory(
        {
          hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
          agents: [agent('hv01', 120_000)],
          servers: [server('vm1', 'hv01'), server('vm2', 'hv01'), server('vm9', 'hv02')],
        },
        told.atMs,
      ),
    finding: (name) => (/^(hv01|id-vm[12])$/.test(name) ? 'silent' : 'answers'),
    ...world,
  });
  return told;
}
const lead = (s: Story, epoch: number, found: Found = 'state') =>
  s.input({ kind: 'leads', epoch, who: `host/${epoch}`, found });
const orders = (s: Story) =>
  s.requests.flatMap((r) => (r.name === 'recover' ? [[r.id, r.data.attempt, r.data.epoch]] : []));

describe('taking the lead', () => {
  test('is told, with who and the epoch, and whether it goes on where another one stood', () => {
    const s = lead(lead(story(), 7, 'nothing'), 9);
    expect(s.texts).toEqual([
      expect.stringMatching(/^The monitor host\/7 is watching \(epoch 7\)\./),
      expect.stringMatching(
        /^The monitor host\/9 leads now \(epoch 9\) and goes on where the last one stood\./,
      ),
    ]);
  });

  test('orders carry the epoch they were decided in, and the assignments name the current job of each recovery', () => {
    const s = lead(story({ recover: () => ({ state: 'running' }) }), 7, 'nothing').round();
    const id = recoveriesOf(s.state)[0]?.recovery.id ?? '';
    expect(assignmentsOf(s.state)).toMatchObject({
      epoch: 7,
      jobs: { [id]: `recover-${id}-1` },
    });
    lead(s, 9);
    expect(assignmentsOf(s.state)).toMatchObject({
      epoch: 9,
      jobs: { [id]: `recover-${id}-1` },
    });
    const [job] = s.requests.filter((r) => r.name === 'recover');
    if (job === undefined) throw new Error('no evacuation');
    s.outcome(job, { state: 'failed', detail: 'job stalled' });
    expect(assignmentsOf(s.state)).toMatchObject({
      epoch: 9,
      jobs: { [id]: `recover-${id}-2` },
    });
    expect(orders(s)).toEqual([
      [`recover-${id}-1`, 1, 7],
      [`recover-${id}-2`, 2, 9],
    ]);
    // While a further attempt waits for its time the lost one must not go on.
    const [, second] = s.requests.filter((r) => r.name === 'recover');
    if (second === undefined) throw new Error('no second attempt');
    s.outcome(second, { state: 'failed', detail: 'job stalled' });
    expect(assignmentsOf(s.state).jobs).toEqual({ [id]: `recover-${id}-3` });
    expect(orders(s)).toHaveLength(2);
  });

  test('no recovery, no assignment', () => {
    const s = lead(story(), 7, 'nothing').round();
    expect(s.recoveries).toHaveLength(1);
    expect(assignmentsOf(s.state).jobs).toEqual({});
  });
});

describe('Redis lost what was known', () => {
  const accept = (s: Story) => s.order({ kind: 'accept-empty-state', by: 'anna', atMs: s.atMs });
  const lost = (s: Story) =>
    s.events.flatMap((e) =>
      e.kind === 'refused' && e.refusal.name === 'state-lost' ? [e.refusal.hosts] : [],
    );

  test('while a monitor watched: said once, then for each dead host; nothing is recovered until it is accepted', () => {
    const s = lead(story(), 7, 'lost');
    expect(lost(s)).toEqual([[]]);
    expect(s.texts.at(-1)).toMatch(/^Redis lost all that it held\. .* "monitor --accept-empty-state"/);
    s.round().round();
    expect(lost(s)).toEqual([[], ['hv01']]);
    expect(s.events.map((e) => e.kind)).toContain('host-dead');
    expect(s.recoveries).toEqual([]);
    // Another monitor that takes the lead holds likewise, and says nothing new.
    lead(s, 9).round();
    expect(lost(s)).toHaveLength(2);
    accept(s);
    expect(s.texts.at(-1)).toBe('Recoveries are allowed again: anna accepted that Redis lost what I knew.');
    accept(s);
    expect(s.events.filter((e) => e.kind === 'safe-mode-left')).toHaveLength(1);
    s.round();
    expect(s.recoveries).toEqual([{ dead: 'hv01', spare: 'hv04', attempt: 1 }]);
  });

  test('a recovery under way is continued, a new one is not begun', () => {
    const s = lead(story({ recover: () => ({ state: 'running' }) }), 7, 'nothing').round();
    const [job] = s.requests.filter((r) => r.name === 'recover');
    if (job === undefined) throw new Error('no evacuation');
    lead(s, 9, 'lost').outcome(job, { state: 'missing' });
    expect(s.recoveries.map((e) => e.attempt)).toEqual([1, 2]);
    expect(s.state.cooldown).not.toBeNull();
  });

  const handled = { state: 'down', status: 'disabled', forcedDown: true } as const;
  test.each([
    [
      'a host recovered before, still down',
      { ...handled, disabledReason: 'sonny resurrection on hv08' },
      true,
    ],
    [
      'one that was started again',
      { status: 'disabled', disabledReason: 'sonny resurrection on hv08' },
      true,
    ],
    [
      'one recovered to a host called spare',
      { ...handled, disabledReason: 'sonny resurrection on spare1' },
      true,
    ],
    ['one handled by the original', { ...handled, disabledReason: 'Sonny: dead' }, true],
    [
      'a spare that somebody set aside for sonny',
      { status: 'disabled', disabledReason: 'sonny spare' },
      false,
    ],
    ['a host that is down for repair', { ...handled, disabledReason: 'disk' }, false],
    ['nothing unusual', {}, false],
  ] as const)('an empty Redis at the start, and in Nova %s', (_, mark, holds) => {
    const s: Story = new Story({
      inventory: () =>
        inventory(
          {
            hypervisors: [hypervisor('hv01', { runningVms: 1 }), hypervisor('hv07', mark), spare('hv04')],
            servers: [server('vm1', 'hv01')],
          },
          s.atMs,
        ),
    });
    lead(s, 7, 'nothing').round();
    expect(lost(s)).toEqual(holds ? [[]] : []);
    expect(s.state.safeMode !== null).toBe(holds);
    // Only the first inventory is asked: what is recovered later is known.
    expect(lead(s, 8).round().state).toMatchObject({ unproven: false });
  });

  test('accepted before the first look: no hold', () => {
    const s: Story = new Story({
      inventory: () =>
        inventory(
          { hypervisors: [hypervisor('hv07', { ...handled, disabledReason: 'sonny resurrection on hv08' })] },
          s.atMs,
        ),
    });
    accept(lead(s, 7, 'nothing')).round();
    expect(s.refusals).toEqual([]);
  });
});

test('a current job that was superseded does not end its recovery: another attempt does', () => {
  const s = story({
    recover: (r) =>
      r.data.attempt === 1 ? done(r, { outcome: 'superseded', acted: true, instances: [] }) : done(r),
  }).round();
  expect(s.recoveries.map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(s.events.map((e) => e.kind).slice(-2)).toEqual(['recovery-continued', 'recovery-ended']);
  expect(s.state.cooldown).not.toBeNull();
});
