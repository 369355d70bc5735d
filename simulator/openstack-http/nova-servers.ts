// Nova's servers: lists, single ones, and the actions.
import { setTimeout as delay } from 'node:timers/promises';
import { isHidden, needCell } from '../world/cells.ts';
import { evacuate } from '../world/evacuation.ts';
import { changePower, isPowerAction, reboot } from '../world/instance-power.ts';
import { remove } from '../world/instances.ts';
import type { Instance } from '../world/model.ts';
import { ApiRefusal } from '../world/refusal.ts';
import { serverStatus } from '../world/status.ts';
import { type Answer, type Call, isRecord, jsonBody, type Route } from './call.ts';
import { serverView } from './nova-server-view.ts';
import { novaVersion } from './nova-version.ts';
import type { HttpWorld } from './options.ts';
import { cutPage } from './paging.ts';

/** The routes below /v2.1/servers. */
export function serverRoutes(world: HttpWorld): Route[] {
  return [
    { method: 'GET', path: /^\/servers\/detail$/, handle: (call) => list(world, call, true) },
    { method: 'GET', path: /^\/servers$/, handle: (call) => list(world, call, false) },
    {
      method: 'GET',
      path: /^\/servers\/([^/]+)$/,
      handle: async (call, id) => {
        const instance = world.requestedInstance(id ?? '');
        await needNeutron(world);
        return {
          status: 200,
          body: { server: serverView(world, instance, novaVersion(call), call.url.origin) },
        };
      },
    },
    {
      method: 'DELETE',
      path: /^\/servers\/([^/]+)$/,
      handle: (_call, id) => {
        remove(world, world.requestedInstance(id ?? ''));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: /^\/servers\/([^/]+)\/action$/,
      handle: (call, id) => act(world, call, id ?? ''),
    },
  ];
}

/** Nova asks Neutron for the security groups of every server it shows. */
async function needNeutron(world: HttpWorld): Promise<void> {
  if (!world.stopped.has('neutron')) return;
  await delay(world.settings.durations.neutronAwayMs);
  throw new ApiRefusal(
    500,
    "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.\n<class 'keystoneauth1.exceptions.connection.ConnectFailure'>",
  );
}

async function list(world: HttpWorld, call: Call, detail: boolean): Promise<Answer> {
  const { query } = call;
  const everyone = ['1', 'true', ''].includes((query.get('all_tenants') ?? 'no').toLowerCase());
  const wanted = world.instances.filter(
    (instance) =>
      (everyone || instance.projectId === world.projects[0]?.id) &&
      matches(instance, query) &&
      // Up to 2.68 what is in a cell that does not answer is not told at all.
      (novaVersion(call) >= 69 || !isHidden(world, instance)),
  );
  // Newest first, as by created_at and id descending.
  wanted.sort((a, b) => b.number - a.number);
  const page = cutPage(call, wanted, (instance) => instance.id);
  if (detail && page.items.length > 0) await needNeutron(world);
  const servers = page.items.map((instance) =>
    detail
      ? serverView(world, instance, novaVersion(call), call.url.origin)
      : { id: instance.id, name: instance.name, links: [] },
  );
  return { status: 200, body: { servers, ...(page.links === null ? {} : { servers_links: page.links }) } };
}

function matches(instance: Instance, query: URLSearchParams): boolean {
  const is = (name: string, value: string | null): boolean =>
    query.get(name) === null || query.get(name) === value;
  const name = query.get('name');
  return (
    is('host', instance.host) &&
    is('node', instance.node) &&
    is('tenant_id', instance.projectId) &&
    is('project_id', instance.projectId) &&
    (query.get('status') ?? serverStatus(instance)).toUpperCase() === serverStatus(instance) &&
    (name === null || new RegExp(name).test(instance.name))
  );
}

async function act(world: HttpWorld, call: Call, id: string): Promise<Answer> {
  const instance = world.requestedInstance(id);
  needCell(world, instance.host);
  const [[action, given] = ['', null], ...more] = Object.entries(jsonBody(call));
  if (action === '' || more.length > 0) throw new ApiRefusal(400, 'Malformed request body');
  if (action === 'lock' || action === 'unlock') {
    instance.locked = action === 'lock';
    return { status: 202 };
  }
  if (action === 'evacuate') {
    const order = evacuateOrder(given, novaVersion(call));
    evacuate(world, instance, order.host, order.force);
    // The state has changed by now; without RabbitMQ the request itself gets no answer.
    await untilMessaging(world, call);
    return novaVersion(call) < 14 ? { status: 200, body: { adminPass: 'simulated' } } : { status: 200 };
  }
  if (action === 'reboot') {
    const type = isRecord(given) ? String(given.type).toUpperCase() : '';
    if (type !== 'HARD' && type !== 'SOFT') {
      throw new ApiRefusal(
        400,
        "Invalid input for field/attribute type. Value: None. 'type' is a required property",
      );
    }
    reboot(world, instance, type);
  } else if (isPowerAction(action)) {
    changePower(world, instance, action);
  } else throw new ApiRefusal(400, `There is no such action: ${action}`);
  await untilMessaging(world, call);
  return { status: 202 };
}

/** Until RabbitMQ takes messages: a request that must send one gives no answer before. */
async function untilMessaging(world: HttpWorld, { gone }: Call): Promise<void> {
  while (world.stopped.has('rabbitmq')) await delay(20, undefined, { signal: gone });
}

/** The body of evacuate by microversion; what it may hold changed at 2.14, 2.29 and 2.68. */
function evacuateOrder(given: unknown, version: number): { host: string | null; force: boolean } {
  if (!isRecord(given)) throw new ApiRefusal(400, 'Malformed request body');
  const allowed = ['host', 'adminPass'];
  if (version < 14) {
    allowed.push('onSharedStorage');
    if (given.onSharedStorage === undefined) {
      throw new ApiRefusal(
        400,
        "Invalid input for field/attribute evacuate. 'onSharedStorage' is a required property",
      );
    }
  }
  if (version >= 29 && version < 68) allowed.push('force');
  const odd = Object.keys(given).find((name) => !allowed.includes(name));
  if (odd !== undefined) {
    throw new ApiRefusal(
      400,
      `Invalid input for field/attribute evacuate. Value: ${JSON.stringify(given)}. Additional properties are not allowed ('${odd}' was unexpected)`,
    );
  }
  const host = typeof given.host === 'string' ? given.host : null;
  if (given.force === true && host === null) {
    throw new ApiRefusal(400, "Can't force to a non-provided destination");
  }
  return { host, force: given.force === true };
}
