// Every refusal as an operator meets it: its sentence, and whether it is alarming. A refusal without a line in this
// table does not compile. That each is brought about by a test elsewhere, and is in the table of docs/refusals.md, is for
// tidy.test.ts.
import { expect, test } from 'vitest';
import type { EventLevel } from '../../../../src/shared/documents/events/entry.ts';
import { sentence } from '../../../../src/shared/documents/events/events.ts';
import {
  type Refusal,
  type RefusalName,
  refusalHosts,
  refusalSchema,
} from '../../../../src/shared/documents/refusals/refusals.ts';

const host = 'hv01';
const hosts = ['hv01', 'hv02'];
const atMs = Date.UTC(2026, 10, 21, 3, 0);

interface Row<N extends RefusalName> {
  readonly with: Omit<Refusal & { name: N }, 'name'>;
  readonly level: EventLevel;
  readonly says: string;
}
const row = <const T>(level: EventLevel, facts: T, says: string) => ({ with: facts, level, says });

const table: { readonly [N in RefusalName]: Row<N> } = {
  'inventory-unavailable': row(
    'warning',
    { detail: 'Nova answered 503' },
    'I cannot see the cloud: Nova answered 503. Nothing is judged until I can.',
  ),
  'inventory-stale': row(
    'warning',
    { ageMs: 90_000, limitMs: 60_000 },
    'What I know of the cloud is 90 s old (limit 60 s; do the clocks of ns4 and monitor agree?). Nothing is judged on it.',
  ),
  'worker-silent': row(
    'warning',
    { job: 'scan', waitedMs: 60_000 },
    'No ns4 worker finished "scan" within 60 s. Is ns4 running? Nothing is judged meanwhile.',
  ),
  'servers-unavailable': row(
    'warning',
    { detail: 'Neutron is away', of: 'refresh' },
    'The list of instances could not be refreshed: Neutron is away. Old ones do not judge; nothing done.',
  ),
  'control-plane-suspect': row(
    'error',
    { scope: { kind: 'zone', name: 'nova' }, of: 'agents', stale: hosts, total: 3, why: 'most', hosts },
    '2 of 3 hypervisors have silent agents in zone nova (hv01, hv02): that looks like the control plane or the network, not like dead hosts. None of its hosts is judged meanwhile.',
  ),
  'too-few-senses': row(
    'warning',
    {
      unjudged: [
        { host: 'hv01', reason: 'none of its 2 instances was heard', help: 'a port' },
        { host: 'hv02', reason: 'none of its 2 instances was heard', help: 'a port' },
      ],
      count: 2,
      of: 5,
    },
    '2 of 5 hypervisors with instances could not be told dead if they died now: hv01, hv02 (none of its 2 instances was heard). `ns4 --senses` shows what each sense says.',
  ),
  'records-left-out': row(
    'warning',
    {
      lists: [
        {
          list: 'compute /os-services?binary=nova-compute',
          count: 1,
          of: 3,
          some: '"hv9" (host: no name of a host)',
        },
      ],
    },
    'In what OpenStack lists, compute /os-services?binary=nova-compute: 1 of 3 records make no sense and are left out, judged by nobody: "hv9" (host: no name of a host).',
  ),
  'still-cut-off': row(
    'warning',
    {
      hosts: [
        { host: 'hv01', sinceMs: Date.UTC(2026, 10, 1, 3, 15), isBack: true },
        { host: 'hv07', sinceMs: Date.UTC(2026, 9, 2, 3, 15), isBack: false },
      ],
    },
    'hv01 (since 2026-11-01T03:15Z) is cut off from Ceph, though back in service: no instance there can open its disk. hv07 (since 2026-10-02T03:15Z) is still cut off from Ceph. After a reboot: "ns4 --fence hv01 --action on --level ceph".',
  ),
  'too-many-suspects': row(
    'warning',
    { suspects: hosts, limit: 1 },
    '2 hypervisors are suspicious at once (limit 1): hv01, hv02. Backing off, none is inspected.',
  ),
  'already-handled': row(
    'error',
    { host, servers: 2, target: 'hv04', foreign: false },
    'hv01 is down and was handled by Sonny before, yet Nova still has 2 instances on it. Nothing done: please look ("ns4 -d hv01 -s hv04" continues by hand).',
  ),
  'nothing-to-recover': row(
    'warning',
    { host },
    'hv01 is silent, but Nova has no instance on it. Nothing to do.',
  ),
  'no-address': row(
    'warning',
    { host },
    'hv01 is suspicious, but Nova knows no address (host_ip) to scan it on. Nothing done.',
  ),
  'host-answers': row(
    'warning',
    { host, on: '10.0.0.1:22 open' },
    'hv01: its agents are silent, but the host answers (10.0.0.1:22 open). Nothing done.',
  ),
  'scan-failed': row(
    'warning',
    { of: 'hosts', hosts, detail: 'EMFILE' },
    'The host scan for hv01, hv02 failed: EMFILE. Nothing done.',
  ),
  'scanner-blind': row(
    'warning',
    { of: 'guests', hosts, controls: ['gw'] },
    'The guest scan for hv01, hv02 is void: the controls (gw) are silent too, so the scanner is blind. Nothing done.',
  ),
  'too-few-vantage-points': row(
    'error',
    { hosts, vantagePoints: ['ctl1'], missing: ['ctl2'], quorum: 2 },
    'The silence of hv01, hv02 is not proven: 2 vantage points must agree, and only ctl1 scanned; ctl2 did not answer. Nothing done: are enough ns4 running?',
  ),
  'scan-unknown': row(
    'warning',
    { host, detail: 'EMFILE' },
    'hv01 could not be scanned: EMFILE. That says nothing about the host; nothing done.',
  ),
  'no-witness': row(
    'error',
    { host, servers: 2, others: [] },
    'hv01 is silent, but none of its 2 instances could testify (none runs with an address on an external network). Nothing done: please look.',
  ),
  'never-heard': row(
    'error',
    { host, address: '10.0.0.1', vantagePoints: ['ctl1', 'ctl2'], others: ['vm1 (never heard)'] },
    'hv01 is suspicious, but 10.0.0.1 was never heard from ctl1, ctl2, so its silence says nothing, and none of its instances (vm1 (never heard)) can testify. Nothing done: please look. It can be judged once one of hypervisor_ports answers there: see its firewall, the ports, and my_ip of its nova-compute.',
  ),
  'guests-answer': row(
    'warning',
    { host, answering: ['vm1'], silent: 2 },
    'hv01 is silent, but 1 of its instances answer (vm1); 2 are silent. It is unreachable, not dead; nothing done.',
  ),
  'disks-open': row(
    'error',
    { host, on: '3 of 3 disks are open by 10.2.0.1' },
    'hv01 is cut off, but its instances run: 3 of 3 disks are open by 10.2.0.1. An evacuation would give each disk a second writer. Nothing done.',
  ),
  'disks-unknown': row(
    'error',
    { host, detail: 'Ceph does not answer' },
    'Whether the disks of the instances of hv01 are open could not be asked: Ceph does not answer. Nothing done.',
  ),
  'dry-mode': row(
    'error',
    { hosts },
    'Dry mode (dead_backoff = 0): hv01, hv02 would be recovered. Nothing done.',
  ),
  'state-lost': row(
    'error',
    { hosts, why: 'Redis is empty' },
    'hv01, hv02 is dead, but what I knew was lost (Redis is empty), and nobody accepted that yet. Nothing done: please look ("monitor --accept-empty-state" allows recoveries again).',
  ),
  'fencing-plans-differ': row(
    'error',
    {
      hosts: [host],
      plans: [
        { plan: '07aa', of: ['ctl3'] },
        { plan: '3f9c', of: ['ctl1', 'ctl2'] },
      ],
    },
    'hv01 is dead, but the ns4 of this cloud fence by different plans (ctl3: 07aa; ctl1, ctl2: 3f9c): one of them may power off another machine than is meant. Nothing done. Please give all of them the same fencing.yaml, and restart those that had another.',
  ),
  'too-many-dead': row(
    'error',
    { hosts, limit: 1 },
    '2 hypervisors are dead at once (limit 1): hv01, hv02. Nothing done: please look.',
  ),
  'perhaps-more-dead': row(
    'warning',
    { hosts: [host], others: ['hv02'], limit: 1 },
    'hv01 is dead, but hv02 gave no sign since and does not answer either. Waiting until their heartbeats tell how many are dying (limit 1).',
  ),
  cooldown: row(
    'error',
    { hosts: [host], sinceMs: atMs, untilMs: atMs + 86_400_000 },
    'hv01 is dead, but the last recovery began 2026-11-21 03:00 UTC and the cooldown lasts until 2026-11-22 03:00 UTC. Nothing done ("ns4 -r" forgets it).',
  ),
  'no-spare': row(
    'error',
    { host, candidates: [{ host: 'hv04', why: 'is too small' }] },
    'hv01 is dead, but there is no fitting spare: hv04 is too small. Nothing done.',
  ),
  'unknown-host': row('warning', { host }, 'hv01 is no hypervisor of this cloud. Nothing done.'),
  'came-back': row(
    'warning',
    { host, evidence: 'port 22 open' },
    'hv01 shows signs of life (port 22 open). Its recovery stops here.',
  ),
  'spare-unfit': row(
    'error',
    { host, spare: 'hv04', why: 'it has its nova-compute down' },
    'hv04 cannot take over from hv01: it has its nova-compute down. Nothing done.',
  ),
  'already-recovering': row(
    'warning',
    { host, incident: 'i1', spare: 'hv04' },
    'hv01 is already being recovered to hv04 (incident i1). Nothing done.',
  ),
  'not-cut-off': row(
    'error',
    { host, detail: 'not every placement group knows of it: osd.1 does not answer' },
    'hv01 could not be cut off from Ceph: not every placement group knows of it: osd.1 does not answer. Nothing is evacuated, as nothing else proves that it cannot write. If it is off: "ns4 --confirm-fenced hv01".',
  ),
  'too-late': row(
    'warning',
    { host, ageMs: 130_000 },
    'The order to recover hv01 is 130 s old; what it was based on no longer counts. Nothing done.',
  ),
  'api-unavailable': row(
    'error',
    { host, detail: 'Nova answered 503' },
    'hv01 cannot be recovered now: Nova answered 503. Nothing done.',
  ),
  'foreign-mark': row(
    'error',
    { host, recovery: '20261121T030000-hv01.1' },
    'Another Sonny (recovery 20261121T030000-hv01.1) works at hv01: Nova shows its mark there. Nothing more is asked for from here. Two Sonnys must never watch one cloud: please look. When the other one is no more: "ns4 -d hv01 -s SPARE --despite foreign-mark".',
  ),
  'operator-at-work': row(
    'warning',
    { host, reason: 'maintenance:  BIOS update', meanwhile: false },
    'The compute service of hv01 is disabled ("maintenance: BIOS update"). An operator is at work there, so the host is neither recovered nor powered off. If it is dead all the same: "ns4 -d hv01 --despite operator-at-work".',
  ),
  'fence-failed': row(
    'error',
    {
      host,
      levels: [
        { agent: 'fence_ipmilan', failure: 'timed-out', detail: 'it said nothing' },
        { agent: 'fence_pdu', failure: 'not-verified', detail: 'Status: ON' },
      ],
    },
    'hv01 is not proven to be off: level 1, fence_ipmilan: timed out ("it said nothing"); level 2, fence_pdu: its "status" does not say off ("Status: ON"). Nothing evacuated. When you have made sure that it has no power: "ns4 --confirm-fenced hv01".',
  ),
  'journal-not-believed': row(
    'error',
    { host, document: { what: 'journal', about: '20261121T030000-hv01.1', why: 'unsigned' } },
    'hv01 is not recovered: the journal of a recovery (20261121T030000-hv01.1) is not signed: whoever wrote it has no key file, or does not belong here. What was begun with it, if anything, is left as it is.',
  ),
  'wrong-device': row(
    'error',
    { host, fell: ['hv07'], atMs: 1 },
    'PERHAPS THE WRONG MACHINE IS OFF: hv07 fell silent as hv01 was powered off. Either the fence device of hv01 is that machine\'s, or it failed by chance just then. Nothing of hv01 is evacuated, and its devices are neither told nor believed, until you say so. Look at the machines: when hv01 has no power, "ns4 --confirm-fenced hv01"; when its devices are surely its own, "ns4 --trust-devices hv01".',
  ),
};

test.each(Object.entries(table))('%s', (name, { with: facts, level, says }) => {
  const refusal = refusalSchema.parse({ name, ...facts });
  expect(sentence({ kind: 'refused', refusal })).toEqual({ level, text: says });
  // Whom it stands for: without a host it would stand for the whole cloud.
  const named = JSON.stringify(facts).includes(host);
  expect(refusalHosts(refusal)[0]).toBe(named ? host : undefined);
});

test('fewer dead than the limit are too many beside a recovery under way, and it is said so', () => {
  expect(
    sentence({ kind: 'refused', refusal: { name: 'too-many-dead', hosts: ['hv01'], limit: 1 } }).text,
  ).toBe('hv01 died while another recovery is under way (limit 1). Nothing done: please look.');
});
