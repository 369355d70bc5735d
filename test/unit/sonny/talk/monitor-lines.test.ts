// What people read of a monitor and its incidents.
import { describe, expect, it, test } from 'vitest';
import type { Status } from '../../../../src/shared/documents/status.ts';
import { type MonitorView, monitorLine, monitorLines } from '../../../../src/sonny/talk/monitor-lines.ts';
import { nowMs } from '../../../support/inventories.ts';
import { incidentOf, monitorStatus } from '../../../support/monitor-statuses.ts';

const fencing = 'fencing: none, silence is the only proof that a host is dead';
const view = (change: Partial<Status> = {}, leader: string | null = 'host/1'): MonitorView => ({
  leader,
  published: { kind: 'found', status: monitorStatus(change) },
});
const lines = (change: Partial<Status>) => monitorLines(view(change), nowMs);
const raised = (text: string) => ({ name: 'cooldown', sinceMs: nowMs - 60_000, text });

describe('a monitor', () => {
  it('that leads, with nothing to tell', () => {
    expect(lines({})).toEqual(['host/1 leads', fencing]);
  });

  it('that left: nobody leads, and the rest is what it left', () => {
    expect(monitorLines(view({}, null), nowMs)).toEqual([
      'no monitor leads now: nobody decides anything',
      'the rest is as host/1 left it',
      fencing,
    ]);
  });

  it('that has just taken over and published nothing yet', () => {
    expect(monitorLines(view({}, 'host/2'), nowMs).slice(0, 2)).toEqual([
      'host/2 leads',
      'the rest is as host/1 left it',
    ]);
  });

  it.each([
    [{ kind: 'none' }, 'no monitor has published its status yet'],
    [
      { kind: 'not-understood', version: 2 },
      'the status of the monitor cannot be read (version 2): are monitor and sonny of the same release?',
    ],
    [{ kind: 'not-understood', version: null }, /cannot be read \(no version\)/],
  ] as const)('whose status is %j', (published, expected) => {
    expect(monitorLines({ leader: 'host/1', published }, nowMs)).toEqual([
      'host/1 leads',
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    ]);
  });

  it('in safe mode, with the command that ends it', () => {
    const safeMode = { sinceMs: nowMs, why: 'Redis lost all that it held' };
    expect(lines({ safeMode })).toContain(
      'in safe mode, nothing is recovered: Redis lost all that it held ("monitor --accept-empty-state")',
    );
  });

  it('in its cooldown, while it lasts', () => {
    const cooldown = { sinceMs: nowMs - 600_000, untilMs: nowMs + 3_000_000 };
    const expected = 'cooldown: no recovery begins within the next 50 minutes ("ns4 --reset-cooldown")';
    expect(lines({ cooldown })).toContain(expected);
    expect(lines({ cooldown: { sinceMs: 0, untilMs: nowMs } })).toEqual(['host/1 leads', fencing]);
  });

  it('says what stands about the cloud and its zones', () => {
    const zone = {
      scope: { kind: 'zone', name: 'az1' },
      ...raised('Most agents of zone az1 are stale.'),
    } as const;
    expect(lines({ raised: [zone] })).toContain('Most agents of zone az1 are stale.');
  });
});

describe('an incident', () => {
  const line = (change: Parameters<typeof incidentOf>[1]) =>
    lines({ incidents: [incidentOf('hv01', change)] }).at(-1);
  const recovery = {
    id: '20261121T115700-hv01.1',
    targets: [{ kind: 'host', host: 'hv04' } as const],
    sinceMs: nowMs - 40_000,
    attempt: 1,
  };

  it.each([
    ['suspected', {}, 'hv01: suspect, incident open for 3 minutes'],
    [
      'dead, with what stands in its way',
      { stage: 'dead', raised: raised('hv01 is dead, but\nthere is no spare.') },
      'hv01: dead, incident open for 3 minutes; hv01 is dead, but there is no spare.',
    ],
    [
      'recovering',
      { stage: 'recovering', recovery },
      'hv01 -> hv04: recovering for 40 seconds, incident open for 3 minutes',
    ],
    [
      'recovering, by a further attempt',
      { stage: 'recovering', recovery: { ...recovery, attempt: 2 } },
      'hv01 -> hv04: recovering for 40 seconds, attempt 2, incident open for 3 minutes',
    ],
    ['away', { stage: 'away' }, 'hv01: not back in service, incident open for 3 minutes'],
    ['at a stage of next year', { stage: 'mourned' }, 'hv01: mourned, incident open for 3 minutes'],
  ])('%s', (_, change, expected) => {
    expect(line(change)).toBe(expected);
  });

  it('quotes a bounded sentence', () => {
    const quoted = line({ raised: raised('😀'.repeat(5_000)) }) ?? '';
    expect([...quoted].length).toBeLessThan(300);
    expect(quoted).toMatch(/😀…$/u);
  });

  it('is one of a bounded number, the urgent ones first', () => {
    const suspects = Array.from({ length: 40 }, (_, i) => incidentOf(`hv${i}`));
    const shown = lines({ incidents: [...suspects, incidentOf('hv99', { stage: 'dead' })] }).slice(2);
    expect(shown).toHaveLength(9);
    expect(shown[0]).toMatch(/^hv99: dead/);
    expect(shown[1]).toMatch(/^hv0: suspect/);
    expect(shown.at(-1)).toBe('… and 33 more incidents');
  });
});

test('in one line, for --check', () => {
  expect(monitorLine(view({ incidents: [incidentOf('hv01')] }), nowMs)).toBe(
    `host/1 leads; ${fencing}; 1 open incident`,
  );
  expect(monitorLine({ leader: null, published: { kind: 'none' } }, nowMs)).toBe(
    'no monitor leads now: nobody decides anything; no monitor has published its status yet',
  );
});
