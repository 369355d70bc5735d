// A further ear on the own network segment: who answers ARP (or neighbour discovery) lives, whatever his firewall drops.
// The kernel's neighbour table tells it; as root the entries that are older than the scan are asked for anew.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Clock } from '../../shared/ground/clock.ts';

/** Who of some addresses is on the own segment and has answered. */
export interface Neighbours {
  /**
   * Those that answered ARP since `sinceMs` (steady time). Never rejects but with the signal's reason: without `ip`, or
   * the right to ask, it is nobody.
   */
  answering(addresses: readonly string[], sinceMs: number, signal: AbortSignal): Promise<ReadonlySet<string>>;
}

const entriesSchema = z.array(
  z.object({
    dst: z.string(),
    dev: z.string(),
    lladdr: z.string().optional(),
    /** Whole seconds since the neighbour was last known to be there. */
    confirmed: z.number().optional(),
    state: z.array(z.string()).default([]),
  }),
);
export type Entry = z.infer<typeof entriesSchema>[number];

/** More are not asked for anew in one scan. */
const mostAsked = 256;
/** An answer on a segment takes milliseconds; one that is lost is asked for again after a second. */
const pausesMs = [200, 1_100];
const commandMs = 2_000;

export class KernelNeighbours implements Neighbours {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async answering(addresses: readonly string[], sinceMs: number, signal: AbortSignal): Promise<Set<string>> {
    const found = new Set<string>();
    const look = async (fromMs: number) => {
      const entries = await listed(signal);
      for (const address of confirmedSince(entries, addresses, this.#clock.steadyMs() - fromMs))
        found.add(address);
      return entries;
    };
    try {
      const entries = await look(sinceMs);
      const doubtful = entries.filter((entry) => !found.has(entry.dst) && isDoubtful(entry, addresses));
      if (doubtful.length === 0 || process.geteuid?.() !== 0) return found;
      const askedAtMs = this.#clock.steadyMs();
      const lines = doubtful
        .slice(0, mostAsked)
        .map(({ dst, dev }) => `neigh change ${dst} dev ${dev} nud probe\n`);
      await ip(['-force', '-batch', '-'], lines.join(''), signal);
      for (const pauseMs of pausesMs) {
        await this.#clock.sleep(pauseMs, signal);
        await look(askedAtMs);
        if (doubtful.every(({ dst }) => found.has(dst))) break;
      }
    } catch {
      signal.throwIfAborted();
    }
    return found;
  }
}

/**
 * The addresses that were confirmed within the last `ageMs`, to the second: a host that died in the second before is
 * heard once too often. Not one that shares its card with another address: a router may answer for anybody. Pure.
 */
export function confirmedSince(
  entries: readonly Entry[],
  addresses: readonly string[],
  ageMs: number,
): string[] {
  const wanted = new Set(addresses);
  return entries
    .filter(({ dst, state, confirmed = Number.POSITIVE_INFINITY }) => {
      return wanted.has(dst) && state.includes('REACHABLE') && confirmed <= Math.floor(ageMs / 1_000);
    })
    .filter((entry) => !isShared(entry, entries))
    .map(({ dst }) => dst);
}

/** Known to have been there, not since: only asking again tells. */
const isDoubtful = ({ dst, lladdr, state }: Entry, addresses: readonly string[]): boolean =>
  addresses.includes(dst) &&
  lladdr !== undefined &&
  state.some((one) => ['REACHABLE', 'STALE', 'DELAY', 'PROBE'].includes(one));

/** Every card has a link-local address in IPv6 besides: that is nobody else. */
const isShared = ({ dst, dev, lladdr }: Entry, entries: readonly Entry[]): boolean =>
  entries.some(
    (other) =>
      other.lladdr === lladdr &&
      other.dev === dev &&
      other.dst !== dst &&
      !other.dst.startsWith('fe80:') &&
      other.dst.includes(':') === dst.includes(':'),
  );

async function listed(signal: AbortSignal): Promise<Entry[]> {
  return entriesSchema.parse(JSON.parse(await ip(['-json', '-statistics', 'neighbour', 'show'], '', signal)));
}

/** What `ip` (of iproute2) says; rejects when it cannot be run. Its exit code tells nothing: some lines may have failed. */
async function ip(args: readonly string[], input: string, signal: AbortSignal): Promise<string> {
  const child = spawn('ip', args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(commandMs)]),
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return said;
}
