// A recovered host is heard again while its old instances may run: the loudest alarm, its pace, and its end.
import { describe, expect, test } from 'vitest';
import type { Away } from '../../../src/monitor/core/state/returns.ts';
import { dueAtMs } from '../../../src/monitor/core/step.ts';
import { judgeAway } from '../../../src/monitor/core/watches/returns/judge.ts';
import { eventSchema } from '../../../src/shared/documents/events/events.ts';
import type { Shown } from '../../../src/shared/documents/jobs/look-at-recovered.ts';
import type { RecoveryReport } from '../../../src/shared/documents/jobs/recover.ts';
import { agent, hypervisor, inventory, nowMs, server, spare } from '../../support/inventories.ts';
import { Story } from '../../support/monitor-story.ts';

const silent: Shown = {
  ...{ answers: null, guests: [], heartbeatAtMs: null, reportedAtMs: null },
  ...{ clearing: null, unknown: null },
};
/** Nova does not answer. */
const unknown = 'Nova GET /os-migrations: 503';
const untold = `Nova could not be asked: ${unknown}`;
const unfinished = { unfinished: [{ id: 'id-vm1', name: 'vm1' }], recorded: ['id-vm1'], listed: 0 };
const completed = { ...unfinished, unfinished: [] };

describe('what is heard of it', () => {
  const away: Away = {
    ...{ host: 'hv01', incident: 'i', reportedAtMs: nowMs - 300_000, reports: 0 },
    ...{ alarm: null, left: null, isChecked: false, isCleared: false },
  };
  const judge = (shown: Partial<Shown>, before: Partial<Away> = {}, reports: RecoveryReport[] = []) =>
    judgeAway({
      ...{ away: { ...away, ...before }, shown: { ...silent, ...shown }, reports },
      ...{ recoveries: 1, sinceMs: nowMs - 200_000, nowMs, heartbeatPeriodMs: 40_000 },
    });

  test.each<[string, Partial<Shown>, Partial<Away>, readonly string[]]>([
    ['nothing', {}, {}, []],
    ['an answer of its address', { answers: '10.0.0.1:22 open' }, {}, ['it answers, 10.0.0.1:22 open']],
    ['instances left on it', { guests: ['vm7'] }, {}, ['instances that are left on it answer: "vm7"']],
    [
      'a heartbeat since its recovery',
      { heartbeatAtMs: nowMs - 4_000 },
      {},
      ['a heartbeat of its agents 4.0 s ago'],
    ],
    ['a heartbeat from before its recovery', { heartbeatAtMs: nowMs - 200_000 }, {}, []],
    [
      'a beat of OVN, while the next ping is still to come',
      { heartbeatAtMs: nowMs - 60_000 },
      {},
      ['a heartbeat of its agents 60 s ago'],
    ],
    ['a heartbeat since, but it is silent again', { heartbeatAtMs: nowMs - 81_000 }, {}, []],
    ['a report that moved once: somebody changed the service', { reportedAtMs: nowMs - 5_000 }, {}, []],
    [
      'a report that moved again',
      { reportedAtMs: nowMs - 5_000 },
      { reports: 1 },
      ['its nova-compute reports'],
    ],
    ['a report that stands still', { reportedAtMs: nowMs - 300_000 }, { reports: 1 }, []],
    [
      'the first report that is seen',
      { reportedAtMs: nowMs - 5_000 },
      { reportedAtMs: null, reports: 1 },
      [],
    ],
  ])('%s', (_, shown, before, evidence) => {
    expect(judge(shown, before).evidence).toEqual(evidence);
  });

  test('two reports in a row are asked for, and a look without one begins anew', () => {
    const once = judge({ reportedAtMs: nowMs - 5_000 });
    expect(once.reports).toBe(1);
    const again = judge({ reportedAtMs: nowMs }, once);
    expect(again).toMatchObject({ reports: 2, evidence: ['its nova-compute reports'] });
    expect(judge({ reportedAtMs: nowMs - 90_000 }, { ...again, reportedAtMs: nowMs - 90_000 }).reports).toBe(
      0,
    );
  });

  const moved = (outcome: 'recovered' | 'failed', name: string) => ({
    ...{ id: `id-${name}`, name, outcome, why: null, before: 'ACTIVE', after: null, to: null, tookMs: null },
    answers: null,
  });
  const report = (...instances: ReturnType<typeof moved>[]): RecoveryReport => ({
    ...{ incident: 'i', recovery: 'i.1', dead: 'hv01', targets: [], outcome: 'done', refusal: null },
    ...{ acted: true, instances, tookMs: 1 },
  });

  test('twice are those that Nova did not complete, and those that it has no record of (the database method)', () => {
    const reports = [report(moved('recovered', 'vm1'), moved('recovered', 'vm2'), moved('failed', 'vm3'))];
    const shown = { answers: 'open', clearing: { ...unfinished, recorded: ['id-vm1'] } };
    expect(judge(shown, {}, reports).twice).toEqual({ instances: ['vm1', 'vm2'], untold: null });
    expect(judge({ ...shown, clearing: completed }, {}, reports).twice?.instances).toEqual(['vm2']);
    expect(judge(shown, { isCleared: true }, reports).twice, 'by the word of somebody').toBeNull();
  });

  const told = (instances: string[], atMs = nowMs - 60_000) => ({ left: { atMs, instances } });
  const two = [report(moved('recovered', 'vm1'), moved('recovered', 'vm2'), moved('failed', 'vm3'))];
  test.each<[string, Partial<Away>, RecoveryReport[], string[] | null]>([
    ['what the report says was moved', {}, two, ['vm1', 'vm2']],
    ['what Nova told last, since that recovery', told(['vm2']), two, ['vm2']],
    ['what Nova told before that recovery is none', told([], nowMs - 300_000), two, ['vm1', 'vm2']],
    ['Nova told that all is cleared up', told([]), two, null],
    ['a report of nothing moved', {}, [report(moved('failed', 'vm3'))], null],
    ['no report: nobody knows which', {}, [], []],
    ['the word of somebody', { isCleared: true }, two, null],
  ])('heard while Nova cannot be asked, so by memory: %s', (_, before, reports, instances) => {
    const { twice, isCompleted } = judge({ answers: 'open', unknown }, before, reports);
    expect(twice).toEqual(instances === null ? null : { instances, untold });
    expect(isCompleted).toBe(false);
  });

  test.each<[string, Partial<Away>, RecoveryReport[], object | null]>([
    ['nothing is remembered', {}, [], { instances: [], untold: expect.stringContaining('on record') }],
    ['the word of somebody', { isCleared: true }, [], null],
    ['a report of nothing moved', {}, [report(moved('failed', 'vm3'))], null],
  ])('an empty record of Nova tells nothing by itself: %s', (_, before, reports, twice) => {
    const clearing = { unfinished: [], recorded: [], listed: 0 };
    expect(judge({ answers: 'open', clearing }, before, reports)).toMatchObject({
      ...{ twice, isCompleted: twice === null },
    });
  });

  test('a report that Nova did not tell takes nothing back', () => {
    const before = { reportedAtMs: nowMs - 5_000, reports: 2 };
    expect(judge({ unknown }, before)).toMatchObject({ ...before, evidence: [], back: null });
  });

  test.each([
    ['it reports and nothing is left', completed, 1, { listed: 0 }],
    ['it does not report yet', completed, 0, null],
    ['an evacuation is left', unfinished, 1, null],
  ])('in order: %s', (_, clearing, reports, back) => {
    expect(judge({ answers: 'open', reportedAtMs: nowMs, clearing }, { reports }).back).toEqual(back);
  });
});

