// The example fence agent on a real Ceph: does a host that it proved to be cut off write on?
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cephLab, lab } from '../support/ceph-lab.ts';

const program = resolve('docs/examples/fence_ceph_blocklist');
const rounds = Number(process.env.ROUNDS ?? 10);

describe.skipIf(cephLab === undefined)('fence_ceph_blocklist', () => {
  test('no write is acknowledged after its proof', { timeout: rounds * 15_000 }, async () => {
    const said = await lab('agent', program, '--rounds', String(rounds));
    expect(said).toContain(`${rounds} rounds: ${rounds} proofs, 0 of them false`);
  });

  test('no proof while an OSD hangs', async () => {
    const said = await lab('agent', program, '--rounds', '3', '--hang', '--option', 'timeout=5');
    expect(said).toContain('3 rounds: 0 proofs, 0 of them false');
  });
});
