// Whose turn it is: who is new at once, and a few times; everybody else once a pass.
import { expect, test } from 'vitest';
import { Rounds, slotsPerPass } from '../../../../src/ns4/baseline/rounds.ts';

const addresses = (count: number, net = 10) =>
  new Set(Array.from({ length: count }, (_, i) => `${net}.0.${i >> 8}.${i & 255}`));
const none = new Set<string>();
const names = (turns: readonly { address: string }[]) => turns.map(({ address }) => address);

test('who is new is asked at once, hosts first, so many in one go', () => {
  const rounds = new Rounds();
  rounds.replace('guest', new Set(['203.0.113.1', '203.0.113.2']));
  rounds.replace('host', new Set(['10.0.0.1', '10.0.0.2']));
  const first = rounds.outOfTurn(0, 3);
  expect(first).toEqual([
    { address: '10.0.0.1', kind: 'host' },
    { address: '10.0.0.2', kind: 'host' },
    { address: '203.0.113.1', kind: 'guest' },
  ]);
  rounds.asked(first, new Set(names(first)), 0);
  expect(names(rounds.outOfTurn(0, 3))).toEqual(['203.0.113.2']);
});

test('who is new and does not answer is asked three times, with a pause', () => {
  const rounds = new Rounds();
  rounds.replace('host', new Set(['10.0.0.1']));
  const asked: number[] = [];
  for (let nowMs = 0; nowMs < 120_000; nowMs += 1_000) {
    const turns = rounds.outOfTurn(nowMs, 10);
    if (turns.length === 0) continue;
    asked.push(nowMs);
    rounds.asked(turns, none, nowMs);
  }
  expect(asked).toEqual([0, 10_000, 20_000]);
});

test('afterwards each has its turn once a pass, and no slot has many more than its share', () => {
  const rounds = new Rounds();
  const all = addresses(3_000);
  rounds.replace('guest', all);
  rounds.asked(rounds.outOfTurn(0, 5_000), all, 0);
  const slots = Array.from({ length: slotsPerPass }, () => names(rounds.nextSlot()));
  expect(slots.flat().sort()).toEqual([...all].sort());
  expect(Math.max(...slots.map((slot) => slot.length))).toBeLessThan(2 * (3_000 / slotsPerPass));
});

test('who left is asked no more, who stays is not new, and a host stays a host', () => {
  const rounds = new Rounds();
  rounds.replace('host', new Set(['10.0.0.1']));
  rounds.replace('guest', new Set(['10.0.0.1', '203.0.113.1', '203.0.113.2']));
  rounds.asked(rounds.outOfTurn(0, 10), addresses(0), 0);
  rounds.replace('guest', new Set(['203.0.113.2', '203.0.113.3']));
  expect(rounds.has('203.0.113.1')).toBe(false);
  expect(rounds.size).toBe(3);
  expect(rounds.outOfTurn(0, 10)).toEqual([{ address: '203.0.113.3', kind: 'guest' }]);
  expect(rounds.outOfTurn(10_000, 10).find(({ address }) => address === '10.0.0.1')?.kind).toBe('host');
});

test('begun anew, everybody is asked at once', () => {
  const rounds = new Rounds();
  const all = addresses(20);
  rounds.replace('host', all);
  rounds.asked(rounds.outOfTurn(0, 100), all, 0);
  expect(rounds.outOfTurn(0, 100)).toEqual([]);
  rounds.beginAnew();
  expect(rounds.outOfTurn(0, 100)).toHaveLength(20);
});
