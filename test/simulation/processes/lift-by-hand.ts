// `ns4 --fence HOST --action on --level ceph` on the machine of a worker.
import { OperationalError } from '../../../src/shared/ground/errors.ts';
import { owner } from './journal-storage.ts';
import type { Ns4Parts } from './ns4.ts';

/** `isSure`: would the operator type the host's name when he is asked to? */
export async function liftByHand(
  host: string,
  isSure: () => boolean,
  { ceph, cloud, link }: Pick<Ns4Parts, 'ceph' | 'cloud' | 'link'>,
): Promise<void> {
  const { signal } = new AbortController();
  const asked = ceph?.lift(host, {
    uptime: (name) => cloud.readUptime(name, signal).catch(() => null),
    isRecovering: (name) => link.call(() => link.redis.get(owner(name)) !== undefined),
    ask: async () => {
      if (!isSure()) throw new OperationalError('nobody typed its name');
    },
  });
  await asked?.catch(() => undefined);
}
