// The example fence agent on a real Ceph: does a host that it proved to be cut off write on?
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cephLab, lab } from '../support/ceph-lab.ts';

const program = resolve('docs/examples/fence_ceph_blocklist');
const rounds = Number(process.env.ROUNDS ?? 10);
const hangingRounds = Number(process.env.HANGING_ROUNDS ?? 3);
/** Also for few rounds: what is broken off goes on, and blocks the writers of whoever comes next. */
const startMs = 120_000;

describe.skipIf(cephLab === undefined)('fence_ceph_blocklist', () => {
  test('no write is acknowledged after its proof', { timeout: startMs + rounds * 15_000 }, async () => {
    const said = await lab('agent', program, '--rounds', String(rounds));
    expect(said).toContain(`${rounds} rounds: ${rounds} proofs, 0 of them false`);
  });

  test('no proof while an OSD hangs', { timeout: startMs + hangingRounds * 60_000 }, async () => {
    const hanging = ['--rounds', String(hangingRounds), '--hang', '--option', 'timeout=5'];
    const said = await lab('agent', program, ...hanging);
    expect(said).toContain(`${hangingRounds} rounds: 0 proofs, 0 of them false`);
  });
});
