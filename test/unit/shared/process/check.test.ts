// The lines of `--check`, and who is not worth a try any more.
import { expect, test } from 'vitest';
import { type Check, runChecks } from '../../../../src/shared/process/check.ts';

async function run(...checks: Check[]): Promise<{ lines: string[]; end: string }> {
  const lines: string[] = [];
  const end = await runChecks(checks, (line) => lines.push(line)).then(String, ({ message }) => message);
  return { lines, end };
}
const check = (what: string, run: Check['run'], needs?: Check['needs']): Check =>
  needs === undefined ? { what, run } : { what, run, needs };
const well = async () => 'found';
const broken = async () => {
  throw new Error('away');
};

test('found, with remarks, and failed', async () => {
  const remarked = async () => ({ found: 'one', warnings: ['odd', 'odder'] });
  expect(await run(check('a', well), check('b', remarked))).toEqual({
    lines: ['ok      a: found', 'ok      b: one', 'WARNING b: odd', 'WARNING b: odder'],
    end: '0',
  });
  expect(await run(check('a', broken), check('b', well))).toEqual({
    lines: ['FAILED  a: away', 'ok      b: found'],
    end: 'failed: a',
  });
});

test.each<[string, Check['needs'], string]>([
  ['what failed', 'a', 'failed: a; not looked at without it: c'],
  ['one of several', ['b', 'a'], 'failed: a; not looked at without it: c'],
  ['what went well', ['b'], 'failed: a'],
])('needs %s', async (_, needs, end) => {
  expect((await run(check('a', broken), check('b', well), check('c', well, needs))).end).toBe(end);
});

test('nor is what needs one that was not looked at', async () => {
  expect((await run(check('a', broken), check('b', well, 'a'), check('c', well, 'b'))).end).toBe(
    'failed: a; not looked at without it: b, c',
  );
});
