// Job `survey-senses`: whom too few senses could tell dead, from the stored inventory and what was heard so far.

import { externalAddresses, type Server } from '../../shared/documents/inventory.ts';
import type { Handlers } from '../../shared/documents/jobs/contracts.ts';
import { mostUnjudged, type Unjudged } from '../../shared/documents/jobs/survey-senses.ts';
import { groupBy } from '../../shared/ground/group-by.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { InventoryStore } from '../../shared/picture/store.ts';
import { standingOf } from '../../shared/rules/guests.ts';
import { heardWithinMs, pastOf } from '../../shared/rules/senses/baseline.ts';
import { type Ears, tooFewSenses } from '../../shared/rules/senses/enough.ts';
import type { HeardByAny } from '../baseline/heard-by-any.ts';
import type { Answered } from '../disks/opened-store.ts';
import type { WorkerParts } from './worker-parts.ts';

/** One launched later may not have been asked yet, or is booting. */
const youngMs = 600_000;

interface Means {
  readonly inventory: Pick<InventoryStore, 'readThrough'>;
  readonly heardByAny: HeardByAny;
  readonly opened: WorkerParts['opened'];
  readonly nowMs: number;
  readonly rules: { readonly heartbeatPeriodMs: number; readonly isProven: boolean };
}

/** A guest that could testify, by its addresses and its disks. */
interface Guest {
  readonly id: string;
  readonly host: string;
  readonly addresses: readonly string[];
  /** Null: Nova does not tell. */
  readonly launchedAtMs: number | null;
}

export function surveySensesHandler(parts: WorkerParts): Handlers['survey-senses'] {
  const { inventory, heardByAny, opened, clock, settings } = parts;
  return async ({ isProven }) => {
    const { heartbeatPeriodMs } = settings.monitor;
    const rules = { heartbeatPeriodMs, isProven };
    const found = await surveySenses({ inventory, heardByAny, opened, nowMs: clock.nowMs(), rules });
    if (found === null) return { ok: false, detail: 'there is no inventory yet' };
    const { unjudged, of } = found;
    return { ok: true, unjudged: unjudged.slice(0, mostUnjudged), count: unjudged.length, of };
  };
}

/** Null: nothing was collected yet. `of`: hypervisors with instances. */
export async function surveySenses(means: Means): Promise<{ unjudged: Unjudged[]; of: number } | null> {
  const { inventory, nowMs, rules } = means;
  let guests: Guest[] = [];
  const picture = await inventory.readThrough(() => {
    guests = [];
    return (servers) => {
      for (const server of servers) guests.push(...guestOf(server));
    };
  });
  if (picture === null || picture.serversCollectedAtMs === null) return null;
  const ears = await listenBack(picture, guests, means);
  return {
    unjudged: tooFewSenses(picture, ears, nowMs, rules),
    of: picture.hypervisors.filter((h) => picture.instancesOn(h.host) > 0).length,
  };
}

function guestOf(server: Server): Guest[] {
  const { id, host, launchedAtMs } = server;
  if (host === null || standingOf(server).tells !== 'testifies') return [];
  const addresses = externalAddresses(server).map(({ address }) => address);
  return [{ id, host, addresses, launchedAtMs }];
}

/** What was heard of each host and of its guests. */
async function listenBack(
  picture: Picture,
  guests: readonly Guest[],
  { heardByAny, opened, nowMs }: Means,
): Promise<(host: string) => Ears> {
  const ofHosts = picture.hypervisors.flatMap(({ address }) => address ?? []);
  const heard = await heardByAny([...new Set([...ofHosts, ...guests.flatMap(({ addresses }) => addresses)])]);
  const open = (await opened?.of(guests.map(({ id }) => id))) ?? new Map<string, Answered>();
  const hasAnswered = ({ id, host, launchedAtMs }: Guest) => {
    const answered = open.get(id);
    return answered?.host === host && answered.atMs >= Math.max(launchedAtMs ?? 0, nowMs - heardWithinMs);
  };
  const byHost = groupBy(guests, ({ host }) => host);
  const past = ({ id: name, addresses, launchedAtMs }: Guest) => {
    const target = { name, kind: 'guest', heardSinceMs: launchedAtMs ?? undefined } as const;
    return pastOf(
      target,
      addresses.flatMap((address) => heard.get(address) ?? []),
      nowMs,
    );
  };
  return (host) => {
    const on = byHost.get(host) ?? [];
    const pasts = on.map(past);
    const address = picture.hypervisor(host)?.address ?? null;
    const ofPorts = (address === null ? undefined : heard.get(address)) ?? [];
    return {
      hasHeardPorts: pastOf({ name: host, kind: 'host' }, ofPorts, nowMs) === 'heard',
      guestsHeard: pasts.filter((one) => one === 'heard').length,
      guestsGoneMute: pasts.filter((one) => one === 'gone-mute').length,
      guestsAsked: on.filter(({ addresses }) => addresses.length > 0).length,
      disksHeard: on.filter(hasAnswered).length,
      isYoung: on.some(
        ({ addresses, launchedAtMs }) =>
          (addresses.length > 0 || opened !== null) && nowMs - (launchedAtMs ?? 0) < youngMs,
      ),
    };
  };
}
