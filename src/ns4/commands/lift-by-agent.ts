// `ns4 --fence HOST --action on --level N` of a level whose agent cuts the host off from Ceph: its entries go as those of
// the level `ceph` do, once nothing of what ran there before can be left. When they were set nobody knows here, so that
// only a device that says off now, or a person, can tell.
import { answerWithin, type Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import { rebooted } from '../disks/rebooted.ts';
import { devicesSay, failed, type LiftParts, notRebooted, recovering } from './lift.ts';
import type { Tried } from './try-out.ts';

export interface AgentLiftParts extends Pick<LiftParts, 'levels' | 'look' | 'isRecovering' | 'hold' | 'ask'> {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Why it is certain that the host runs since before it was cut off; null: it is not. */
  runsSince(host: string): Promise<string | null>;
}

/** Redis is not waited for longer: somebody is at the terminal. */
const redisMs = 5_000;
/** A host that dies while its name is typed is not recovered within this. What was seen earlier may be of its last life. */
const promptMs = 60_000;

/**
 * Refuses in a recovery, and while one may have begun and ended since it was asked. `tell` lifts the entries, while no
 * recovery of the host can begin; `held`: aborted when one could. Rejects as `ask` does.
 */
export async function liftByAgent(
  host: string,
  parts: AgentLiftParts,
  tell: (held: AbortSignal) => Promise<Tried>,
): Promise<Tried> {
  const { clock, signal } = parts;
  const isRecovering = await told(parts, () => parts.isRecovering(host));
  if (typeof isRecovering === 'string') return failed(isRecovering);
  if (isRecovering) return failed(recovering);
  const found = rebooted(null, await devicesSay(parts), null);
  if (found.kind !== 'yes') {
    const runsSince = await parts.runsSince(host);
    if (runsSince !== null) return failed(notRebooted(runsSince));
    const askedMs = clock.steadyMs();
    await parts.ask(
      `${found.why}. ${host} was booted since, or is off, so that no guest of before is left: you have made sure (ssh ${host} uptime; ssh ${host} virsh list)`,
    );
    if (clock.steadyMs() - askedMs > promptMs)
      return failed(
        `its name was typed after more than ${promptMs / 1_000} s. Begin again, by looking at it`,
      );
  }
  const held = await told(parts, () => parts.hold(host));
  if (typeof held === 'string') return failed(held);
  if (held === null) return failed(recovering);
  try {
    return await tell(AbortSignal.any([signal, held.lost]));
  } finally {
    await held.release();
  }
}

/** What Redis tells of recoveries; in words, why it does not. */
async function told<T>({ clock, signal }: AgentLiftParts, ask: () => Promise<T>): Promise<T | string> {
  try {
    return await answerWithin(clock, redisMs, ask());
  } catch (error) {
    signal.throwIfAborted();
    return `whether a recovery of it is under way could not be read: ${errorText(error)}`;
  }
}
