// Who is suspicious, by what is known to be on a silent host: Nova's count, the list of servers, or neither.
import { expect, test } from 'vitest';
import { findSuspects, isUntold, unheardSince } from '../../../src/monitor/core/watches/hosts/suspicion.ts';
import { Picture } from '../../../src/shared/picture/picture.ts';
import { agent, hypervisor, inventory, nowMs, server } from '../../support/inventories.ts';

const rules = { heartbeatPeriodMs: 40_000 };

/** hv01, silent for a minute or never heard at all, and well hv02; `listed`: servers on hv01, null: none were ever listed. */
function cloud(runningVms: number | null, listed: number | null, isHeard = true): Picture {
  const { hosts, servers } = inventory({
    hypervisors: [
      hypervisor('hv01', { runningVms, ...(isHeard ? {} : { reportedAtMs: null }) }),
      hypervisor('hv02', { runningVms: 1 }),
    ],
    agents: [agent('hv01', 60_000)],
    servers: Array.from({ length: listed ?? 0 }, (_, i) => server(`vm${i + 1}`, 'hv01')),
  });
  const agents = hosts.agents.filter(({ host }) => isHeard || host !== 'hv01');
  return Picture.of({ ...hosts, agents }, listed === null ? null : servers);
}

test.each<[string, number | null, number | null, boolean]>([
  ['instances by both', 2, 2, true],
  ['by the count alone, as the list is older', 1, 0, true],
  ['by the list alone, as the count is older', 0, 1, true],
  ['none by either', 0, 0, false],
  ['never counted, and some are listed', null, 1, true],
  ['never counted, and none is listed', null, 0, false],
  ['never counted, and none were ever listed: nobody knows', null, null, true],
  ['none by the count, and none were ever listed', 0, null, false],
])('a silent host with %s', (_, runningVms, listed, isSuspect) => {
  const hosts = isSuspect ? ['hv01'] : [];
  const silent = cloud(runningVms, listed);
  const { suspects } = findSuspects(silent, nowMs, rules, new Set());
  expect(suspects.map(({ hypervisor: { host } }) => host)).toEqual(hosts);
  expect(unheardSince(silent, nowMs - 50_000, new Set(), nowMs, rules).map(({ host }) => host)).toEqual(
    hosts,
  );
  // Of whom nobody can tell what was said stands, where he has something to lose.
  expect(isUntold('hv01', cloud(runningVms, listed, false), nowMs, rules)).toBe(isSuspect);
});
