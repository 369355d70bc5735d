// A look at hypervisors that live, as a round takes one: their ports, some of their instances, and their disks where
// Ceph is asked. For `--senses` and `--check`.
import type { Server } from '../../shared/documents/inventory.ts';
import type { ScanFinding, ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { controlsFor } from '../../shared/rules/control-plane.ts';
import { hostTarget, spread } from '../../shared/rules/controls.ts';
import { disksName, disksTarget } from '../../shared/rules/disks.ts';
import { guestTarget, standingOf } from '../../shared/rules/guests.ts';
import type { AskedGuest, Looked } from '../../shared/rules/senses/sense.ts';
import type { WorkerParts } from '../jobs/worker-parts.ts';

const hostsPerScan = 1_000;

export interface LookParts extends Pick<WorkerParts, 'settings' | 'clock' | 'look' | 'lookTogether'> {
  /** Whether the disks are asked as well. */
  readonly asksDisks: boolean;
}

/** What was seen of a host, apart from its fence devices. */
export type SeenOfHost = Omit<Looked, 'devices'>;

export interface SeenOfHosts {
  readonly seen: ReadonlyMap<string, SeenOfHost>;
  /** One for each thousand hosts. */
  readonly scans: readonly ScanResult[];
}

/** `mostGuests`: of each host; those that testify first. `picture`: with the servers of these hosts. */
export async function lookAtHosts(
  hosts: readonly string[],
  mostGuests: number,
  picture: Picture,
  parts: LookParts,
  signal: AbortSignal,
): Promise<SeenOfHosts> {
  const seen = new Map<string, SeenOfHost>();
  const scans: ScanResult[] = [];
  for (let i = 0; i < hosts.length; i += hostsPerScan) {
    const piece = hosts.slice(i, i + hostsPerScan);
    const guests = new Map(piece.map((host) => [host, guestsOf(host, mostGuests, picture, parts)]));
    const scan = await scanAll(piece, [...guests.values()].flat(), picture, parts, signal);
    scans.push(scan);
    for (const host of piece) {
      const asked = guests.get(host) ?? [];
      seen.set(host, {
        ports: findingOf(scan, host),
        guests: asked.map(({ server, target }): AskedGuest => {
          return { ...standingOf(server), finding: findingOf(scan, target.name) };
        }),
        disks: parts.asksDisks ? findingOf(scan, disksName(host)) : null,
      });
    }
  }
  return { seen, scans };
}

const findingOf = (scan: ScanResult, name: string): ScanFinding =>
  scan.ok
    ? (scan.targets[name] ?? { state: 'unknown', detail: 'not reported on' })
    : { state: 'unknown', detail: scan.detail };

interface AskedServer {
  readonly server: Server;
  readonly target: ScanTarget;
}

/** Those that can be asked; the ones that testify first. */
function guestsOf(host: string, most: number, picture: Picture, { settings }: LookParts): AskedServer[] {
  const asked = picture
    .serversOf(host)
    .map((server) => ({ server, target: guestTarget(server, settings.scan.instancePorts) }))
    .filter(({ target }) => target.endpoints.length > 0);
  const testifies = ({ server }: AskedServer) => standingOf(server).tells === 'testifies';
  return spread([...asked.filter(testifies), ...asked.filter((one) => !testifies(one))].slice(0, most), most);
}

function scanAll(
  hosts: readonly string[],
  guests: readonly AskedServer[],
  picture: Picture,
  parts: LookParts,
  signal: AbortSignal,
): Promise<ScanResult> {
  const { settings, clock, look: lookAlone, lookTogether } = parts;
  const { heartbeatPeriodMs } = settings.monitor;
  const { hypervisorPorts, name } = settings.scan;
  const request = {
    targets: [
      ...hosts.map((host) =>
        hostTarget(host, picture.hypervisor(host)?.address ?? null, { hypervisorPorts }),
      ),
      ...guests.map(({ target }) => target),
      ...(parts.asksDisks ? hosts.map((host) => disksTarget(host)) : []),
    ],
    // By the heartbeats as they were read: devices may have been asked since.
    controls: controlsFor(new Set(), picture, picture.collectedAtMs, { heartbeatPeriodMs, hypervisorPorts }),
  };
  const own = { name, scan: () => lookAlone(request, signal) };
  return lookTogether({ ...request, requestedAtMs: clock.nowMs() }, own, signal);
}
