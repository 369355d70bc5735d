// May the blocklist entries of a host be lifted? Only when no process of before can be left on it: a guest that was frozen
// or cut off all the time resumes when its entry goes, and takes its disk back. Pure.
import { quoted } from '../../shared/ground/plain.ts';
import type { Cut } from './cut-off-store.ts';

/** What a device of the host says now, for people: "fence_ipmilan, level 1". */
interface DeviceSays {
  readonly name: string;
  readonly says: 'on' | 'off' | 'unknown';
}

/** When a host may have booted, ms since the epoch: `uptime` counts in minutes. */
export interface BootSeen {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Its own words. */
  readonly uptime: string;
}

export type Rebooted =
  /** Nothing of before is left. */
  | { readonly kind: 'yes'; readonly why: string }
  /** It runs since before it was cut off. */
  | { readonly kind: 'no'; readonly why: string }
  /** Only a person can say. */
  | { readonly kind: 'unknown'; readonly why: string };

/** `cut`: when it was cut off, and who saw it off; null: Sonny does not know of it. */
export function rebooted(
  cut: Pick<Cut, 'atMs' | 'seenOff'> | null,
  devices: readonly DeviceSays[],
  boot: BootSeen | null,
): Rebooted {
  const off = devices.find(({ says }) => says === 'off');
  if (off !== undefined) return { kind: 'yes', why: `it is off now, says ${off.name}` };
  if (cut === null) return { kind: 'unknown', why: 'it is not known when it was cut off' };
  const cutAt = timeText(cut.atMs);
  if (cut.seenOff !== null)
    return { kind: 'yes', why: `${cut.seenOff.by} saw it off at ${timeText(cut.seenOff.atMs)}` };
  if (boot === null)
    return {
      kind: 'unknown',
      why: `its nova-compute tells no uptime, and no fence device saw it off since it was cut off at ${cutAt}`,
    };
  const told = `its nova-compute tells ${quoted(boot.uptime)}`;
  if (boot.notBeforeMs > cut.atMs) return { kind: 'yes', why: `it was booted after ${cutAt}: ${told}` };
  if (boot.notAfterMs < cut.atMs)
    return { kind: 'no', why: `it was not booted since it was cut off at ${cutAt}: ${told}` };
  return { kind: 'unknown', why: `it was booted at about the time when it was cut off, ${cutAt}: ${told}` };
}

/**
 * As `uptime` of procps has it: "12:01:02 up 10 days,  3:22,  2 users, …", "up 5 min", "up 1 day, 2 min". Null where it
 * says nothing that can be read. `nowMs`: when it was told.
 */
export function bootSeen(uptime: string, nowMs: number): BootSeen | null {
  const words = uptime.slice(0, longestUptime).replaceAll(/\s+/g, ' ').trim();
  const upMinutes = minutesUp(words);
  if (upMinutes === null) return null;
  const notAfterMs = nowMs - upMinutes * 60_000;
  return {
    notBeforeMs: notAfterMs - 60_000 - marginMs,
    notAfterMs: notAfterMs + marginMs,
    uptime: withoutUsers(words),
  };
}

function minutesUp(words: string): number | null {
  const parts = partsOf(` ${words}`.split(' up ')[1] ?? '');
  const days = /^(\d{1,5}) days?$/.exec(parts[0] ?? '')?.[1];
  const rest = (days === undefined ? parts[0] : parts[1]) ?? '';
  const [, hours, clockMinutes] = /^(\d{1,2}):(\d\d)$/.exec(rest) ?? [];
  const minutes = clockMinutes ?? /^(\d{1,2}) min$/.exec(rest)?.[1];
  if (minutes === undefined) return null;
  return (Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes);
}

const partsOf = (words: string): string[] => words.split(',').map((part) => part.trim());

/** Without who is logged in there, and what follows. */
function withoutUsers(words: string): string {
  const users = partsOf(words).findIndex((part) => /^\d{1,9} users?$/.test(part));
  return users < 0 ? words : words.split(',').slice(0, users).join(',');
}

/** Between the host's answer and its reading here. */
const marginMs = 10_000;
const longestUptime = 1_000;

/** In UTC, to the second. */
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
