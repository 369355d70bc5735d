// Who could not be told dead if he died now: by what was heard of a host and of its instances while they were well.
import { describe, expect, test } from 'vitest';
import type { Hypervisor } from '../../../../../src/shared/documents/inventory.ts';
import { Picture } from '../../../../../src/shared/picture/picture.ts';
import { type Ears, tooFewSenses } from '../../../../../src/shared/rules/senses/enough.ts';
import { agent, hypervisor, inventory, server } from '../../../../support/inventories.ts';

const nowMs = Date.UTC(2026, 10, 21, 12, 0);
const heard: Ears = {
  hasHeardPorts: true,
  guestsHeard: 1,
  guestsGoneMute: 0,
  guestsAsked: 1,
  disksHeard: 0,
  isYoung: false,
};

const unreported = (all: readonly Hypervisor[]) => all.map((h) => ({ ...h, reportedAtMs: null }));

function reasonFor(
  ears: Partial<Ears>,
  of: {
    isProven?: boolean;
    host?: Parameters<typeof hypervisor>[1];
    instances?: number;
    agents?: boolean;
  } = {},
): string | null {
  const { hosts, servers } = inventory(
    {
      hypervisors: [hypervisor('hv01', { runningVms: 0, reportedAtMs: nowMs, ...of.host })],
      agents: [agent('hv01', 0, { heartbeatAtMs: nowMs })],
      servers: Array.from({ length: of.instances ?? 2 }, (_, i) => server(`vm${i}`, 'hv01')),
    },
    nowMs,
  );
  const rules = { heartbeatPeriodMs: 40_000, isProven: of.isProven ?? false };
  const seen =
    of.agents === false ? { ...hosts, agents: [], hypervisors: unreported(hosts.hypervisors) } : hosts;
  const found = tooFewSenses(Picture.of(seen, servers), () => ({ ...heard, ...ears }), nowMs, rules);
  return found[0]?.reason ?? null;
}

describe('instances that were heard', () => {
  test.each([
    ['one was heard', {}, {}, null],
    [
      'none was heard',
      { guestsHeard: 0, guestsAsked: 2 },
      {},
      'none of the 2 instances asked was ever heard',
    ],
    [
      'those that were heard fell silent while it was well',
      { guestsHeard: 0, guestsGoneMute: 1, guestsAsked: 1 },
      {},
      'of the 1 instance asked 1 did not answer any more while the host was well (a firewall?)',
    ],
    [
      'one fell silent while it was well, another one never spoke',
      { guestsHeard: 0, guestsGoneMute: 1, guestsAsked: 2 },
      {},
      '1 did not answer any more while the host was well (a firewall?), and the others were never heard',
    ],
    [
      'none has an address',
      { guestsHeard: 0, guestsAsked: 0 },
      {},
      'none of its 2 instances runs with an address',
    ],
    [
      'none has an address, and the disks of one answered',
      { guestsHeard: 0, guestsAsked: 0, disksHeard: 1 },
      {},
      null,
    ],
    ['they were launched just now', { guestsHeard: 0, isYoung: true }, {}, null],
    ['the host has none', { guestsHeard: 0, guestsAsked: 0 }, { instances: 0 }, null],
    ['it is forced down', { guestsHeard: 0 }, { host: { forcedDown: true } }, null],
    ['it is down', { guestsHeard: 0 }, { host: { state: 'down' } }, null],
    ['a proof is demanded, and its ports were heard', { guestsHeard: 0 }, { isProven: true }, null],
    [
      'a proof is demanded, and nothing was heard',
      { guestsHeard: 0, hasHeardPorts: false },
      { isProven: true },
      'never answered on its own address, and none of the 1 instance asked',
    ],
  ] as const)('%s', (_, ears, of, reason) => {
    const found = reasonFor(ears, of);
    if (reason === null) expect(found).toBeNull();
    else expect(found).toContain(reason);
  });
});

test('a host of which the cloud hears nothing is named for that, whatever its instances say', () => {
  const found = reasonFor({}, { agents: false });
  expect(found).toContain('cannot be heard by the cloud: ');
  expect(found).toContain('its nova-compute has never reported');
});
