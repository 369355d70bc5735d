// A proxy's error page of a hundred thousand opening brackets, in the middle of a recovery: it once kept ns4 busy for longer
// than its lock lives. The recovery goes on by the same worker.
import { afterEach, expect, test } from 'vitest';
import { Crew } from './crew.ts';

let crew: Crew;
afterEach(() => crew?.close());

test.each([
  ['brackets', '<'.repeat(100_000)],
  ['entities', '&#'.repeat(50_000)],
])(
  'five pages of %s',
  async (_, page) => {
    crew = await Crew.open();
    await crew.start();
    let pages = 0;
    crew.simulator.bend((call, answer) => {
      if (pages >= 5 || call.method !== 'GET' || !call.path.includes('/os-migrations')) return answer;
      pages += 1;
      return { status: 403, body: page };
    });
    await crew.simulator.kill('hv01');
    const ended = await crew.household.waitForEvent(({ facts }) => facts.kind === 'recovery-ended', 90_000);
    expect(pages).toBeGreaterThan(0);
    expect(ended.text).toContain('all 3 affected instances are back');
    const events = await crew.household.events();
    expect(events.map(({ text }) => text).join('\n')).not.toContain('died or stood still');
    crew.judgeTruth(['hv01']);
    await crew.judgeWords();
  },
  180_000,
);
