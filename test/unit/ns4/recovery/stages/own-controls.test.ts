// The controls of an order count as far as they are hypervisors of the cloud at their own addresses: whoever can order
// could otherwise have a blind ns4 see, by naming an address that answers.
import { expect, test } from 'vitest';
import { Recovery } from '../../../../../src/ns4/recovery/recovery.ts';
import { freshFacts } from '../../../../../src/ns4/recovery/stages/fresh-facts.ts';
import type { ScanTarget } from '../../../../../src/shared/documents/jobs/scan.ts';
import { agent, hypervisor, inventory, nowMs } from '../../../../support/inventories.ts';

const control = (name: string, address: string): ScanTarget => ({
  ...{ name, kind: 'host' },
  endpoints: [{ address, port: 22 }],
});

/** The controls of each scan of the dead host, hv01. */
async function scans(controls: readonly ScanTarget[]): Promise<string[][]> {
  const asked: string[][] = [];
  const names = ['hv01', 'hv02', 'hv03'];
  const found = inventory({
    hypervisors: names.map((name, i) => hypervisor(name, { address: `10.0.0.${i + 1}` })),
    agents: [agent('hv01', 100_000)],
  });
  const tools = {
    clock: { nowMs: () => nowMs, steadyMs: () => 0 },
    policy: { heartbeatPeriodMs: 40_000 },
    ...{ hypervisorPorts: [22], instancePorts: [22], storage: null },
    known: async () => null,
    refresh: async () => found,
    scan: async (request: { controls: ScanTarget[] }) => {
      asked.push(request.controls.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)));
      return { ok: true, outcome: 'seen', targets: {}, controls: {}, tookMs: 1 };
    },
  };
  const order = { dead: 'hv01', address: '10.0.0.1', despite: [], controls };
  const recovery = new Recovery(order as never, tools as never, 0, new AbortController().signal);
  expect(await freshFacts.run(recovery)).toBe('next');
  return asked;
}

test('hypervisors at their own addresses are taken as they are: one scan', async () => {
  expect(await scans([control('hv03', '10.0.0.3')])).toEqual([['10.0.0.3']]);
});

test.each<[string, ScanTarget]>([
  ['of a name that nobody knows', control('redis', '192.0.2.1')],
  ['of a known name at another address', control('hv02', '192.0.2.1')],
  ['that is the dead host itself', control('hv01', '10.0.0.1')],
])('one %s is not: what it made of the scan does not count, and others are asked', async (_, strange) => {
  const asked = await scans([strange, control('hv03', '10.0.0.3')]);
  expect(asked).toHaveLength(2);
  expect(asked[1]).toEqual(['10.0.0.3', '10.0.0.2']);
});
