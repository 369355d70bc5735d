// What `--senses` and `--check` ask of hosts: whom, how much, and by which controls.
import { expect, test } from 'vitest';
import { type LookParts, lookAtHosts } from '../../../../src/ns4/commands/look-at-hosts.ts';
import type { JobData } from '../../../../src/shared/documents/jobs/contracts.ts';
import type { ScanResult } from '../../../../src/shared/documents/jobs/scan.ts';
import { hypervisor, nowMs, picture, server } from '../../../support/inventories.ts';

/** Looks at the cloud `ageMs` after it was read, with a scan in which everybody answers. */
async function lookAt(of: Parameters<typeof picture>[0], mostGuests: number, ageMs = 0, asksDisks = false) {
  const asked: JobData<'scan'>[] = [];
  const lookTogether: LookParts['lookTogether'] = async (data): Promise<ScanResult> => {
    asked.push(data);
    const targets = Object.fromEntries(
      data.targets.map(({ name }) => [name, { state: 'answers', detail: `${name} open` } as const]),
    );
    return { ok: true, outcome: 'seen', targets, controls: {}, tookMs: 1 };
  };
  const settings = {
    monitor: { heartbeatPeriodMs: 40_000 },
    scan: { hypervisorPorts: [22], instancePorts: [22], name: 'ctl1' },
  };
  const parts = { settings, clock: { nowMs: () => nowMs + ageMs }, lookTogether, asksDisks };
  const cloud = picture(of);
  const { seen } = await lookAtHosts(
    cloud.hypervisors.map(({ host }) => host),
    mostGuests,
    cloud,
    parts as unknown as LookParts,
    new AbortController().signal,
  );
  return { asked, seen };
}

const two = {
  hypervisors: [hypervisor('hv01'), hypervisor('hv02')],
  servers: [
    server('vm1', 'hv01', { powerState: 4 }),
    ...['vm2', 'vm3', 'vm4'].map((name) => server(name, 'hv01')),
    server('vm5', 'hv02', { addresses: [] }),
  ],
};

test('every host once, so many of its instances, those first that testify', async () => {
  const { asked, seen } = await lookAt(two, 2);
  expect(asked.map(({ targets }) => targets.map(({ name }) => name))).toEqual([
    ['hv01', 'hv02', 'id-vm2', 'id-vm3'],
  ]);
  expect(seen.get('hv01')).toMatchObject({
    ports: { state: 'answers' },
    guests: [{ title: '"vm2"' }, { title: '"vm3"' }],
    disks: null,
  });
  expect(seen.get('hv02')?.guests).toEqual([]);
});

test('the disks, where Ceph is asked', async () => {
  const { seen } = await lookAt(two, 1, 0, true);
  expect(seen.get('hv02')?.disks).toMatchObject({ state: 'answers' });
});

test('a reading whose heartbeats ran out while devices were asked has its controls all the same', async () => {
  const { asked } = await lookAt(two, 1, 120_000);
  expect(asked[0]?.controls.map(({ name }) => name)).toEqual(['hv01', 'hv02']);
});

test('a thousand hosts at a time', async () => {
  const hypervisors = Array.from({ length: 1_001 }, (_, i) => hypervisor(`hv${i + 1}`));
  const { asked, seen } = await lookAt({ hypervisors }, 3);
  expect(asked.map(({ targets }) => targets.length)).toEqual([1_000, 1]);
  expect(seen.size).toBe(1_001);
});
