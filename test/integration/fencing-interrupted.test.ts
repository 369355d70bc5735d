// A device that takes its time, with the compiled processes: whoever waits for it keeps the recovery; whoever dies at
// it is replaced, and the next one does not shoot whoever may have been switched on since.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PretendDevice } from '../support/pretend-device.ts';
import { SmallCloud } from '../support/small-cloud.ts';

/** Beyond the lock of a job (5 s) and the lock on a recovery (8 s). */
const timeout = 9;

let small: SmallCloud;
let bmc: PretendDevice;
beforeEach(async () => {
  small = await SmallCloud.open({ FENCING: { mode: 'required', hosts: 'fencing.yaml', timeout } });
  bmc = new PretendDevice(join(small.household.dir, 'bmc'));
  writeFileSync(
    join(small.household.dir, 'fencing.yaml'),
    `hosts:\n  hv01: {levels: [{agent: ${bmc.program}}]}\n`,
    { mode: 0o600 },
  );
});
afterEach(async () => {
  await small.close();
});

test('a device that hangs for longer than any lock keeps its worker; a worker killed at it is replaced, and nobody shoots a host that may boot', async () => {
  bmc.behave('hangs');
  const first = small.household.start('ns4', '-vv');
  small.household.start('monitor', '-vv');
  await small.watched();
  await small.simulator.kill('hv01');
  const refused = await small.household.waitForEvent(
    (e) => e.facts.kind === 'refused' && e.facts.refusal.name === 'fence-failed',
    40_000,
  );
  expect(refused.text).toMatch(/^hv01 is not proven to be off: level 1, \S+fence_pretend: timed out/);
  const said = (await small.household.events()).map((e) => e.facts.kind);
  expect(said).not.toContain('recovery-continued');

  // The monitor's next round has begun.
  const offs = bmc.offs;
  while (bmc.offs === offs) await delay(50);
  small.household.start('ns4', '-vv');
  await delay(1_500);
  await first.signal('SIGKILL');
  const killedAtMs = Date.now();
  bmc.endHanging();
  bmc.behave('honest');
  // What the first one's shot did is not known, and the device shows the host on: it may have been switched on since.
  const again = await small.household.waitForEvent(
    (e) => e.facts.kind === 'refused' && JSON.stringify(e.facts).includes('not-again'),
    40_000,
  );
  expect(Date.now() - killedAtMs).toBeLessThan(40_000);
  expect(again.text).toMatch(/told off at .*; now: /);
  expect(bmc.offs).toBe(offs + 1);
  const word = small.household.start('ns4', '--confirm-fenced', 'hv01', '--yes');
  expect(await word.exited, word.output).toBe(0);
  expect((await small.ended()).text).toContain('all 3 affected instances are back');
  expect(bmc.offs).toBe(offs + 2);
  small.expectRecoveredOnce();
  const attempts = (await small.household.events()).filter((e) => e.facts.kind === 'recovery-continued');
  expect(attempts).toHaveLength(1);
  expect(bmc.isOn).toBe(false);
}, 90_000);
