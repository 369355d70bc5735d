// The alarm about silence: a cloud's monitor that publishes nothing any more, whatever the cause. Every other alarm goes
// through the monitor, ns4 and Redis; this one needs none of them.

import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import { quoted } from '../../shared/ground/plain.ts';
import type { FoundStatus } from '../../shared/redis/status.ts';
import { durationText } from '../render/durations.ts';

interface SilenceParts {
  /** What the monitor of each cloud published last. */
  readonly statuses: ReadonlyMap<string, () => Promise<FoundStatus>>;
  /** 0: no alarm. */
  readonly silenceMs: number;
  readonly say: (text: string) => void;
  readonly clock: Clock;
}

/** How one cloud's status moves, by the clock of this sonny alone. */
interface Watched {
  /** Of the document that was seen last: another one is a move. */
  mark: string | null;
  movedAtMs: number;
  alarmed: boolean;
  /** A monitor whose rounds are long publishes as rarely. */
  leastMs: number;
}

const lookMs = 10_000;

export class Silence {
  readonly #parts: SilenceParts;
  readonly #watched: ReadonlyMap<string, Watched>;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
    const movedAtMs = parts.clock.steadyMs();
    this.#watched = new Map(
      [...parts.statuses.keys()].map((cloud) => [
        cloud,
        { mark: null, movedAtMs, alarmed: false, leastMs: 0 },
      ]),
    );
  }

  /** Looks until stopped. */
  async run(stop: AbortSignal): Promise<void> {
    if (this.#parts.silenceMs === 0) return;
    while (!stop.aborted) {
      await this.look();
      await this.#parts.clock.sleep(lookMs, stop).catch(() => {});
    }
  }

  /** One look at all clouds; each is bounded by the connection's own limits. */
  async look(): Promise<void> {
    await Promise.all([...this.#watched].map(([cloud, watched]) => this.#lookAt(cloud, watched)));
  }

  async #lookAt(cloud: string, watched: Watched): Promise<void> {
    const { statuses, silenceMs, say, clock } = this.#parts;
    const { mark, why, leastMs } = await readMark(statuses.get(cloud));
    const nowMs = clock.steadyMs();
    if (leastMs !== null) watched.leastMs = leastMs;
    const silentMs = nowMs - watched.movedAtMs;
    if (mark !== null && mark !== watched.mark) {
      if (watched.alarmed) say(`${cloud}: the monitor is heard again, after ${durationText(silentMs)}.`);
      Object.assign(watched, { mark, movedAtMs: nowMs, alarmed: false });
      return;
    }
    if (watched.alarmed || silentMs < Math.max(silenceMs, watched.leastMs)) return;
    watched.alarmed = true;
    say(
      `${cloud}: NOBODY WATCHES. Its monitor has published nothing for ${durationText(silentMs)}${why}, so no host that dies now is recovered. Look at monitor, ns4 and Redis. Said once, and again when it is over.`,
    );
  }
}

async function readMark(
  read: (() => Promise<FoundStatus>) | undefined,
): Promise<{ mark: string | null; why: string; leastMs: number | null }> {
  const nothing = { mark: null, leastMs: null };
  try {
    const found = await read?.();
    if (found === undefined || found.kind === 'none')
      return { ...nothing, why: ' (Redis has no status of it)' };
    if (found.kind === 'not-understood')
      return { ...nothing, why: ' that this sonny understands (have they one version?)' };
    const { atMs, leader, policy, watches } = found.status;
    const mark = JSON.stringify([atMs, leader.epoch, watches]);
    return { mark, why: '', leastMs: 3 * policy.monitorPeriodMs };
  } catch (error) {
    return { ...nothing, why: ` (its status cannot be read: ${quoted(errorText(error), 200)})` };
  }
}
