// What `ns4 --check` tells of Ceph: whether it can be asked and told what a recovery needs, from which addresses each
// hypervisor opens disks, and whom it blocks though he is back.
import type { Hypervisor } from '../../shared/documents/inventory.ts';
import { firstOf, shortened } from '../../shared/documents/terms/shortened.ts';
import { counted } from '../../shared/ground/counted.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import { quoted } from '../../shared/ground/plain.ts';
import { AddressBook, type SeenAddress } from '../disks/address-book.ts';
import { blockedBy } from '../disks/blocked.ts';
import type { Cut } from '../disks/cut-off-store.ts';
import { agentsOf, type FencingPlan, levelsOf } from '../fencing/plan.ts';
import type { Blocklist, CannotTell, StorageFacts } from '../storage/storage.ts';
import type { DisksSurvey } from './survey-disks.ts';

const mostNamed = 5;
/** The example agent for those who script their fencing; its `plug` names addresses. */
const cephAgent = /fence_ceph/;

interface CephSeen {
  readonly facts: StorageFacts | CannotTell;
  readonly blocklist: Blocklist;
  readonly disks: DisksSurvey;
  readonly addresses: readonly SeenAddress[];
  /** Whom Sonny cut off, by host. */
  readonly cuts: ReadonlyMap<string, Cut>;
  readonly hypervisors: readonly Pick<Hypervisor, 'host' | 'state' | 'status' | 'runningVms'>[];
  readonly plan: FencingPlan | null;
  readonly nowMs: number;
}

/** As one line. @throws OperationalError when a recovery could not cut off a host now, or would cut off another one */
export function describeCeph(seen: CephSeen): string {
  const { facts, blocklist, disks, hypervisors } = seen;
  if (facts.kind === 'cannot-tell') throw new OperationalError(facts.reason);
  if (facts.problems.length > 0) throw new OperationalError(facts.problems.join('; '));
  if (blocklist.kind === 'cannot-tell') throw new OperationalError(blocklist.reason);
  if (disks.denied !== null) throw new OperationalError(`${disks.denied}; ${capsText(facts)}`);
  const book = new AddressBook(seen.addresses, seen.nowMs);
  const wrong = seen.plan === null ? [] : foreign(book, hypervisors, seen.plan);
  if (wrong.length > 0) throw new OperationalError(firstOf(wrong, mostNamed).join('; '));
  const seenWith = hypervisors.filter(({ host }) => book.presentOf(host).own.length > 0);
  const known = seenWith.filter(({ host }) => book.presentOf(host).shared.length === 0);
  const unknown = hypervisors
    .filter((h) => h.runningVms !== 0 && !seenWith.includes(h) && !disks.nothingHere.has(h.host))
    .map(({ host }) => host);
  return [
    `${facts.version}, pools ${facts.pools.map(({ name }) => name).join(', ')}`,
    `hypervisors that could be cut off: ${
      known.length === 0
        ? 'none yet'
        : shortened(
            known.map(({ host }) => `${host} (${book.presentOf(host).own.join(', ')})`),
            mostNamed,
          )
    }`,
    ...(unknown.length > 0
      ? [
          `WARNING: no address is known of ${shortened(unknown, mostNamed)}, so nothing would be evacuated from there without another proof`,
        ]
      : []),
    ...notHere(disks, facts),
    ...(disks.unread === null ? [] : [`WARNING: ${disks.unread}`]),
    ...firstOf(sharedIn(book, hypervisors), mostNamed),
    ...firstOf(forgotten(book, blocklist, seen), mostNamed),
    ...(seen.plan === null ? [] : firstOf(differing(book, hypervisors, seen.plan), mostNamed)),
  ].join('; ');
}

/** A renamed volume has the barrier if its pool has; what is elsewhere has none. Nobody asks who has either open. */
function notHere({ missing, unlooked }: DisksSurvey, { pools }: StorageFacts): string[] {
  const names = missing.map(({ instance: { name }, volume }) =>
    volume === null ? `the disk of ${quoted(name)}` : `volume-${volume} of ${quoted(name)}`,
  );
  const where = pools.map(({ name }) => name).join(', ');
  const what = counted(missing.length, 'disk');
  return [
    ...(missing.length === 0
      ? []
      : [
          `WARNING: ${what} of running instances not found in ${where} (elsewhere, or renamed), so nobody asks who has them open, and other pools get no barrier: ${shortened(names, mostNamed)}`,
        ]),
    ...(unlooked === 0 ? [] : [`${counted(unlooked, 'instance')} not looked at in time`]),
  ];
}

