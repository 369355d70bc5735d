// A round of the monitor with several vantage points: how many must agree, who vetoes, and what is said of it.
import { expect, test } from 'vitest';
import type { ScanFinding, ScanResult } from '../../../src/shared/documents/jobs/scan.ts';
import { mergeScans } from '../../../src/shared/rules/votes.ts';
import { agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

type Sight = (target: string) => ScanFinding['state'] | 'not asked';
const dead = /^(hv01|id-vm1)$/;
const sighted: Sight = (name) => (dead.test(name) ? 'silent' : 'answers');
const blind: Sight = () => 'silent';

/** hv01 has died; these vantage points look, null: one that was asked and did not answer. */
function looking(vantagePoints: Record<string, Sight | null>, quorum: number): Story {
  const s: Story = new Story({
    inventory: () =>
      inventory(
        {
          hypervisors: [hypervisor('hv01'), hypervisor('hv02'), hypervisor('hv03'), spare('hv04')],
          agents: [agent('hv01', 120_000)],
          servers: [server('vm1', 'hv01'), server('vm2', 'hv02')],
        },
        s.atMs,
      ),
    scan: () => {
      const phase = s.state.watches.hosts;
      if (phase.kind !== 'scanning-hosts' && phase.kind !== 'scanning-guests') return null;
      const { targets, controls } = phase.job.data;
      const votes = Object.entries(vantagePoints).map(([vantagePoint, sight]) => {
        if (sight === null) return { vantagePoint, result: null };
        const findings = (all: { name: string }[]) =>
          Object.fromEntries(
            all.map(({ name }) => [name, { state: sight(name), detail: `${sight(name)}` } as ScanFinding]),
          );
        const heard = controls.some(({ name }) => sight(name) === 'answers');
        const result: ScanResult = {
          ok: true,
          outcome: heard ? 'seen' : 'blind',
          targets: findings(targets),
          controls: findings(controls),
          tookMs: 5,
        };
        return { vantagePoint, result };
      });
      return { state: 'done', result: mergeScans(votes, quorum) };
    },
  });
  return s.round();
}

test('two agree: dead, and the evidence names them', () => {
  const s = looking({ ctl1: sighted, ctl2: sighted, ctl3: blind }, 2);
  expect(s.recoveries).toEqual([{ dead: 'hv01', spare: 'hv04', attempt: 1 }]);
  expect(s.events.find((e) => e.kind === 'host-dead')).toMatchObject({
    evidence: [
      expect.stringContaining('no heartbeat (the newest heartbeat of its agents is'),
      'the host does not answer (silent, to 2 vantage points (ctl1, ctl2))',
      'its instances do not answer ("vm1")',
      expect.stringMatching(/^the controls answer/),
      '2 of 3 vantage points saw it so (ctl1, ctl2)',
    ],
  });
  expect(s.texts.join('\n')).toContain('No answer from hv01 (silent, to 2 vantage points (ctl1, ctl2))');
});

test('one hears the host: host-answers, by its name', () => {
  const s = looking({ ctl1: sighted, ctl2: (n) => (n === 'hv01' ? 'answers' : sighted(n)) }, 1);
  expect(s.refusals).toEqual(['host-answers']);
  expect(s.texts.join()).toContain('heard by ctl2');
});

test('one hears an instance: guests-answer', () => {
  const s = looking({ ctl1: sighted, ctl2: (n) => (n === 'id-vm1' ? 'answers' : sighted(n)) }, 1);
  expect(s.refusals).toEqual(['guests-answer']);
});

test('one did not answer, two must: too-few-vantage-points, once', () => {
  const s = looking({ ctl1: sighted, ctl2: null }, 2).round().round();
  expect(s.refusals).toEqual(['too-few-vantage-points']);
  expect(s.texts.at(-1)).toBe(
    'The silence of hv01 is not proven: 2 vantage points must agree, and only ctl1 scanned; ctl2 did not answer. Nothing done: are enough ns4 running?',
  );
  expect(s.recoveries).toEqual([]);
});

test('nobody scans at all', () => {
  expect(looking({}, 1).texts.at(-1)).toBe(
    'The silence of hv01 is not proven: a vantage point is needed, and no ns4 scanned. Nothing done: are enough ns4 running?',
  );
});

test('two must agree, one is blind: scanner-blind', () => {
  expect(looking({ ctl1: sighted, ctl2: blind }, 2).refusals).toEqual(['scanner-blind']);
});

test('a vantage point that hears no guest anywhere does not count for the guests, though it is sighted', () => {
  const noGuests: Sight = (name) => (name.startsWith('id-') ? 'silent' : sighted(name));
  expect(looking({ ctl1: sighted, ctl2: noGuests }, 2).refusals).toEqual(['scanner-blind']);
  expect(looking({ ctl1: sighted, ctl2: noGuests }, 1).recoveries).toHaveLength(1);
});

test('the trouble of one vantage point is no silence', () => {
  const s = looking({ ctl1: sighted, ctl2: (n) => (n === 'hv01' ? 'unknown' : sighted(n)) }, 2);
  expect(s.refusals).toEqual(['scan-unknown']);
  expect(s.texts.at(-1)).toContain('ctl1 silent, ctl2 unknown (unknown)');
});
