// What a refresh reads, beside the truth of that moment.
import { isCellDown } from '../../../simulator/world/cells.ts';
import type { Host } from '../../../simulator/world/model.ts';
import { answeredAtMs, isSeen } from '../../../simulator/world/ovn.ts';
import { isServiceUp, surelyUnheardMs, unheardMs } from '../../../simulator/world/reports.ts';
import type { Hosts, Servers } from '../../../src/shared/documents/inventory.ts';
import type { World } from '../world/world.ts';

export interface Inventory {
  readonly hosts: Hosts;
  readonly servers: Servers | null;
}

export interface Read {
  readonly atMs: number;
  readonly inventory: Inventory;
  /** For how long nobody of the control plane had heard each host, in truth: at most, and surely. */
  readonly silentMs: ReadonlyMap<string, number>;
  readonly surelySilentMs: ReadonlyMap<string, number>;
  /** Hosts of cells that did not answer from its beginning to its end. */
  readonly hidden: ReadonlySet<string>;
}

/** The truth as a refresh begins; to be called with what it made of it. */
export function beginRead(world: World): (inventory: Inventory) => Read {
  const hosts = [...world.hosts.values()];
  const of = (ask: (world: World, host: Host) => number) =>
    new Map(hosts.map((host) => [host.name, ask(world, host)]));
  const truth = { atMs: world.nowMs, silentMs: of(unheardMs) };
  const [before, down] = [of(surelySilentMs), hosts.filter((host) => isCellDown(world, host))];
  return (inventory) => {
    const seenMs = sinceBeatWasSeenMs(world);
    // Whoever reported while it read may be in the answer: he is not surely silent any more.
    const surely = [...of(surelySilentMs)].map(([host, ms]) => {
      const unseenMs = seenMs.get(host) ?? Number.POSITIVE_INFINITY;
      return [host, Math.min(ms, before.get(host) ?? 0, unseenMs)] as const;
    });
    return {
      ...{ ...truth, inventory, surelySilentMs: new Map(surely) },
      hidden: new Set(down.filter((host) => isCellDown(world, host)).map(({ name }) => name)),
    };
  };
}

interface SeenBeat {
  readonly answeredAtMs: number;
  readonly seenAtMs: number;
}
const seenBeats = new WeakMap<World, Map<string, SeenBeat>>();

/**
 * How long ago a read first saw the newest beat of each host. A beat of OVN is known by having moved since the look
 * before, and counts as of the look that sees it: where nobody looked for a minute nobody can know how old it is.
 */
function sinceBeatWasSeenMs(world: World): ReadonlyMap<string, number> {
  if (world.ovn?.era !== 'beat') return new Map();
  const seen = seenBeats.get(world) ?? new Map<string, SeenBeat>();
  seenBeats.set(world, seen);
  for (const host of world.hosts.values()) {
    const beatMs = answeredAtMs(world, host);
    if (seen.get(host.name)?.answeredAtMs !== beatMs)
      seen.set(host.name, { answeredAtMs: beatMs, seenAtMs: world.nowMs });
  }
  return new Map([...seen].map(([host, { seenAtMs }]) => [host, world.nowMs - seenAtMs]));
}

/** Chassis answer one ping within this. */
const samePingMs = 2_000;

/**
 * While nobody can answer OVN any more, as its databases are away or all are cut off, nobody misses a ping: who answered
 * the last one that anybody did counts as heard for two heartbeat periods, unless Nova calls his service down.
 */
function surelySilentMs(world: World, host: Host): number {
  const novaMs = surelyUnheardMs(world, host);
  const hosts = [...world.hosts.values()];
  if (world.ovn?.era !== 'beat' || hosts.some((other) => isSeen(world, other))) return novaMs;
  const answeredMs = answeredAtMs(world, host);
  const newestMs = Math.max(...hosts.map((other) => answeredAtMs(world, other)));
  if (answeredMs < newestMs - samePingMs || !isServiceUp(world, host)) return novaMs;
  return Math.min(novaMs, (world.nowMs - answeredMs) / 2);
}
