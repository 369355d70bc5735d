// What people get to read: the answers, and that nothing in a name acts on Slack.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Status } from '../../../../src/shared/documents/status.ts';
import { Picture } from '../../../../src/shared/picture/picture.ts';
import { answer } from '../../../../src/sonny/talk/answers.ts';
import { parseQuestion } from '../../../../src/sonny/talk/questions.ts';
import { ServerSearch } from '../../../../src/sonny/talk/records.ts';
import type { CloudView } from '../../../../src/sonny/talk/views.ts';
import { hypervisor, type Inventory, inventory, nowMs, server, spare } from '../../../support/inventories.ts';
import { incidentOf, monitorStatus } from '../../../support/monitor-statuses.ts';

/** A cloud as a test describes it: what was asked for is searched when it is asked. */
interface Described extends Omit<CloudView, 'picture' | 'servers'> {
  readonly inventory: Inventory | null;
}
const published = (change: Partial<Status> = {}) =>
  ({ kind: 'found', status: monitorStatus(change) }) as const;
const view = (cloud: string, change: Partial<Described> = {}): Described => ({
  cloud,
  inventory: inventory({
    hypervisors: [
      hypervisor('hv01', { name: 'hv01.example.org' }),
      hypervisor('hv02', { state: 'down' }),
      spare('hv03'),
    ],
    servers: [server('web1', 'hv01'), server('web2', 'hv01')],
  }),
  leader: 'host/1',
  published: published(),
  vantagePoints: ['ctl1', 'ctl2'],
  trouble: null,
  ...change,
});
function ask(words: string, clouds: readonly Described[], afterMs = 12_000) {
  const question = parseQuestion(words);
  const views = clouds.map(({ inventory: known, cloud, ...rest }): CloudView => {
    if (known === null) return { cloud, ...rest, picture: null, servers: null };
    const picture = Picture.of({ ...known.hosts, cloud }, known.servers);
    if (question.kind !== 'show' || question.what === 'hv') return { cloud, ...rest, picture, servers: null };
    const search = new ServerSearch(picture, question.name);
    for (const one of known.servers.servers) search.look([one]);
    return { cloud, ...rest, picture, servers: search.found };
  });
  return answer(question, views, nowMs + afterMs);
}
/** The blocks between fences, as a reader of YAML takes them. */
const blocks = (text: string) =>
  [...text.matchAll(/```\n([\s\S]*?)\n```/g)].map(([, yaml]) => parse(yaml ?? ''));

describe('help, and what is not understood', () => {
  it.each(['help', 'good morning'])('%s: the commands', (words) => {
    for (const command of ['`help`', '`status`', '`show hv NAME`', '`show vm UUID|NAME`'])
      expect(ask(words, [])).toContain(command);
  });
  it('says so when it is not sure', () => {
    expect(ask('good morning', [])).toMatch(/^I am not sure what you mean/);
    expect(ask('show hv', [])).toBe('Usage: `show hv NAME` or `show vm UUID|NAME`');
  });
});

describe('status', () => {
  it('gives the age of each inventory, and what is in it', () => {
    const views = [
      view('cloud1'),
      view('cloud2', { inventory: null }),
      view('cloud3', { trouble: 'Redis is away' }),
    ];
    const text = ask('status', views);
    expect(text).toMatch(
      /cloud1: inventory updated 12 seconds ago\n.*3 hypervisors, 1 down, 1 spare; 2 instances/,
    );
    expect(text).toMatch(/cloud2: the inventory was never updated/);
    expect(text).toMatch(/cloud3: the inventory cannot be read now \(Redis is away\)/);
  });
  it.each([
    [['ctl1', 'ctl2'], /\n {4}2 vantage points: ctl1, ctl2$/],
    [[], /\n {4}no ns4 is there$/],
  ])('names the vantage points: %s', (vantagePoints, expected) => {
    expect(ask('status', [view('cloud1', { vantagePoints })])).toMatch(expected);
  });
  it.each([
    ['none', /\n {4}fencing: none, silence is the only proof that a host is dead\n/],
    ['required', /\n {4}fencing: required, /],
  ] as const)('says whether proof is demanded: %s', (fencing, expected) => {
    const policy = { ...monitorStatus().policy, fencing };
    expect(ask('status', [view('cloud1', { published: published({ policy }) })])).toMatch(expected);
  });
  it('says who leads, that nobody does, and when the one that leads is in safe mode', () => {
    expect(ask('status', [view('cloud1')])).toContain('\n    host/1 leads\n');
    expect(ask('status', [view('cloud1')])).not.toContain('safe mode');
    expect(ask('status', [view('cloud1', { leader: null })])).toContain(
      '\n    no monitor leads now: nobody decides anything\n',
    );
    const safeMode = { sinceMs: nowMs, why: 'Redis lost all that it held' };
    expect(ask('status', [view('cloud1', { published: published({ safeMode }) })])).toContain(
      '\n    in safe mode, nothing is recovered: Redis lost all that it held ("monitor --accept-empty-state")\n',
    );
  });
  it('says that the status of a monitor is of another version, and all the rest', () => {
    const text = ask('status', [view('cloud1', { published: { kind: 'not-understood', version: 2 } })]);
    expect(text).toMatch(/^cloud1: inventory updated 12 seconds ago\n {4}3 hypervisors/);
    expect(text).toMatch(/\n {4}host\/1 leads\n {4}the status of the monitor cannot be read \(version 2\)/);
    expect(text).toMatch(/\n {4}2 vantage points: ctl1, ctl2$/);
  });
  it('says what is known of the monitor before there is an inventory', () => {
    const text = ask('status', [view('cloud1', { inventory: null, published: { kind: 'none' } })]);
    expect(text.split('\n').slice(1)).toEqual([
      '    host/1 leads',
      '    no monitor has published its status yet',
      '    2 vantage points: ctl1, ctl2',
    ]);
  });
  it('has room for a whole rack of incidents', () => {
    const raised = { name: 'cooldown', sinceMs: nowMs, text: 'x '.repeat(1_000) };
    const incidents = Array.from({ length: 40 }, (_, i) => incidentOf(`hv${i}.example.org`, { raised }));
    const text = ask('status', [view('cloud1', { published: published({ incidents }) })]);
    expect(text).toMatch(/… and 32 more incidents\n {4}2 vantage points: ctl1, ctl2$/);
  });
  it('is never negative where clocks disagree', () => {
    expect(ask('status', [view('cloud1')], -5_000)).toContain('updated 0 seconds ago');
  });
});