/** As docs/ceph.md has them. */
const prefixes = ['rbd_id.', 'rbd_header.', 'rbd_info', 'rbd_directory', 'rbd_object_map'];

/** Librbd opens the parents of a clone as well. */
const capsText = ({ pools }: StorageFacts): string =>
  `nobody could be cut off for certain: its user needs "allow r class-read pool=POOL object_prefix PREFIX" for each prefix of ${prefixes.join(' ')} in ${pools.map(({ name }) => name).join(', ')} and each pool that has parents of their clones (images, as a rule), see "Set it up" in docs/ceph.md`;

/** One address of two hosts (behind NAT, say) is never blocked, as it would stop both: neither can be cut off. */
const sharedIn = (book: AddressBook, hypervisors: CephSeen['hypervisors']): string[] => [
  ...new Set(
    hypervisors.flatMap(({ host }) =>
      book
        .presentOf(host)
        .shared.map(
          (address) =>
            `WARNING: ${book.hostsAt(address).join(' and ')} open disks from ${address}, so neither can be cut off`,
        ),
    ),
  ),
];

/** Blocked, and back: its instances cannot open their disks. Blocked by Sonny, and not back: so that nobody forgets it. */
function forgotten(
  book: AddressBook,
  blocklist: Blocklist & { readonly kind: 'listed' },
  { hypervisors, cuts, nowMs }: CephSeen,
): string[] {
  const isBlocked = blockedBy(blocklist.entries, nowMs);
  return hypervisors.flatMap(({ host, state, status }) => {
    const cut = cuts.get(host);
    const known = new Set([...book.of(host).map(({ address }) => address), ...(cut?.addresses ?? [])]);
    const blocked = [...known].filter(isBlocked);
    if (state === 'up' && status === 'enabled')
      return blocked.map(
        (address) => `WARNING: ${address} of ${host} is still blocked, though ${host} is up and enabled`,
      );
    if (blocked.length === 0 || cut === undefined) return [];
    return [
      `${host} is cut off since ${new Date(cut.atMs).toISOString().slice(0, 16)}Z (${blocked.join(', ')})`,
    ];
  });
}

/** Addresses of a host that its level in fencing.yaml would leave open. */
const differing = (book: AddressBook, hypervisors: CephSeen['hypervisors'], plan: FencingPlan): string[] =>
  hypervisors.flatMap(({ host }) => {
    const plugs = plugsOf(plan, host);
    const missing = plugs.length === 0 ? [] : book.presentOf(host).own.filter((one) => !plugs.includes(one));
    return missing.map(
      (address) =>
        `WARNING: ${host} opens disks from ${address}, which its level in fencing.yaml does not name`,
    );
  });

/** Addresses of other hosts that it would block: whoever is healthy there loses the disks. */
const foreign = (book: AddressBook, hypervisors: CephSeen['hypervisors'], plan: FencingPlan): string[] =>
  hypervisors.flatMap(({ host }) =>
    plugsOf(plan, host).flatMap((plug) => {
      const has = (other: string) => {
        const { own, shared } = book.presentOf(other);
        return [...own, ...shared].includes(plug);
      };
      const others = book.hostsAt(plug).filter((other) => other !== host && has(other));
      if (others.length === 0) return [];
      const who = others.join(' and ');
      return [
        `the level of ${host} in fencing.yaml names ${plug}, by which Ceph knows ${who}: to fence ${host} would cut off ${who}`,
      ];
    }),
  );

/** Which addresses the example agent would block. */
const plugsOf = (plan: FencingPlan, host: string): string[] =>
  levelsOf(plan, host)
    .filter((level) => cephAgent.test(agentsOf(level)))
    .flatMap(({ devices }) => devices.flatMap(({ options }) => String(options.plug ?? '').split(/[\s,]+/)))
    .map((plug) => plug.replace(/^\[|\]$/g, ''))
    .filter((plug) => plug !== '');
