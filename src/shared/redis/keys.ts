// Every Redis name of a cloud in one place: database number, keys, queue prefix, channel.
import { createHash } from 'node:crypto';
import type { ProcessName } from '../config/keys/key.ts';

/**
 * The database of a cloud by the original's rule: int(sha256(cloud), 16) mod 15 + 1. Two clouds may share a number
 * (defect 11 of the original), which is why every key carries the cloud's name as well.
 */
export function databaseNumber(cloud: string): number {
  const digest = createHash('sha256').update(cloud).digest('hex');
  return Number(BigInt(`0x${digest}`) % 15n) + 1;
}

/** The names of one cloud. The braces are a hash tag: on a Redis cluster all keys of a cloud share a slot. */
export interface Keys {
  readonly prefix: string;
  /** The inventory: hosts, how many instances are on each, and (by generation) the servers; see picture/store.ts. */
  readonly hosts: string;
  readonly instances: string;
  /** All servers in one document, as an earlier version kept them. */
  readonly oldServers: string;
  readonly events: string;
  readonly monitorState: string;
  /** How the monitor stands, for whoever is asked; see documents/status.ts. */
  readonly status: string;
  /** Who leads, with an expiry; the epoch of the last take-over; who stands by. See monitor/lease.ts. */
  readonly monitorLease: string;
  readonly monitorEpoch: string;
  readonly monitorStandby: string;
  /**
   * Which job may work at which recovery; see assignments.ts. Its name is older: an ns4 of the last version asks it
   * too.
   */
  readonly assignments: string;
  /**
   * Vantage points of scans that are alive, a sorted set by the time at which each runs out; see
   * src/shared/vantage-points.
   */
  readonly vantagePoints: string;
  /** Orders of operators to the monitor, a list. */
  readonly orders: string;
  /** How far the sonny that posts to Slack has read the stream, and how far one that tells a terminal has. */
  readonly relayCursor: string;
  readonly terminalCursor: string;
  /** Written to see whether Redis takes writes of this process, and gone at once: below what its user may write. */
  readonly probes: Readonly<Record<ProcessName, string>>;
  /** Pub/sub channel: the cloud's name, as in the original. Channels are not per database. */
  readonly channel: string;
  /** A hash: service host to its servers, as one refresh read them. */
  servers(generation: string): string;
  /**
   * The journal of a recovery, by its id. Its name and those of the next two are older: a version before reads them
   * too.
   */
  journal(id: string): string;
  /** What a vantage point heard: a hash, address to when it answered last (ms); see ns4/baseline. */
  heard(vantagePoint: string): string;
  /** Whose disks answered: a hash, instance to when, where and which; see ns4/disks. */
  readonly opened: string;
  /** From which addresses hypervisors open disks: a hash, "ADDRESS HOST" to the first and last sight (ms). */
  readonly storageAddresses: string;
  /** Whom Sonny cut off from Ceph: a hash, service host to when and at which addresses; see ns4/disks. */
  readonly cutOff: string;
  /** Whom a scan was asked of, by its job's id; runs out by itself. */
  quorumScan(id: string): string;
  /** Id of the open journal of a host. */
  openJournal(host: string): string;
  /** Who works at the recovery of a host, or onto it, now. */
  lock(host: string): string;
  /** Which open recovery fills a host, whether or not anybody works at it now. */
  targetClaim(host: string): string;
  /** An operator's confirmation that a host is off; expires. */
  fenceConfirmation(host: string): string;
  /** What became of the attempts to power a host off in its present incident. */
  fenceShots(host: string): string;
  /** Who else answered when a host was told `off`, and who of them fell silent. */
  fenceBystanders(host: string): string;
  /** An order to power a host off through another vantage point: open or taken; runs out by itself. */
  fenceOrder(id: string): string;
}

export function keysOf(cloud: string): Keys {
  const prefix = `sonny:{${cloud}}`;
  return {
    prefix,
    hosts: `${prefix}:inventory:hosts`,
    instances: `${prefix}:inventory:instances`,
    oldServers: `${prefix}:inventory:servers`,
    events: `${prefix}:events`,
    monitorState: `${prefix}:monitor:state`,
    status: `${prefix}:status`,
    monitorLease: `${prefix}:monitor:lease`,
    monitorEpoch: `${prefix}:monitor:epoch`,
    monitorStandby: `${prefix}:monitor:standby`,
    assignments: `${prefix}:mandate`,
    vantagePoints: `${prefix}:eyes`,
    orders: `${prefix}:monitor:orders`,
    relayCursor: `${prefix}:sonny:cursor`,
    terminalCursor: `${prefix}:sonny:cursor:terminal`,
    probes: {
      ns4: `${prefix}:inventory:probe`,
      monitor: `${prefix}:monitor:probe`,
      sonny: `${prefix}:sonny:probe`,
    },
    channel: cloud,
    servers: (generation) => `${prefix}:inventory:servers:${generation}`,
    opened: `${prefix}:disks:opened`,
    storageAddresses: `${prefix}:disks:addresses`,
    cutOff: `${prefix}:disks:cut-off`,
    heard: (vantagePoint) => `${prefix}:heard:${vantagePoint}`,
    quorumScan: (id) => `${prefix}:quorum-scan:${id}`,
    journal: (id) => `${prefix}:incident:${id}`,
    openJournal: (host) => `${prefix}:open-incident:${host}`,
    lock: (host) => `${prefix}:incident-owner:${host}`,
    targetClaim: (host) => `${prefix}:target-of:${host}`,
    fenceConfirmation: (host) => `${prefix}:fence-confirmed:${host}`,
    fenceShots: (host) => `${prefix}:fence-shots:${host}`,
    fenceBystanders: (host) => `${prefix}:fence-bystanders:${host}`,
    fenceOrder: (id) => `${prefix}:fence-order:${id}`,
  };
}
