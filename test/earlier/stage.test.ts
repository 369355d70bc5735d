// That the stage itself fits every build: an ordinary death is recovered on it, by silence alone and with a proof. An
// earlier build passes these, and nothing else of this folder.
import { expect } from 'vitest';
import { play } from './stage.ts';

const all = ['vm-1', 'vm-2', 'vm-3'];

play('the stage: a hypervisor dies and is recovered', {}, async (stage) => {
  await stage.watched('hv01', 'hv02', 'vm-1', 'vm-2', 'vm-3', 'other');
  await stage.simulator.kill('hv01');
  await stage.recovered('an ordinary death', all);
});

play('the stage: with fencing it is powered off first', { fenced: ['hv01'] }, async (stage) => {
  await stage.watched('hv01', 'hv02', 'vm-1', 'vm-2', 'vm-3', 'other');
  await stage.simulator.kill('hv01');
  await stage.recovered('an ordinary death', all);
  expect(stage.device('hv01').offs).toBe(1);
});
