// The disks of a suspect's instances as witnesses: open ones are a veto, no answer is no verdict, and where they are
// silent guests need not be reached by the network.
import { describe, expect, test } from 'vitest';
import type { Server } from '../../../src/shared/documents/inventory.ts';
import { disksName } from '../../../src/shared/rules/disks.ts';
import { agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { Story, type World } from '../../support/monitor-story.ts';

type Found = ReturnType<World['finding']>;
const disks = disksName('hv01');
const vm1 = server('vm1', 'hv01');
const unreachable = server('vm2', 'hv01', { addresses: [] });

/** hv01 is without heartbeat and silent; Ceph is asked. */
function judge(
  found: Record<string, Found | (() => Found)>,
  servers: Server[] = [vm1],
  asksDisks = true,
): Story {
  const cloud = {
    hypervisors: [hypervisor('hv01'), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
    agents: [agent('hv01', 120_000)],
    servers: [...servers, server('vm9', 'hv02')],
  };
  const of = (name: string): Found => {
    const one: Found | (() => Found) | undefined = found[name] ?? (name === 'hv01' ? 'silent' : undefined);
    return typeof one === 'function' ? one() : (one ?? 'answers');
  };
  const story: Story = new Story(
    { inventory: () => inventory(cloud, story.atMs), finding: of },
    { asksDisks },
  );
  return story.round();
}
const scans = (s: Story) => s.requests.flatMap((r) => (r.name === 'scan' ? [r.data] : []));
const cutOffs = (s: Story) =>
  s.requests.flatMap((r) => (r.name === 'recover' ? [r.data.cutOffDemanded] : []));
const evidenceOf = (s: Story) =>
  s.events.flatMap((e) => (e.kind === 'host-dead' ? [e.evidence.join('; ')] : [])).join();

describe('who is asked', () => {
  test('the disks of a suspect with the host scan, and again with its instances', () => {
    const s = judge({ [disks]: 'silent', 'id-vm1': 'silent' });
    expect(scans(s).map(({ targets }) => targets.filter(({ kind }) => kind === 'disks'))).toEqual([
      [{ name: disks, kind: 'disks', endpoints: [], disksOf: { host: 'hv01', instances: null } }],
      [{ name: disks, kind: 'disks', endpoints: [], disksOf: { host: 'hv01', instances: null } }],
    ]);
  });

  test('nobody without [CEPH]', () => {
    const s = judge({ 'id-vm1': 'silent' }, [vm1], false);
    expect(scans(s).flatMap(({ targets }) => targets.filter(({ kind }) => kind === 'disks'))).toEqual([]);
    expect(s.recoveries).toHaveLength(1);
    expect(cutOffs(s)).toEqual([false]);
  });

  test('with it the recovery demands that the host is cut off, also of an ns4 that cannot', () => {
    const s = judge({ [disks]: 'silent', 'id-vm1': 'silent' });
    expect(cutOffs(s)).toEqual([true]);
  });
});

describe('what they say', () => {
  /** Of the second scan, after the first found them silent. */
  const later = (second: Found): (() => Found) => {
    let asked = 0;
    return () => {
      asked += 1;
      return asked === 1 ? 'silent' : second;
    };
  };

  test.each<[string, Record<string, Found | (() => Found)>, Server[], string | null]>([
    [
      'open: a veto, though host and guests are silent',
      { [disks]: 'answers', 'id-vm1': 'silent' },
      [vm1],
      'disks-open',
    ],
    [
      'open by the time of the verdict',
      { [disks]: later('answers'), 'id-vm1': 'silent' },
      [vm1],
      'disks-open',
    ],
    ['Ceph does not answer: no verdict', { [disks]: 'unknown', 'id-vm1': 'silent' }, [vm1], 'disks-unknown'],
    ['silent: dead', { [disks]: 'silent', 'id-vm1': 'silent' }, [vm1], null],
    ['silent, no guest can be reached: dead', { [disks]: 'silent' }, [unreachable], null],
    ['silent, guests mute: dead', { [disks]: 'silent', 'id-vm1': 'never-heard' }, [vm1], null],
    [
      'silent, host and guests never heard: dead',
      { [disks]: 'silent', hv01: 'never-heard', 'id-vm1': 'never-heard' },
      [vm1],
      null,
    ],
    ['silent, but a guest answers', { [disks]: 'silent' }, [vm1], 'guests-answer'],
    ['none on Ceph: as without', { [disks]: 'never-heard', 'id-vm1': 'silent' }, [vm1], null],
    ['none on Ceph, no guest can be reached', { [disks]: 'never-heard' }, [unreachable], 'no-witness'],
    [
      'none on Ceph, host never heard',
      { [disks]: 'never-heard', hv01: 'never-heard' },
      [unreachable],
      'never-heard',
    ],
  ])('%s', (_, found, servers, refusal) => {
    const s = judge(found, servers);
    expect(s.refusals).toEqual(refusal === null ? [] : [refusal]);
    expect(s.recoveries).toHaveLength(refusal === null ? 1 : 0);
  });

  test('in words', () => {
    expect(evidenceOf(judge({ [disks]: 'silent' }, [unreachable]))).toContain(
      `the disks of its instances do not answer (${disks} silent); none of its instances could testify by the network; the controls answer (3 of 3)`,
    );
    expect(evidenceOf(judge({ [disks]: 'silent', 'id-vm1': 'silent' }))).toContain(
      `its instances do not answer ("vm1"); the disks of its instances do not answer (${disks} silent); the controls`,
    );
  });

  test('a vote that no ns4 could give is no silence', () => {
    const s = judge({ [disks]: 'unknown', 'id-vm1': 'silent' });
    expect(s.texts.at(-1)).toBe(
      `Whether the disks of the instances of hv01 are open could not be asked: ${disks} unknown. Nothing done.`,
    );
  });
});
