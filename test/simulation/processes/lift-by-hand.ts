// `ns4 --fence HOST --action on --level ceph` on the machine of a worker.

import { copiesLeft } from '../../../src/ns4/commands/copies-left.ts';
import { Journals } from '../../../src/ns4/recovery/journal/journals.ts';
import { OperationalError } from '../../../src/shared/ground/errors.ts';
import { keyed } from '../../support/trust.ts';
import { journalStorage, owner } from './journal-storage.ts';
import type { Ns4Parts } from './ns4.ts';

/** `isSure`: would the operator type the host's name when he is asked to? */
export async function liftByHand(
  host: string,
  isSure: () => boolean,
  {
    ceph,
    cloud,
    link,
    method,
    process: { clock },
  }: Pick<Ns4Parts, 'ceph' | 'cloud' | 'link' | 'method' | 'process'>,
): Promise<void> {
  const { signal } = new AbortController();
  const journals = new Journals(
    journalStorage(link, () => {}),
    clock,
    keyed('pretend', { clock }),
  );
  const asked = ceph?.lift(host, {
    uptime: (name) => cloud.readUptime(name, signal).catch(() => null),
    copiesLeft: (name) => copiesLeft(name, { cloud, method, clock, signal }),
    isRecovering: (name) => link.call(() => link.redis.get(owner(name)) !== undefined),
    hold: async (name) => {
      const lock = await journals.lock({ host: name, targets: [] }, 0, signal, null);
      return 'heldByOther' in lock ? null : lock;
    },
    ask: async () => {
      if (!isSure()) throw new OperationalError('nobody typed its name');
    },
  });
  await asked?.catch(() => undefined);
}