describe('show', () => {
  it.each(['hv01', 'HV01', 'hv01.example.org', '<http://hv01.example.org|hv01.example.org>'])(
    'hv %s',
    (name) => {
      const text = ask(`show hv ${name}`, [view('cloud1')]);
      expect(text).toMatch(/^cloud1, as of 12 seconds ago:\n```\n/);
      expect(blocks(text)).toMatchObject([
        { cloud: 'cloud1', host: 'hv01', name: 'hv01.example.org', vcpus: 32, agents: [{ alive: true }] },
      ]);
    },
  );

  it.each(['web1', 'id-web1'])('vm %s', (name) => {
    expect(blocks(ask(`show vm ${name}`, [view('cloud1')]))).toMatchObject([
      { cloud: 'cloud1', id: 'id-web1', name: 'web1', host: 'hv01', status: 'ACTIVE' },
    ]);
  });

  it('asks the clouds in turn, and shows all of one name', () => {
    const text = ask('show vm web1', [view('cloud1'), view('cloud2')]);
    expect(blocks(text).map(({ cloud }) => cloud)).toEqual(['cloud1', 'cloud2']);
  });

  it('shows a bounded number of one name, and counts the others', () => {
    const servers = Array.from({ length: 40 }, (_, i) => server('same', 'hv01', { id: `id-${i}` }));
    const many = view('cloud1', { inventory: inventory({ hypervisors: [], servers }) });
    const text = ask('show vm same', [many]);
    expect(text.match(/```/g)).toHaveLength(10);
    expect(text).toContain('… and 35 more of this name');
    expect(text.length).toBeLessThan(4_000);
  });

  it('not found: says where it looked, what is near, and where it could not look', () => {
    const views = [
      view('cloud1'),
      view('cloud2', { inventory: null, trouble: 'Redis is away' }),
      view('cloud3', { inventory: null }),
    ];
    const text = ask('show vm webb1', views);
    expect(text).toMatch(/^Instance webb1 not found in cloud1, cloud2, cloud3\. Did you mean web1/);
    expect(text).toMatch(/\ncloud2: the inventory cannot be read now \(Redis is away\)/);
    expect(text).toMatch(/\ncloud3: no instances listed so far/);
    expect(ask('show hv nosuch-thing', [view('cloud1')])).toBe(
      'Hypervisor nosuch-thing not found in cloud1.',
    );
  });
});

describe('whatever a name holds', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(
      '```',
      '`````',
      '<!channel>',
      '@here',
      '</code>',
      '&',
      '\n',
      '\u202e',
      '😀',
      '"',
      ': ',
      '- ',
    ),
  );
  const name = fc.array(nasty, { minLength: 1, maxLength: 40 }).map((parts) => `x${parts.join('')}`);

  it('the answer is bounded, its fences are closed, and nobody is called', () => {
    fc.assert(
      fc.property(name, name, (given, fault) => {
        const servers = [server('a', 'hv01', { id: 'wanted', name: given, fault })];
        const views = [view('cloud1', { inventory: inventory({ hypervisors: [], servers }) })];
        for (const words of ['show vm wanted', `show vm ${given}`, `show hv ${given}`]) {
          const text = ask(words, views);
          expect(text.length).toBeLessThan(4_000);
          expect([0, 2]).toContain((text.match(/```/g) ?? []).length);
          expect(text).not.toMatch(/[<>]|@(channel|here|everyone)\b/i);
          expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
          expect(text).not.toMatch(/[^\P{Cc}\n\t]/u);
        }
      }),
      { numRuns: 300 },
    );
  });
});
