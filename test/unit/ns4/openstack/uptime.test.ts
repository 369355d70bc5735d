// What a hypervisor's nova-compute tells of its uptime, by which Sonny knows that it was booted since it was cut off.
import { afterEach, expect, it, test } from 'vitest';
import {
  cloudErrorOf,
  type ScriptedAnswer,
  type ScriptedClient,
  scriptedClient,
} from '../../../support/scripted-cloud.ts';

const never = new AbortController().signal;
const words = ' 12:00:01 up 10 days,  3:22,  2 users,  load average: 0.1, 0.1, 0.1';

let client: ScriptedClient | null = null;
afterEach(async () => {
  await client?.close();
});

const hypervisor = (id: string, host: string) => ({
  ...{ id, hypervisor_hostname: `${host}.example`, service: { host }, host_ip: '10.0.0.1', running_vms: 0 },
  ...{ vcpus: 4, vcpus_used: 0, memory_mb: 4_096, memory_mb_used: 0 },
});

async function asked(hypervisors: readonly object[], answer: ScriptedAnswer) {
  client = await scriptedClient(({ path }, count) => {
    if (path.endsWith('/uptime')) return answer;
    return { json: { hypervisors: count === 0 ? hypervisors : [] } };
  });
  return client;
}

const told = (uptime: unknown) => ({ json: { hypervisor: { id: '1', uptime, state: 'up' } } });

it('asks for the hypervisor of the service host, by its id', async () => {
  const { cloud, server } = await asked([hypervisor('2', 'hv02'), hypervisor('1', 'hv01')], told(words));
  expect(await cloud.readUptime('hv01', never)).toBe(words);
  const { path, headers } = server.calls().at(-1) ?? { path: '', headers: {} };
  expect(path).toBe('/compute/v2.1/os-hypervisors/1/uptime');
  // 2.88 has no such question any more.
  expect(headers).toMatchObject({ 'openstack-api-version': 'compute 2.87' });
});

test.each([
  ['its driver does not know', told(null)],
  ['no service is up there', { status: 400, json: { badRequest: { message: 'is unavailable' } } }],
  ['the hypervisor is gone meanwhile', { status: 404, json: { itemNotFound: { message: 'not found' } } }],
  ['its driver cannot tell', { status: 501, json: { notImplemented: { message: 'no such function' } } }],
] as const)('%s: nothing is told', async (_, answer) => {
  const { cloud } = await asked([hypervisor('1', 'hv01')], answer);
  expect(await cloud.readUptime('hv01', never)).toBeNull();
});

test.each([
  ['a host that Nova does not know', [hypervisor('2', 'hv02')]],
  ['a service with several hypervisors', [hypervisor('1', 'hv01'), hypervisor('2', 'hv01')]],
] as const)('%s has no uptime of its own: it is not asked for', async (_, hypervisors) => {
  const { cloud, server } = await asked(hypervisors, told(words));
  expect(await cloud.readUptime('hv01', never)).toBeNull();
  expect(server.calls().filter(({ path }) => path.endsWith('/uptime'))).toEqual([]);
});

it('what makes no sense is an error, as is a refusal', async () => {
  const { cloud } = await asked([hypervisor('1', 'hv01')], told(5));
  expect((await cloudErrorOf(cloud.readUptime('hv01', never))).message).toContain('makes no sense');
  await client?.close();
  const refused = { status: 403, json: { forbidden: { message: "Policy doesn't allow it." } } };
  const other = await asked([hypervisor('1', 'hv01')], refused);
  expect(await cloudErrorOf(other.cloud.readUptime('hv01', never))).toMatchObject({ status: 403 });
});
