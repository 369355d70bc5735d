// The stories an operator should be able to read: each folder of test/scenarios has what happens (scenario.yaml) and
// what Sonny says of it (transcript.txt). SCENARIOS=rewrite writes the transcripts anew, to be read before they are
// kept.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { play } from './simulation/scenario/play.ts';
import { readScenario } from './simulation/scenario/scenario.ts';

const folder = join(import.meta.dirname, 'scenarios');
const names = readdirSync(folder).sort();

test('there are at least 25 stories', () => {
  expect(names.length).toBeGreaterThanOrEqual(25);
});

test.each(names)('%s', async (name) => {
  const scenario = readScenario(readFileSync(join(folder, name, 'scenario.yaml'), 'utf8'));
  const path = join(folder, name, 'transcript.txt');
  const transcript = `${scenario.story.trim()}\n\n${await play(scenario)}`;
  if (process.env.SCENARIOS === 'rewrite') writeFileSync(path, transcript);
  expect(transcript).not.toContain('VIOLATED');
  expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(transcript);
});
