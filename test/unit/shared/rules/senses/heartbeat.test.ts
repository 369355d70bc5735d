// What the senses of the control plane say of a host, alone and together; and who can be judged by none of them.
import { describe, expect, it, test } from 'vitest';
import type { Agent, OvnState } from '../../../../../src/shared/documents/inventory.ts';
import { hostsSchema } from '../../../../../src/shared/documents/inventory.ts';
import { Picture } from '../../../../../src/shared/picture/picture.ts';
import {
  heardItselfMs,
  heartbeatOf,
  whoCannotBeJudged,
} from '../../../../../src/shared/rules/senses/heartbeat.ts';
import { agent, hypervisor, inventory, nowMs, picture } from '../../../../support/inventories.ts';

const rules = { heartbeatPeriodMs: 40_000 };

const ovn = (says: OvnState['says'], change: Partial<OvnState> = {}): Partial<Agent> => ({
  binary: 'ovn-controller',
  ovn: {
    ...{ says, why: says === 'alive' ? 'moved' : says === 'silent' ? 'missed' : 'never-moved' },
    ...{ baseMs: 1, isBehind: says !== 'alive', silentSinceMs: null, heardAfterMs: null },
    ...{ heardAtMs: says === 'cannot-tell' ? null : nowMs - 5_000, lookedAtMs: nowMs - 5_000 },
    ...change,
  },
});

/** Ages in s; null: none of its kind. */
function beat(novaS: number | null, agentS: number | null, ovnRow: Partial<Agent> | null = null) {
  const reportedAtMs = novaS === null ? null : nowMs - novaS * 1_000;
  const agents = [
    ...(agentS === null ? [] : [agent('hv01', agentS * 1_000)]),
    ...(ovnRow === null ? [] : [agent('hv01', 999_000, ovnRow)]),
  ];
  const { hosts } = inventory({ hypervisors: [hypervisor('hv01', { reportedAtMs })] });
  return heartbeatOf('hv01', Picture.of({ ...hosts, agents }, null), nowMs, rules);
}

describe('the heartbeat of a host', () => {
  test.each`
    case                                                | nova    | agents  | ovnRow                                         | says
    ${'all well'}                                       | ${5}    | ${20}   | ${null}                                        | ${'alive'}
    ${'B1: its agent crashed, nova-compute reports'}    | ${5}    | ${400}  | ${null}                                        | ${'alive'}
    ${'B1: its nova-compute crashed, the agent lives'}  | ${400}  | ${20}   | ${null}                                        | ${'alive'}
    ${'agents late by 35 s, as under load'}             | ${11}   | ${65}   | ${null}                                        | ${'alive'}
    ${'both silent: half the period does for nova'}     | ${20.1} | ${40.1} | ${null}                                        | ${'silent'}
    ${'the report is not old enough'}                   | ${19.9} | ${40.1} | ${null}                                        | ${'alive'}
    ${'the agent is not old enough'}                    | ${20.1} | ${39.9} | ${null}                                        | ${'alive'}
    ${'D4: no agents, nova-compute reports'}            | ${39.9} | ${null} | ${null}                                        | ${'alive'}
    ${'D4: no agents, nova-compute is silent'}          | ${40.1} | ${null} | ${null}                                        | ${'silent'}
    ${'nova-compute never reported, its agent is old'}  | ${null} | ${41}   | ${null}                                        | ${'silent'}
    ${'nothing ever told of it'}                        | ${null} | ${null} | ${null}                                        | ${'cannot-tell'}
    ${'OVN: missed the ping, nova-compute silent, too'} | ${20.1} | ${null} | ${ovn('silent')}                               | ${'silent'}
    ${'OVN: missed the ping, nova-compute reports'}     | ${19.9} | ${null} | ${ovn('silent')}                               | ${'alive'}
    ${'OVN: beats, nova-compute crashed'}               | ${400}  | ${null} | ${ovn('alive')}                                | ${'alive'}
    ${'OVN: nobody asks for long, nova-compute old'}    | ${40.1} | ${null} | ${ovn('alive', { heardAtMs: nowMs - 80_001 })} | ${'silent'}
    ${'OVN: nobody asks for long, all of the period'}   | ${39.9} | ${null} | ${ovn('alive', { heardAtMs: nowMs - 80_001 })} | ${'alive'}
    ${'OVN: never seen to beat'}                        | ${39.9} | ${null} | ${ovn('cannot-tell')}                          | ${'alive'}
    ${'OVN row of an older version'}                    | ${40.1} | ${null} | ${{ binary: 'ovn-controller' }}                | ${'silent'}
    ${'OVN silent, but its SR-IOV agent reports'}       | ${400}  | ${10}   | ${ovn('silent')}                               | ${'alive'}
  `('$case: $says', ({ nova, agents, ovnRow, says }) => {
    expect(beat(nova, agents, ovnRow).says).toBe(says);
  });

  test('says when it was heard and when it runs out, in words as well', () => {
    expect(beat(5, 20)).toMatchObject({
      heardAtMs: nowMs - 5_000,
      runsOutAtMs: nowMs + 20_001,
      why: 'heartbeat of neutron-openvswitch-agent 20 s ago, its nova-compute reported 5 s ago',
    });
    expect(beat(25, 50).why).toBe(
      "the newest heartbeat of its agents is neutron-openvswitch-agent's 50 s ago, its nova-compute reported 25 s ago",
    );
    expect(beat(25, null, ovn('silent')).why).toBe(
      'others answered Neutron, its ovn-controller did not, its nova-compute reported 25 s ago',
    );
    expect(beat(400, null, ovn('alive')).runsOutAtMs, 'a look later').toBe(nowMs + 5_000);
  });

  test.each([
    ['a metadata agent that moves is a sign of life', [ovn('silent'), helper('alive')], 'alive'],
    ['one that does not is no measure', [ovn('silent'), helper('cannot-tell')], 'silent'],
    ['a row left by an earlier system-id beside a living one', [ovn('silent'), ovn('alive')], 'alive'],
    ['the new row has not beaten yet', [ovn('silent'), ovn('cannot-tell')], 'cannot-tell'],
  ] as const)('several rows: %s', (_, rows, says) => {
    const { hosts } = inventory({ hypervisors: [hypervisor('hv01', { reportedAtMs: null })] });
    const agents = rows.map((row) => agent('hv01', 999_000, row));
    const found = heartbeatOf('hv01', Picture.of({ ...hosts, agents }, null), nowMs, rules);
    expect(found.says).toBe(says);
  });
});

