// Whether each hypervisor that runs something could be recovered if it died today, and what stands in the way: the rules
// of the monitor and of a recovery, asked of hosts that live. Pure.
import { operatorsReason } from '../../shared/documents/inventory.ts';
import type { Unjudged } from '../../shared/documents/jobs/survey-senses.ts';
import { scopeText } from '../../shared/documents/terms/scope.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { findOutages } from '../../shared/rules/control-plane.ts';
import { disksRefusal } from '../../shared/rules/disks.ts';
import type { Policy } from '../../shared/rules/policy.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import { isSpareCandidate, type SpareChoice, sparesFor } from '../../shared/rules/spare-choice.ts';
import { addressTroubles } from './address-troubles.ts';
import type { SeenOfHost } from './look-at-hosts.ts';
import type { Proof, ProofToday } from './proof-today.ts';

/** What was found of a cloud that lives. */
export interface Surveyed {
  /** With all servers. */
  readonly picture: Picture;
  readonly seen: ReadonlyMap<string, SeenOfHost>;
  /** Why no scan can be believed now; null: it can. */
  readonly scanTrouble: string | null;
  /** Whom too few senses could tell dead. */
  readonly tooFew: readonly Unjudged[];
  /** Hosts that recoveries fill. */
  readonly taken: ReadonlySet<string>;
  /** Hosts with a recovery under way. */
  readonly recovering: ReadonlySet<string>;
  readonly proofOf: (host: string) => ProofToday;
  readonly policy: Policy;
}

/** What keeps a host from being recovered; `why` follows its name. */
export interface Obstacle {
  readonly kind: 'address' | 'scan' | 'outage' | 'senses' | 'disks' | 'operator' | 'proof' | 'spare';
  readonly why: string;
}

export interface Readiness {
  readonly host: string;
  /** None: it could be recovered. */
  readonly obstacles: readonly Obstacle[];
  readonly proof: Proof | null;
  readonly spares: SpareChoice;
}

export interface Survey {
  /** Of each hypervisor that lives and runs something. */
  readonly hosts: readonly Readiness[];
  /** Those that run nothing: spares among them. */
  readonly empty: readonly string[];
  /** Down, forced down, in recovery, or unheard of now: those are judged, if they are not recovered yet. */
  readonly gone: readonly string[];
}

export function surveyed(about: Surveyed): Survey {
  const { picture, policy, recovering } = about;
  // As of the reading: the look took its time since.
  const nowMs = picture.collectedAtMs;
  const troubles = addressTroubles(picture.hypervisors);
  const { failed } = findOutages(picture, nowMs, policy, recovering);
  const candidates = picture.hypervisors.filter(isSpareCandidate);
  const surroundings = { picture, nowMs, heartbeatPeriodMs: policy.heartbeatPeriodMs };
  const tooFew = new Map(about.tooFew.map((one) => [one.host, one]));
  const hosts: Readiness[] = [];
  const [empty, gone]: [string[], string[]] = [[], []];
  for (const hypervisor of picture.hypervisors) {
    const { host, state, forcedDown } = hypervisor;
    const isSilent = heartbeatOf(host, picture, nowMs, policy).says === 'silent';
    const outage = failed.find((one) => one.hosts.has(host));
    if (picture.mostInstancesOn(host) === 0) empty.push(host);
    // In an outage nobody is judged: the silence of one of many tells nothing of it.
    else if (state === 'down' || forcedDown || recovering.has(host) || (isSilent && outage === undefined))
      gone.push(host);
    else {
      const proof = about.proofOf(host);
      const spares = sparesFor(host, candidates, about.taken, surroundings);
      const isAtWork = policy.disabledHosts === 'leave' && operatorsReason(hypervisor) !== null;
      const obstacles = [
        obstacle('address', troubles.get(host)),
        obstacle('scan', about.scanTrouble ?? unscanned(host, about, troubles)),
        obstacle('outage', outage && outageWords(outage)),
        obstacle('senses', tooFew.get(host) && tooFewWords(tooFew.get(host) as Unjudged)),
        obstacle('disks', untoldDisks(host, about)),
        obstacle('operator', isAtWork ? 'is disabled by somebody: it would be left to him' : null),
        obstacle('proof', proof.by === null ? proof.why : null),
        obstacle('spare', spares.fitting.length === 0 ? spareWords(spares) : null),
      ].flat();
      hosts.push({ host, obstacles, proof: proof.by, spares });
    }
  }
  return { hosts, empty, gone };
}

const obstacle = (kind: Obstacle['kind'], why: string | null | undefined): Obstacle[] =>
  why === null || why === undefined ? [] : [{ kind, why }];

/** A scan that cannot tell is no silence (`scan-unknown`); of one that was never heard its guests may tell. */
function unscanned(host: string, { seen }: Surveyed, troubles: ReadonlyMap<string, string>): string | null {
  const ports = seen.get(host)?.ports ?? null;
  if (ports === null || ports.state !== 'unknown' || ports.neverHeard === true || troubles.has(host))
    return null;
  return `cannot be scanned: ${ports.detail}`;
}

const tooFewWords = ({ reason, help }: Unjudged): string =>
  `could not be told dead: ${reason}; would help: ${help}`;

/** Where Ceph is asked: a living host whose disks nobody can ask about would not be judged dead either. */
function untoldDisks(host: string, { seen }: Surveyed): string | null {
  const disks = seen.get(host)?.disks ?? null;
  if (disks === null) return null;
  const refusal = disksRefusal(host, disks);
  return refusal?.name === 'disks-unknown'
    ? `has disks of which nobody can tell by whom they are open: ${disks.detail}`
    : null;
}

function outageWords({ scope, of, stale, total }: ReturnType<typeof findOutages>['failed'][number]): string {
  const where = scope.kind === 'cloud' ? '' : ` of ${scopeText(scope)}`;
  return `would not be judged: ${stale.length} of ${total} ${of}${where} are stale together`;
}

function spareWords({ unfit }: SpareChoice): string {
  const [first, ...more] = unfit;
  if (first === undefined) return 'has no spare: none is set aside';
  return `has no spare that fits: ${first.host} ${first.why}${more.length > 0 ? `, and ${more.length} more` : ''}`;
}