/** hv01 died, and its only instance was recovered; from then on it shows what `seen.shown` says. */
function recovered() {
  const seen: { shown: Partial<Shown>; hv01: Parameters<typeof hypervisor>[1] } = { shown: {}, hv01: {} };
  let listed = [server('vm1', 'hv01'), server('vm9', 'hv02')];
  const s: Story = new Story({
    inventory: () =>
      inventory(
        {
          hypervisors: [hypervisor('hv01', seen.hv01), hypervisor('hv02', { runningVms: 1 }), spare('hv04')],
          agents: [agent('hv01', 0, { heartbeatAtMs: nowMs - 120_000 })],
          servers: listed,
        },
        s.atMs,
      ),
    finding: (name) => (/^(hv01|id-vm1)$/.test(name) ? 'silent' : 'answers'),
    shown: () => seen.shown,
  });
  s.round();
  seen.hv01 = {
    state: 'down',
    status: 'disabled',
    forcedDown: true,
    disabledReason: 'sonny resurrection on hv04',
  };
  listed = [server('vm9', 'hv02')];
  s.round();
  /** Goes on until so much later, as the driver would, and tells what was said of the return. */
  const pass = (ms: number) => {
    const untilMs = s.atMs + ms;
    const from = s.told.length;
    while (s.atMs < untilMs) {
      s.atMs = Math.max(s.atMs, Math.min(untilMs, dueAtMs(s.state)));
      s.input({ kind: 'tick' }).settle();
    }
    return s.events.slice(from).filter(({ kind }) => /running-twice|return-checked|returned/.test(kind));
  };
  return { s, seen, pass };
}