function helper(says: 'alive' | 'cannot-tell'): Partial<Agent> {
  return { ...ovn(says), binary: 'neutron-ovn-metadata-agent' };
}

test.each([
  ['a report of nova-compute counts', {}, nowMs - 3_000],
  ['not of one that somebody disabled', { status: 'disabled' }, nowMs - 50_000],
  ['nor of one that somebody forced down', { forcedDown: true }, nowMs - 50_000],
] as const)('when a host was heard itself: %s', (_, change, heardMs) => {
  const shown = picture({
    hypervisors: [hypervisor('hv01', { reportedAtMs: nowMs - 3_000, ...change })],
    agents: [agent('hv01', 50_000)],
  });
  expect(heardItselfMs('hv01', shown, nowMs, rules)).toBe(heardMs);
});

describe('who cannot be judged', () => {
  it('names hosts of cells that are down, and those that nothing tells of', () => {
    const { hosts } = inventory({
      hypervisors: [hypervisor('hv01'), hypervisor('hv02', { reportedAtMs: null })],
    });
    const agents = hosts.agents.filter(({ host }) => host === 'hv01');
    const shown = Picture.of({ ...hosts, agents, cellDown: ['hv09'] }, null);
    const found = whoCannotBeJudged(shown, nowMs, rules);
    expect(found.map(({ host }) => host)).toEqual(['hv02', 'hv09']);
    expect(found[0]?.reason).toContain('its nova-compute has never reported');
    expect(found[0]?.help).toContain('service host in Nova');
    expect(found[1]?.reason).toContain('cell');
  });

  it('is nobody on a well cloud', () => {
    expect(whoCannotBeJudged(picture({ hypervisors: [hypervisor('hv01')] }), nowMs, rules)).toEqual([]);
  });
});

test('an inventory of the version before is read as it was', () => {
  const { hosts } = inventory({ hypervisors: [hypervisor('hv01')] });
  const { cellDown: _, ...older } = hosts;
  const agents = [{ host: 'hv01', binary: 'ovn-controller', heartbeatAtMs: nowMs, alive: true }];
  const read = hostsSchema.parse({ ...older, agents });
  expect(read).toMatchObject({ cellDown: [], agents: [{ id: '', statedHost: '', ovn: null }] });
});
