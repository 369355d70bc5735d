// `ns4 --confirm-fenced HOST`: an operator's word that a host is off, recorded as proof for the recovery that waits for
// it. The monitor is told to look at once.

import type { Clock } from '../../shared/ground/clock.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import type { OperatorConfirmations } from '../fencing/operator-confirmations.ts';

interface ConfirmParts {
  readonly confirmations: Pick<OperatorConfirmations, 'record'>;
  readonly inventory: { read(): Promise<Picture | null> };
  readonly heartbeatPeriodMs: number;
  readonly clock: Clock;
  /** Asks for the name; rejects when it is not given. */
  ask(what: string): Promise<void>;
  /** Says it to everybody, and has the monitor look. */
  announce(word: { readonly host: string; readonly by: string; readonly atMs: number }): Promise<void>;
}

/** Throws OperationalError when the word cannot be true as far as Sonny can see. */
export async function confirmFenced(host: string, by: string, parts: ConfirmParts): Promise<void> {
  const { confirmations, inventory, heartbeatPeriodMs, clock, ask, announce } = parts;
  const picture = await inventory.read();
  if (picture === null) throw new OperationalError('no inventory yet: start monitor and ns4 first');
  if (picture.hypervisor(host) === undefined) {
    const names = picture.hypervisors.map((h) => h.host).join(', ');
    throw new OperationalError(`${host} is no hypervisor of this cloud (the hosts are ${names})`);
  }
  const { says, why } = heartbeatOf(host, picture, clock.nowMs(), { heartbeatPeriodMs });
  if (says === 'alive')
    throw new OperationalError(
      `${host} is heard (${why}): it lives, or lived a moment ago (then try again soon)`,
    );
  await ask(
    `${host} has no power, or cannot reach any disk: you have made sure, and its instances may be started elsewhere`,
  );
  const atMs = clock.nowMs();
  await confirmations.record(host, { who: by, atMs });
  await announce({ host, by, atMs });
}