describe('the alarm', () => {
  test('regression B6: a host recovered on silence alone comes back, and that is said again and again', () => {
    const { s, seen, pass } = recovered();
    expect(pass(600_000), 'as long as it is silent').toEqual([]);
    seen.shown = { answers: '10.0.0.1:22 open', clearing: unfinished };
    const told = pass(70_000);
    expect(told[0]).toMatchObject({ kind: 'running-twice', host: 'hv01', instances: ['vm1'] });
    expect(s.told.find(({ facts }) => facts === told[0])?.incidents).toEqual([s.state.incidents[0]?.id]);
    const hour = pass(3_600_000);
    expect(hour.length, 'every minute at first, then every five').toBeGreaterThan(12);
    expect(hour.length).toBeLessThan(20);
    expect(new Set(hour.map(({ kind }) => kind))).toEqual(new Set(['running-twice']));
    expect(s.texts.at(-1)).toContain('1 instance may run TWICE: "vm1". Power hv01 off now.');
  });

  test('the first ones come a minute apart, the later ones five', () => {
    const { s, seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    const times: number[] = [];
    for (let i = 0; i < 1_200; i += 1) if (pass(1_000).length > 0) times.push(s.atMs);
    const pauses = times.slice(1).map((ms, i) => Math.round((ms - (times[i] ?? 0)) / 1_000));
    expect(pauses.slice(0, 5)).toEqual([60, 60, 60, 60, 60]);
    expect(new Set(pauses.slice(5))).toEqual(new Set([300]));
  });

  test.each<[string, Partial<Shown>, string]>([
    ['Nova completed them', { answers: 'open', clearing: completed }, 'completed'],
    ['it is silent again', {}, 'silent'],
  ])('it is over once: %s', (_, later, why) => {
    const { seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    pass(61_000);
    seen.shown = later;
    expect(pass(20_000)).toMatchObject([{ kind: 'running-twice-over', host: 'hv01', why, by: null }]);
    expect(pass(900_000)).toEqual([]);
  });

  test('silent and heard again is another alarm', () => {
    const { seen, pass } = recovered();
    const heard = { answers: 'open', clearing: unfinished };
    for (const shown of [heard, {}, heard]) {
      seen.shown = shown;
      expect(pass(61_000)[0]?.kind).toBe(shown === heard ? 'running-twice' : 'running-twice-over');
    }
  });

  test("an operator's word ends it, for as long as the incident lasts", () => {
    const { s, seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    pass(61_000);
    s.order({ kind: 'copies-gone', host: 'hv01', by: 'anna', atMs: s.atMs });
    expect(s.events.at(-1)).toEqual({ kind: 'running-twice-over', host: 'hv01', why: 'word', by: 'anna' });
    expect(pass(900_000)).toEqual([]);
  });

  test('a look that fails neither begins nor ends it', () => {
    const { s, seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    pass(61_000);
    const { answer } = s;
    s.answer = (job) =>
      job.name === 'look-at-recovered' ? { state: 'failed', detail: 'boom' } : answer.call(s, job);
    expect(new Set(pass(200_000).map(({ kind }) => kind))).toEqual(new Set(['running-twice']));
  });

  test('Nova is away when it is heard again: told all the same, with what was moved, and that nobody could ask', () => {
    const { s, seen, pass } = recovered();
    seen.shown = { answers: '10.0.0.1:22 open', unknown };
    expect(pass(61_000)).toMatchObject([{ kind: 'running-twice', instances: ['vm1'], untold }]);
    expect(s.texts.at(-1)).toBe(
      `1 instance may run TWICE: "vm1". Power hv01 off now. hv01 was recovered, and it is heard again (it answers, 10.0.0.1:22 open), and nobody can tell whether its copies there are destroyed (${untold}). Or did you boot it just now? Then start its nova-compute, which destroys them; "ns4 --copies-gone hv01" when you have made sure that nothing of them runs there.`,
    );
    expect(pass(200_000).length, 'again and again').toBeGreaterThan(1);
    seen.shown = { answers: '10.0.0.1:22 open', clearing: completed };
    expect(pass(20_000)).toMatchObject([{ kind: 'running-twice-over', why: 'completed' }]);
    seen.shown = { answers: '10.0.0.1:22 open', unknown };
    expect(pass(900_000), 'Nova has told that they are destroyed').toEqual([]);
  });

  test('what nobody could ask is no silence: it is not over for that', () => {
    const { seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    pass(61_000);
    seen.shown = { unknown };
    expect(new Set(pass(200_000).map(({ kind }) => kind))).toEqual(new Set(['running-twice']));
    seen.shown = {};
    expect(pass(20_000)).toMatchObject([{ kind: 'running-twice-over', why: 'silent' }]);
  });

  test('nobody carries the look out: it is asked for anew, and what stands is said', () => {
    const { s, seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    pass(61_000);
    const { answer } = s;
    s.answer = (job) => (job.name === 'look-at-recovered' ? { state: 'waiting' } : answer.call(s, job));
    const asked = s.requests.length;
    expect(pass(200_000).length).toBeGreaterThan(1);
    expect(s.requests.slice(asked).filter(({ name }) => name === 'look-at-recovered').length).toBe(2);
  });

  test('the return that is in order is told once, and the next one after another silence', () => {
    const { s, seen, pass } = recovered();
    const back = () => ({ answers: 'open', reportedAtMs: s.atMs, clearing: completed });
    Object.defineProperty(seen, 'shown', { get: back, configurable: true });
    expect(pass(200_000)).toEqual([{ kind: 'return-checked', host: 'hv01', listed: 0 }]);
    expect(pass(900_000)).toEqual([]);
  });

  test('it is closed with its incident', () => {
    const { seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    pass(61_000);
    seen.hv01 = {};
    expect(pass(70_000).map(({ kind }) => kind)).toEqual(['returned', 'running-twice-over']);
    expect(pass(900_000)).toEqual([]);
  });

  test('what is said crosses to sonny as it is', () => {
    const { s, seen, pass } = recovered();
    seen.shown = { answers: 'open', clearing: unfinished };
    pass(61_000);
    const facts = s.events.at(-1);
    expect(
      eventSchema.parse({ version: 2, cloud: 'c', atMs: 1, incidents: [], level: 'error', text: '', facts })
        .facts,
    ).toEqual(facts);
  });
});
