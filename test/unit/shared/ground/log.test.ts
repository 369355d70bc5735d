import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createLog } from '../../../../src/shared/ground/log.ts';

function written(isTTY: boolean): { out: Writable & { isTTY: boolean }; text(): string } {
  const chunks: string[] = [];
  const out = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { out: Object.assign(out, { isTTY }), text: () => chunks.join('') };
}

it('no data of a line passes for who wrote it, when, and how loud', () => {
  const { out, text } = written(false);
  const log = createLog({ name: 'ns4', verbosity: 1, destination: out });
  log.warn(
    { name: 'monitor', level: 'info', time: 'never', msg: 'all is well', pid: 1, hostname: 'h', cloud: 'c' },
    'said',
  );
  const line = text();
  // A key that stands twice is read as its last one: each stands once.
  for (const key of ['name', 'level', 'time', 'msg', 'pid'])
    expect(line.split(`"${key}":`), key).toHaveLength(2);
  expect(JSON.parse(line)).toMatchObject({
    ...{ name: 'ns4', level: 'warn', msg: 'said', pid: process.pid },
    ...{ name_: 'monitor', level_: 'info', time_: 'never', msg_: 'all is well', pid_: 1, cloud: 'c' },
  });
});

it.each([true, false])('nothing that acts without being seen is written (terminal: %s)', (isTTY) => {
  const { out, text } = written(isTTY);
  const log = createLog({ name: 'ns4', verbosity: 0, destination: out });
  log.warn({ instance: 'a\u202eb\u009b2Jc\u200d' }, 'name \u001b]0;x\u0007 \u202e \u009b2J');
  const colours = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g');
  const shown = isTTY ? text().replaceAll(colours, '') : text();
  expect(shown).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  expect(shown).toContain('\\u202e');
});
