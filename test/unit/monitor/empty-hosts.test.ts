// A silent host that runs nothing by an older list of servers: what was made shortly before it died is looked for.
import { expect, test } from 'vitest';
import { agent, hypervisor, inventory, server, spare } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

/** hv01 dies at once; vm1 was made on it seconds before, and the list of servers is a minute older. */
function cloud(made: boolean) {
  const seen = { diedAtMs: 0, listedAtMs: 0, isListed: false };
  const s: Story = new Story({
    inventory: () => {
      const whole = inventory(
        {
          hypervisors: [
            hypervisor('hv01', { runningVms: 0 }),
            hypervisor('hv02', { runningVms: 1 }),
            spare('hv04'),
          ],
          agents: [agent('hv01', 0, { heartbeatAtMs: seen.diedAtMs })],
          servers: [...(made && seen.isListed ? [server('vm1', 'hv01')] : []), server('vm9', 'hv02')],
        },
        s.atMs,
      );
      return { ...whole, servers: { ...whole.servers, collectedAtMs: seen.listedAtMs } };
    },
    finding: (name) => (/^(hv01|id-vm1)$/.test(name) ? 'silent' : 'answers'),
  });
  seen.diedAtMs = s.atMs;
  seen.listedAtMs = s.atMs - 60_000;
  const { answer } = s;
  s.answer = (job) => {
    if (job.name === 'refresh-inventory' && job.data.servers && s.world.refresh === undefined)
      Object.assign(seen, { listedAtMs: s.atMs + 1_000, isListed: true });
    return answer.call(s, job);
  };
  const readings = () => s.requests.filter((r) => r.name === 'refresh-inventory' && r.data.servers).length;
  return { s, seen, readings };
}

test('regression: an instance that was made shortly before its host died is recovered', () => {
  const { s } = cloud(true);
  s.round().round().round();
  expect(s.recoveries).toEqual([{ dead: 'hv01', spare: 'hv04', attempt: 1 }]);
});

test('one that is empty indeed costs one reading for each silence, and not a word', () => {
  const { s, seen, readings } = cloud(false);
  for (let i = 0; i < 10; i += 1) s.round();
  expect(readings()).toBe(1);
  seen.diedAtMs = s.atMs;
  for (let i = 0; i < 10; i += 1) s.round();
  expect(readings(), 'heard in between, and silent again').toBe(2);
  expect(s.texts).toEqual([]);
});

test('while the servers cannot be listed that is said once, and it is tried again with each round', () => {
  const { s, readings } = cloud(true);
  s.world.refresh = (servers) =>
    servers ? { state: 'failed', detail: 'boom' } : { state: 'done', result: refreshed(s.atMs) };
  for (let i = 0; i < 5; i += 1) s.round();
  expect(s.refusals).toEqual(['servers-unavailable']);
  expect(readings()).toBeLessThanOrEqual(5);
  delete s.world.refresh;
  for (let i = 0; i < 3; i += 1) s.round();
  expect(s.recoveries).toHaveLength(1);
});

const refreshed = (collectedAtMs: number) => ({
  ...{ ok: true as const, collectedAtMs, serversCollectedAtMs: null },
  ...{ hypervisors: 1, servers: null, tookMs: 10 },
});
