// Which files are believed: by owner and mode of the file, of every folder on the way to it, and of links; and what
// becomes of one that others may read. As root, since only root can make files of others.
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Ownership,
  whoReads,
  whoReplaces,
  whoWrites,
} from '../../../../src/shared/config/file-trust.ts';
import { programProblem, readGuarded } from '../../../../src/shared/config/guarded-file.ts';

const nobody = 65534;

describe('the rules', () => {
  const root = { uid: 0, gid: 0 };
  const service = { uid: 990, gid: 990 };
  const of = (uid: number, gid: number, mode: number): Ownership => ({ uid, gid, mode });
  test.each([
    ["the service's own", of(990, 990, 0o100600), service, null],
    ["root's", of(0, 0, 0o100644), service, null],
    ['of a third', of(1000, 990, 0o100600), service, /belongs to uid 1000, expected root or the user .*990/],
    ['of the service, for root', of(990, 990, 0o100600), root, /belongs to uid 990, expected root/],
    ['its group may write', of(0, 990, 0o100660), service, /found mode 0660, .*may write it; expected 0600/],
    ['everybody may write a program', of(0, 0, 0o100777), root, /found mode 0777, .*expected 0755/],
  ])('a file, %s', (_, file, self, why) => {
    if (why === null) expect(whoWrites(file, self)).toBeNull();
    else expect(whoWrites(file, self)).toMatch(why);
  });

  test.each([
    ["root's", of(0, 0, 0o40755), null],
    ['for everybody, but sticky', of(0, 0, 0o41777), null],
    ['for everybody', of(0, 0, 0o40777), /has mode 0777, others than its owner may put another file/],
    ['for the group of root', of(0, 0, 0o40775), null],
    ['for another group', of(0, 50, 0o42775), /has mode 2775/],
    ['of a third, and sticky', of(1000, 0, 0o41777), /belongs to uid 1000/],
  ])('a folder, %s', (_, folder, why) => {
    if (why === null) expect(whoReplaces(folder, service)).toBeNull();
    else expect(whoReplaces(folder, service)).toMatch(why);
  });

  test.each([
    ['0600', of(990, 990, 0o100600), service, false, false],
    ['0640 of its own', of(990, 990, 0o100640), service, false, true],
    ["root's, for the group of the service", of(0, 990, 0o100640), service, false, false],
    ["root's, for another group", of(0, 50, 0o100640), service, false, true],
    ["root's 0640 for root itself", of(0, 0, 0o100640), root, false, true],
    ["a credential of systemd's, whose group bits are a mask", of(0, 0, 0o100440), service, true, false],
    ['0644, wherever it came from', of(0, 0, 0o100644), service, true, true],
  ])('who reads: %s', (_, file, self, handedOver, readable) => {
    expect(whoReads(file, self, handedOver) !== null).toBe(readable);
  });
});

describe.runIf(process.getuid?.() === 0)('on disk', () => {
  let dir: string;
  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'sonny-guarded-')));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const lay = (name = 'file', mode = 0o600): string => {
    const path = join(dir, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, 'text');
    chmodSync(path, mode);
    return path;
  };
  const read = (path: string, secret: 'refuse' | 'warn' | 'none' = 'refuse') => readGuarded(path, { secret });

  test('one of ours is read, a missing one is told apart, bytes are none', () => {
    expect(read(lay())).toEqual({ text: 'text', exposed: null, warnings: [] });
    expect(read(join(dir, 'none'))).toEqual({ problem: 'no such file', missing: true });
    expect(read(join(dir, 'file', 'below'))).toEqual({ problem: 'no such file', missing: true });
    expect(read(dir)).toMatchObject({ problem: expect.stringMatching(/is a directory/) });
    writeFileSync(join(dir, 'bytes'), Buffer.from([0xff, 0xfe]), { mode: 0o600 });
    expect(read(join(dir, 'bytes'))).toMatchObject({ problem: expect.stringMatching(/not UTF-8/) });
  });

  test('readable by others: refused, warned of, or left to the reader', () => {
    const file = lay('file', 0o644);
    const said = 'found mode 0644, others than its owner may read its passwords; expected 0600';
    expect(read(file, 'refuse')).toEqual({ problem: said, missing: false });
    expect(read(file, 'warn')).toEqual({ text: 'text', exposed: said, warnings: [said] });
    expect(read(file, 'none')).toEqual({ text: 'text', exposed: said, warnings: [] });
  });

  test('one that others may write, and one of another user', () => {
    expect(read(lay('open', 0o622), 'none')).toMatchObject({ problem: expect.stringMatching(/mode 0622/) });
    const foreign = lay('foreign');
    chownSync(foreign, nobody, nobody);
    expect(read(foreign, 'none')).toMatchObject({
      problem: expect.stringMatching(/belongs to uid 65534, expected root/),
    });
  });

  test('folders up to the root, of others or open to them', () => {
    const file = lay('a/b/file');
    chmodSync(join(dir, 'a'), 0o777);
    expect(read(file)).toMatchObject({
      problem: expect.stringContaining(`the folder ${dir}/a has mode 0777`),
    });
    chmodSync(join(dir, 'a'), 0o1777);
    expect(read(file)).toMatchObject({ text: 'text' });
    chownSync(join(dir, 'a/b'), nobody, nobody);
    expect(read(file)).toMatchObject({
      problem: expect.stringContaining(`the folder ${dir}/a/b belongs to`),
    });
  });

  test('a link counts as what it leads to, and so do the folders on its way', () => {
    lay('real/file');
    lay('exposed', 0o666);
    mkdirSync(join(dir, 'links'));
    symlinkSync('../real/file', join(dir, 'links/good'));
    symlinkSync('good', join(dir, 'links/again'));
    symlinkSync(join(dir, 'exposed'), join(dir, 'links/bad'));
    symlinkSync(join(dir, 'links'), join(dir, 'way'));
    expect(read(join(dir, 'way/again'))).toMatchObject({ text: 'text' });
    expect(read(join(dir, 'way/../links/again'))).toMatchObject({ text: 'text' });
    expect(read(join(dir, 'links/bad'))).toMatchObject({ problem: expect.stringMatching(/mode 0666/) });
    chmodSync(join(dir, 'links'), 0o777);
    expect(read(join(dir, 'way/good'))).toMatchObject({
      problem: expect.stringContaining(`${dir}/links has`),
    });
    chmodSync(join(dir, 'links'), 0o755);
    lchownSync(join(dir, 'way'), nobody, nobody);
    expect(read(join(dir, 'way/good'))).toMatchObject({
      problem: expect.stringContaining(`the link ${dir}/way belongs to uid 65534`),
    });
  });

  test('a program, also by a link as Debian has alternatives', () => {
    const program = lay('sbin/agent', 0o755);
    symlinkSync(program, join(dir, 'alternative'));
    expect(programProblem(join(dir, 'alternative'))).toBeNull();
    chmodSync(program, 0o777);
    expect(programProblem(join(dir, 'alternative'))).toMatch(/mode 0777, .*expected 0755/);
    chmodSync(program, 0o755);
    chmodSync(join(dir, 'sbin'), 0o777);
    expect(programProblem(join(dir, 'alternative'))).toMatch(/the folder .*sbin has mode 0777/);
  });
});
