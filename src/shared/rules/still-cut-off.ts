// Whose blocklist entries may have been forgotten: hosts that Sonny cut off from Ceph, and that are back in service, or
// were cut off long ago. Pure.
import type { Picture } from '../picture/picture.ts';

/** So long a host may well be waiting for its repair. */
const longAgoMs = 7 * 86_400_000;

interface Forgotten {
  readonly host: string;
  /** When it was cut off last, ms since the epoch. */
  readonly sinceMs: number;
  /** Up and enabled: Nova starts instances there, which cannot open their disks. */
  readonly isBack: boolean;
}

export function stillCutOff(picture: Pick<Picture, 'cutOff' | 'hypervisor'>, nowMs: number): Forgotten[] {
  return picture.cutOff.flatMap(({ host, sinceMs }) => {
    const { state, status } = picture.hypervisor(host) ?? {};
    const isBack = state === 'up' && status === 'enabled';
    return isBack || nowMs - sinceMs > longAgoMs ? [{ host, sinceMs, isBack }] : [];
  });
}
