// `ns4 --senses` on the compiled processes: what each sense says of a cloud that is well, of a host that lost its power,
// and of a guest that nobody ever heard; and the monitor that names whom nobody could tell dead.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../support/processes.ts';
import { SmallCloud } from '../support/small-cloud.ts';

let small: SmallCloud;
let monitor: Running;

beforeAll(async () => {
  small = await SmallCloud.open();
  small.household.start('ns4');
  monitor = small.household.start('monitor');
  await small.watched();
});
afterAll(() => small?.close());

interface Shown {
  readonly host: string;
  readonly heartbeat: string;
  readonly senses: readonly { name: string; says: string; why: string }[];
  readonly tooFew: { reason: string } | null;
}

async function command(...args: string[]): Promise<{ code: number | null; output: string }> {
  const running = small.household.start('ns4', ...args);
  const code = await running.exited;
  return { code, output: running.output };
}

async function shown(...args: string[]): Promise<Map<string, Shown>> {
  const { code, output } = await command('--senses', ...args, '--json');
  expect(code, output).toBe(0);
  const { hypervisors } = JSON.parse(output) as { hypervisors: Shown[] };
  return new Map(hypervisors.map((one) => [one.host, one]));
}
const says = (one: Shown | undefined, name: string) => one?.senses.find((sense) => sense.name === name)?.says;

test('all is well: every sense that can tell says alive', async () => {
  const hosts = await shown();
  expect([...hosts.keys()]).toEqual(['hv01', 'hv02', 'hv03', 'hv04']);
  for (const name of ['agents', 'nova-report', 'host-ports', 'guest-addresses'])
    expect(says(hosts.get('hv01'), name), name).toBe('alive');
  expect(says(hosts.get('hv01'), 'ovn')).toBe('cannot-tell');
  expect(hosts.get('hv01')?.tooFew).toBeNull();
});

test('as a table, and of one host in words', async () => {
  const { output } = await command('--senses', 'hv01');
  expect(output).toContain('HYPERVISOR  agents');
  expect(output).toContain(
    'hv01  the addresses of its instances: 3 of 3 instances answer ("vm-1", "vm-2", "vm-3")',
  );
  const wrong = await command('--senses', 'hv99');
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain('hv99 is no hypervisor of simulated');
});

test('a host without power is silent to each of them', async () => {
  await monitor.signal('SIGTERM');
  await small.simulator.happen('hv01 loses its power');
  for (let i = 0; i < 40; i += 1) {
    const one = (await shown('hv01')).get('hv01');
    if (
      ['agents', 'nova-report', 'host-ports', 'guest-addresses'].every((name) => says(one, name) === 'silent')
    )
      return;
  }
  expect((await shown('hv01')).get('hv01')).toBe('silent to all');
}, 60_000);
