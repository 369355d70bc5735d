// Whom too few senses could tell dead, by what vantage points heard of hosts and instances.
import { expect, test } from 'vitest';
import { surveySenses } from '../../../../src/ns4/jobs/survey-senses.ts';
import type { HeardAddress } from '../../../../src/shared/rules/senses/baseline.ts';
import { address, hypervisor, nowMs, picture, server } from '../../../support/inventories.ts';

const hour = 3_600_000;
const answer = (of: string | null, change: Partial<HeardAddress> = {}): HeardAddress => ({
  ...{ atMs: nowMs - hour, of, isMute: false },
  ...change,
});

async function reasons(answers: readonly HeardAddress[]): Promise<string[]> {
  const shown = picture(
    {
      hypervisors: [hypervisor('hv01', { reportedAtMs: nowMs })],
      servers: [
        server('vm1', 'hv01', { addresses: [address('203.0.113.1')], launchedAtMs: nowMs - 9 * hour }),
      ],
    },
    nowMs,
  );
  const survey = await surveySenses({
    inventory: {
      readThrough: async (begin) => {
        begin(shown)(shown.serversOf('hv01'));
        return shown;
      },
    },
    heardByAny: async () => new Map([['203.0.113.1', answers]]),
    ...{ opened: null, nowMs, rules: { heartbeatPeriodMs: 40_000, isProven: false } },
  });
  return survey?.unjudged.map(({ reason }) => reason) ?? ['no inventory'];
}

test.each<[string, readonly HeardAddress[], string | null]>([
  ['heard', [answer('id-vm1')], null],
  ['heard, by an older version', [answer(null)], null],
  ['never heard', [], 'was ever heard'],
  ['heard before its launch', [answer(null, { atMs: nowMs - 10 * hour })], 'was ever heard'],
  ['the address of another one then', [answer('id-vm0')], 'was ever heard'],
  [
    'mute while its host was well',
    [answer('id-vm1', { isMute: true })],
    'of the 1 instance asked 1 did not answer any more while the host was well',
  ],
  [
    'mute to one vantage point, heard by another',
    [answer('id-vm1', { isMute: true }), answer('id-vm1')],
    null,
  ],
])('its instance: %s', async (_, answers, reason) => {
  const found = await reasons(answers);
  if (reason === null) expect(found).toEqual([]);
  else expect(found[0]).toContain(reason);
});
