// By what a host could be proven dead, from what its fence levels said.
import { expect, test } from 'vitest';
import { type LevelWord, proofToday, whyNotCutOff } from '../../../../src/ns4/commands/proof-today.ts';

const word = (change: Partial<LevelWord> = {}): LevelWord => ({
  ...{ kind: 'device', well: true, isOff: false },
  ...change,
});
const away = word({ well: false });
const off = word({ isOff: true });
const ceph = word({ kind: 'ceph' });
const listener = word({ kind: 'listener' });
const required = (...levels: LevelWord[]) => proofToday({ mode: 'required', levels });

test.each<[string, ReturnType<typeof proofToday>, string | RegExp]>([
  ['a device that answers', required(word()), 'device'],
  ['the second of two', required(away, word()), 'device'],
  ['the first of two kinds counts', required(ceph, word()), 'ceph'],
  ['a device that is away, then ceph', required(away, ceph), 'ceph'],
  ['fence_kdump before a device', required(listener, word()), 'device'],
  ['fence_kdump alone', required(listener), /only listen/],
  ['no level', required(), /no fence level.*--confirm-fenced/],
  ['all are away', required(away, away), /no fence level that can be asked/],
  ['off, though it lives', required(off), /off already, though it lives/],
  ['off, though it lives, and another level', required(off, word()), 'device'],
  ['told by another ns4', proofToday({ mode: 'required', levels: null }), 'elsewhere'],
  ['nothing is demanded', proofToday({ mode: 'none', levels: [] }), 'silence'],
  ['with [CEPH]', proofToday({ mode: 'none', levels: [], notCutOff: null }), 'cut-off'],
  ['with [CEPH], and no address is known', proofToday({ mode: 'none', levels: [], notCutOff: 'x' }), /^x$/],
  [
    'a device proves it off, so that it need not be cut off',
    proofToday({ mode: 'required', levels: [word()], notCutOff: 'x' }),
    'device',
  ],
])('%s', (_, proof, expected) => {
  if (typeof expected === 'string') expect(proof).toEqual({ by: expected });
  else expect(proof).toEqual({ by: null, why: expect.stringMatching(expected) });
});

test('no disk of it is on this Ceph: it is evacuated without an address that could be blocked', () => {
  for (const shared of [[], ['10.2.0.1']]) {
    const notCutOff = whyNotCutOff({ own: [], shared }, true);
    expect(proofToday({ mode: 'none', levels: [], notCutOff })).toEqual({ by: 'silence' });
  }
  const own = { own: ['10.2.0.1'], shared: [] };
  expect(whyNotCutOff(own, true)).toBeNull();
});

test.each([
  ['an address of its own', ['10.2.0.1'], [], null],
  ['none', [], [], /not known from which address it alone/],
  ["one of its own, and another's", ['10.3.0.1'], ['10.2.0.1'], /other hypervisors.*10\.2\.0\.1 as well/],
])('cut off from Ceph by %s', (_, own, shared, why) => {
  const found = whyNotCutOff({ own, shared }, false);
  if (why === null) expect(found).toBeNull();
  else expect(found).toMatch(why);
});
