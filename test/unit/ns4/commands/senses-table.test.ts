// `ns4 --senses` as people and programs read it.
import { expect, test } from 'vitest';
import { type HostSenses, jsonOf, tableOf } from '../../../../src/ns4/commands/senses-table.ts';
import { hostPortsSense } from '../../../../src/shared/rules/senses/host-ports.ts';
import { novaReportSense } from '../../../../src/shared/rules/senses/nova-report.ts';

const row = (host: string, ports: 'alive' | 'silent' | 'cannot-tell', tooFew: string | null): HostSenses => ({
  ...{ host, heartbeat: 'alive' },
  readings: [
    { sense: novaReportSense, reading: { says: 'alive', why: 'it reported 4 s ago', heardAtMs: 6_000 } },
    { sense: hostPortsSense, reading: { says: ports, why: `ports: ${ports}`, heardAtMs: null } },
  ],
  tooFew: tooFew === null ? null : { host, reason: tooFew, help: 'an address' },
});

test('of many hosts: a line each, and in words what is out of the ordinary', () => {
  const text = tableOf([row('hv01', 'alive', null), row('hv2', 'silent', 'no guest was heard')], false);
  expect(text.split('\n')).toEqual([
    'HYPERVISOR  nova-report  host-ports  could be told dead',
    'hv01        alive        alive       yes',
    'hv2         alive        SILENT      NO',
    '',
    "hv2  the host's ports: ports: silent",
    'hv2  could not be told dead: no guest was heard; would help: an address',
  ]);
});

test('of one host: every sense in words, and what would let the mute one tell', () => {
  const text = tableOf([row('hv01', 'cannot-tell', null)], true);
  expect(text).toContain("hv01  nova-compute's report: it reported 4 s ago");
  expect(text).toContain(`hv01  the host's ports would tell with ${hostPortsSense.help}`);
});

test('as JSON', () => {
  const read = JSON.parse(jsonOf('prod', 10_000, [row('hv01', 'alive', 'no guest was heard')]));
  expect(read).toEqual({
    cloud: 'prod',
    atMs: 10_000,
    hypervisors: [
      {
        host: 'hv01',
        heartbeat: 'alive',
        senses: [
          {
            name: 'nova-report',
            kind: 'control-plane',
            says: 'alive',
            why: 'it reported 4 s ago',
            heardAtMs: 6_000,
          },
          { name: 'host-ports', kind: 'host', says: 'alive', why: 'ports: alive', heardAtMs: null },
        ],
        tooFew: { reason: 'no guest was heard', help: 'an address' },
      },
    ],
  });
});
