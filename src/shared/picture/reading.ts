// How a picture is read from wherever the inventory is stored: the hosts first, then the servers of those hosts that
// the reader wants, all of one generation.
import type { Hosts, InstanceCounts, Server } from '../documents/inventory.ts';
import { OperationalError } from '../ground/errors.ts';
import { Picture } from './picture.ts';

/** What is read with one command, when the servers of many hosts are. */
export const hostsPerPiece = 50;

export interface InventoryHead {
  readonly hosts: Hosts;
  /** Null: no servers were ever listed. */
  readonly counts: InstanceCounts | null;
}

/** Where an inventory is stored. */
export interface InventorySource {
  /** Hosts and counts as of one moment; null when there is none yet. */
  head(): Promise<InventoryHead | null>;
  /**
   * The servers of these hosts, an empty list for a host without.
   * @throws GenerationGoneError when the generation is not stored any more
   */
  servers(generation: string, hosts: readonly string[]): Promise<ReadonlyMap<string, readonly Server[]>>;
}

/** The servers that a head names are gone: another refresh replaced them some time ago, or Redis lost them. */
export class GenerationGoneError extends OperationalError {}

/** Which servers a reader needs beside the hosts. */
export interface ServersWanted {
  /** All of these hosts. */
  readonly hosts: readonly string[];
  /** Then those of further hosts, piece by piece, until there are enough. */
  readonly sample: readonly (readonly string[])[];
  /** Asked before each piece, with what was read so far. */
  enough(picture: Picture): boolean;
}

export const noServers: ServersWanted = { hosts: [], sample: [], enough: () => true };

/**
 * The picture with the wanted servers; null when there is no inventory yet.
 * @throws OperationalError when what is stored is not understood, or its servers are gone
 */
export function readPicture(
  source: InventorySource,
  wants: (picture: Picture) => ServersWanted,
): Promise<Picture | null> {
  return onOneGeneration(source, async ({ hosts, counts }) => {
    const read = new Map<string, readonly Server[]>();
    const picture = new Picture(hosts, counts, read);
    if (counts === null) return picture;
    const wanted = wants(picture);
    const take = async (piece: readonly string[]) => {
      for (const [host, servers] of await source.servers(counts.generation, piece)) read.set(host, servers);
    };
    for (const piece of inPieces(wanted.hosts)) await take(piece);
    for (const piece of wanted.sample) {
      if (wanted.enough(picture)) break;
      await take(piece);
    }
    return picture;
  });
}

/**
 * Shows every server once, a piece at a time, and keeps none; the picture is the one they belong to. `begin` is called
 * again when another beginning had to be made.
 * @throws as readPicture
 */
export function readThrough(
  source: InventorySource,
  begin: (picture: Picture) => (servers: readonly Server[]) => void,
): Promise<Picture | null> {
  return onOneGeneration(source, async ({ hosts, counts }) => {
    const picture = new Picture(hosts, counts, new Map());
    const show = begin(picture);
    if (counts === null) return picture;
    for (const piece of inPieces(picture.hostsWithInstances))
      show([...(await source.servers(counts.generation, piece)).values()].flat());
    return picture;
  });
}

/** Reads by one head; by another one when its generation went away meanwhile, once. */
async function onOneGeneration<T>(
  source: InventorySource,
  read: (head: InventoryHead) => Promise<T>,
): Promise<T | null> {
  for (let isLast = false; ; isLast = true) {
    const head = await source.head();
    if (head === null) return null;
    try {
      return await read(head);
    } catch (error) {
      if (!(error instanceof GenerationGoneError) || isLast) throw error;
    }
  }
}

function inPieces(hosts: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(hosts.length / hostsPerPiece) }, (_, i) =>
    hosts.slice(i * hostsPerPiece, (i + 1) * hostsPerPiece),
  );
}
