import { describe, expect, it } from 'vitest';
import { guestNetworks, guestTarget, standingOf } from '../../../../src/shared/rules/guests.ts';
import { address, server } from '../../../support/inventories.ts';

describe('what an instance can tell of its host', () => {
  it.each([
    ['that runs', {}, 'testifies', '"vm1"'],
    ['that was rescued', { vmState: 'rescued' }, 'testifies', '"vm1"'],
    ['whose resize waits to be confirmed', { vmState: 'resized' }, 'testifies', '"vm1"'],
    // Table H: instances in ERROR that never ran lie about on hypervisors.
    ['in ERROR that never ran', { vmState: 'error', powerState: 0 }, 'only-alive', '"vm1" (error)'],
    ['in ERROR that ran', { vmState: 'error' }, 'only-alive', '"vm1" (error)'],
    ['that is stopped', { vmState: 'stopped', powerState: 4 }, 'only-alive', '"vm1" (stopped)'],
    ['that is paused', { vmState: 'paused', powerState: 3 }, 'only-alive', '"vm1" (paused)'],
    ['that shut itself off', { powerState: 4 }, 'only-alive', '"vm1" (shut down)'],
    ['of no known power state', { powerState: 0 }, 'only-alive', '"vm1" (no power state)'],
    ['of a power state of tomorrow', { powerState: 9 }, 'only-alive', '"vm1" (power state 9)'],
    ['that is being powered off', { taskState: 'powering-off' }, 'only-alive', '"vm1" (powering-off)'],
    ['that is being deleted', { taskState: 'deleting' }, 'only-alive', '"vm1" (deleting)'],
    ['with a task nobody knows', { taskState: 'polishing' }, 'only-alive', '"vm1" (polishing)'],
    // A1: it may run on the destination while Nova still has it here.
    ['in a live migration', { taskState: 'migrating' }, 'nothing', '"vm1" (migrating)'],
    ['that is evacuated by somebody', { taskState: 'rebuilding' }, 'nothing', '"vm1" (rebuilding)'],
    ['that is resized', { taskState: 'resize_finish' }, 'nothing', '"vm1" (resize_finish)'],
  ])('one %s', (_, change, tells, title) => {
    expect(standingOf(server('vm1', 'hv01', change))).toEqual({ tells, title });
  });
});

const several = server('vm1', 'hv01', {
  launchedAtMs: 1_000,
  addresses: [
    address('192.0.2.1'),
    address('2001:db8::1', { version: 6 }),
    address('198.51.100.1', { networkId: 'net-floating', network: 'public', type: 'floating' }),
    address('10.0.0.1', { networkId: 'net-private', network: 'private', external: false }),
  ],
});

it('is asked on its external addresses, and counts as heard since its launch only', () => {
  const target = guestTarget(several, [22, 80]);
  expect(target).toMatchObject({ name: 'id-vm1', kind: 'guest', heardSinceMs: 1_000 });
  expect(target.endpoints.map(({ address: of, port }) => `${of} ${port}`)).toEqual(
    ['192.0.2.1', '2001:db8::1', '198.51.100.1'].flatMap((of) => [`${of} 22`, `${of} 80`]),
  );
  expect(guestTarget({ ...several, launchedAtMs: null }, [22])).not.toHaveProperty('heardSinceMs');
});

it('is on the networks of these addresses, each once; a floating one on that it floats on', () => {
  expect(guestNetworks(several)).toEqual([
    { id: 'net-ext', name: 'ext-net' },
    { id: 'net-floating', name: 'public' },
  ]);
});
