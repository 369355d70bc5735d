// A scan that is asked for: only addresses of the cloud, and not without end.
import { expect, test } from 'vitest';
import { scanHandler } from '../../../../src/ns4/jobs/scan.ts';
import type { ScanRequest } from '../../../../src/ns4/scan/scan.ts';
import { mostEndpoints, mostTargets } from '../../../../src/ns4/scan/strangers.ts';
import type { ScanTarget } from '../../../../src/shared/documents/jobs/scan.ts';
import { silentLog } from '../../../simulation/processes/silent-log.ts';

const target = (name: string, ...addresses: string[]): ScanTarget => ({
  name,
  endpoints: addresses.map((address) => ({ address, port: 22 })),
});
const run = async (targets: ScanTarget[], controls: ScanTarget[] = []) => {
  const asked: ScanRequest[] = [];
  const handler = scanHandler({
    look: async (request) => {
      asked.push(request);
      const silent = Object.fromEntries(
        request.targets.map(({ name }) => [name, { state: 'silent' as const, detail: 'no answer' }]),
      );
      return { ok: true, outcome: 'seen', targets: silent, controls: {}, tookMs: 1 };
    },
    strangersAmong: async (addresses) => new Set(addresses.filter((one) => !one.startsWith('10.0.0.'))),
    log: silentLog,
  });
  const result = await handler({ targets, controls, requestedAtMs: 1 }, new AbortController().signal);
  return { asked, result };
};

test('an address that is nobody’s is not asked, and no silence follows from that', async () => {
  const { asked, result } = await run(
    [target('hv01', '10.0.0.1'), target('hv02', '10.0.0.2', '192.0.2.7'), target('hv03')],
    [target('hv04', '10.0.0.4'), target('gateway', '198.51.100.1')],
  );
  expect(asked).toEqual([
    { targets: [target('hv01', '10.0.0.1'), target('hv03')], controls: [target('hv04', '10.0.0.4')] },
  ]);
  expect(result).toMatchObject({
    targets: {
      hv01: { state: 'silent' },
      hv02: { state: 'unknown', detail: 'not asked: 192.0.2.7 is no address of this cloud' },
    },
    controls: { gateway: { state: 'unknown' } },
  });
});

test('more than a cloud has is not begun with', async () => {
  const many = Array.from({ length: mostTargets + 1 }, (_, i) => target(`hv${i}`, '10.0.0.1'));
  expect(await run(many)).toMatchObject({
    asked: [],
    result: { ok: false, detail: expect.stringContaining('10001 targets, 10000') },
  });
  const wide = target('hv01', ...Array.from({ length: mostEndpoints + 1 }, () => '10.0.0.1'));
  expect(await run([wide])).toMatchObject({
    asked: [],
    result: { ok: false, detail: expect.stringContaining('100001 ports, 100000') },
  });
});
