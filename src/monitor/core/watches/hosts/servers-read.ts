// Phase `reading-servers`: who of the silent is silent still, and which of their instances are to testify. Pure.
import type { JobOutcome } from '../../../../shared/documents/jobs/contracts.ts';
import type { ScanTarget } from '../../../../shared/documents/jobs/scan.ts';
import type { Picture } from '../../../../shared/picture/picture.ts';
import { controlsFor } from '../../../../shared/rules/control-plane.ts';
import { hostTarget } from '../../../../shared/rules/controls.ts';
import { disksTarget } from '../../../../shared/rules/disks.ts';
import { clearHost, clearPart, raise } from '../../incidents/raised.ts';
import type { Draft } from '../../state/draft.ts';
import { freshMs } from '../../state/rules.ts';
import { type HostsPhase, recoveringHosts } from '../../state/state.ts';
import { lookForOutages } from './outages.ts';
import { refreshFailure, unread } from './refreshed.ts';
import { endRound, giveUpRound } from './round.ts';
import { findSuspects, isUntold, unheardSince } from './suspicion.ts';
import { neverHeard } from './verdict.ts';
import { controlGuests, witnessesOf, witnessNetworks } from './witnesses.ts';

type Reading = HostsPhase & { kind: 'reading-servers' };
type Scanning = HostsPhase & { kind: 'scanning-guests' };
type Asked = Pick<Scanning, 'silent' | 'neverHeard' | 'witnesses' | 'moving' | 'unwitnessed'> & {
  readonly targets: ScanTarget[];
};

export function onServersRead(
  draft: Draft,
  outcome: JobOutcome<'refresh-inventory'>,
  picture: Picture | null,
  phase: Reading,
): void {
  const { nowMs, rules } = draft;
  const trouble = refreshFailure(outcome) ?? serversTrouble(picture, phase.sinceMs);
  if (trouble !== null || picture === null)
    return giveUpRound(draft, { name: 'servers-unavailable', of: 'refresh', detail: trouble ?? unread });
  clearPart(draft, ({ refusal }) => refusal.name === 'servers-unavailable' && refusal.of === 'refresh');
  const outages = lookForOutages(draft, picture);
  if (outages.everywhere) return endRound(draft, picture);
  // The refresh brought heartbeats too: who is heard again meanwhile is no suspect any more.
  const recovering = recoveringHosts(draft.state);
  const still = new Set(
    findSuspects(picture, nowMs, rules, recovering).suspects.map((s) => s.hypervisor.host),
  );
  const asked = whomToAsk(draft, picture, phase, still, outages.refused);
  if (Object.keys(asked.silent).length === 0) return endRound(draft, picture);
  const unsuitable = new Set([...Object.keys(phase.silent), ...still]);
  const networks = witnessNetworks(picture, Object.keys(asked.silent));
  const guests = controlGuests(picture, unsuitable, networks, nowMs, rules);
  const controls = [...controlsFor(unsuitable, picture, nowMs, rules), ...guests.map(({ target }) => target)];
  // Who was silent to the host scan has been judged by itself, or is about to be.
  const apart = new Set([...Object.keys(phase.silent), ...recovering, ...outages.refused]);
  const bystanders = unheardSince(picture, phase.suspectedAtMs, apart, nowMs, rules);
  const { targets, ...judged } = asked;
  targets.push(...bystanders.map((h) => hostTarget(h.host, h.address, rules)));
  draft.enter({
    kind: 'scanning-guests',
    sinceMs: nowMs,
    job: draft.scanJob({ targets, controls, requestedAtMs: nowMs }),
    ...judged,
    controlGuests: guests.map(({ target, name, networks: on }) => ({
      ...{ target: target.name, name },
      networks: [...on],
    })),
    bystanders: bystanders.map((h) => h.host),
  });
}

/** The silent hosts that are judged further, with the scan targets that testify; for each other one its refusal. */
function whomToAsk(
  draft: Draft,
  picture: Picture,
  phase: Reading,
  still: ReadonlySet<string>,
  refused: ReadonlySet<string>,
): Asked {
  const { rules, nowMs } = draft;
  const asked: Asked = {
    ...{ silent: {}, neverHeard: {}, witnesses: {}, moving: {} },
    ...{ unwitnessed: [], targets: [] },
  };
  for (const [host, finding] of Object.entries(phase.silent)) {
    if (refused.has(host)) continue;
    const servers = picture.instancesOn(host);
    const found = witnessesOf(host, picture, rules);
    const canTestify = found.asked.some(({ testifies }) => testifies);
    const others = [...found.asked.map(({ name }) => name), ...found.moving];
    const scanners = phase.neverHeard[host];
    if (servers === 0) raise(draft, { name: 'nothing-to-recover', host });
    else if (isUntold(host, picture, nowMs, rules)) continue;
    else if (!still.has(host)) clearHost(draft, host);
    else if (!canTestify && !rules.asksDisks && scanners !== undefined)
      raise(draft, neverHeard(host, scanners, others, picture));
    else if (!canTestify && !rules.asksDisks && rules.fencing === 'none')
      raise(draft, { name: 'no-witness', host, servers, others });
    else {
      asked.silent[host] = finding;
      if (scanners !== undefined) asked.neverHeard[host] = scanners;
      asked.witnesses[host] = found.asked.map(({ target, networks, ...witness }) => ({
        ...{ ...witness, target: target.name },
        networks: [...networks],
      }));
      asked.moving[host] = [...found.moving];
      if (!canTestify) asked.unwitnessed.push(host);
      asked.targets.push(...found.asked.map(({ target }) => target));
      // Asked once more itself: its answer saves it, and where no guest turns out to testify its silence has to.
      asked.targets.push(hostTarget(host, picture.hypervisor(host)?.address ?? null, rules));
      if (rules.asksDisks) asked.targets.push(disksTarget(host));
    }
  }
  return asked;
}

/** Servers collected before this phase began would judge by the past (defect 3 of the original). */
function serversTrouble(picture: Picture | null, sinceMs: number): string | null {
  if (picture === null) return unread;
  const collectedAtMs = picture.serversCollectedAtMs;
  if (collectedAtMs === null) return 'there is none';
  // ns4's clock may run a little behind the monitor's; more than a minute is told apart as stale.
  return collectedAtMs < sinceMs - freshMs ? 'it is the one from before' : null;
}
