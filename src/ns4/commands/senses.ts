// `ns4 --senses [HOST]`: what each sense says now of each hypervisor, as a table or as JSON. It looks as a round does.

import pLimit from 'p-limit';
import type { Server } from '../../shared/documents/inventory.ts';
import type { ScanResult, ScanTarget } from '../../shared/documents/jobs/scan.ts';
import { OperationalError } from '../../shared/ground/errors.ts';
import { Picture } from '../../shared/picture/picture.ts';
import type { ExitCode } from '../../shared/process/frame.ts';
import { controlsFor } from '../../shared/rules/control-plane.ts';
import { hostTarget, spread } from '../../shared/rules/controls.ts';
import { disksName, disksTarget } from '../../shared/rules/disks.ts';
import { guestTarget, standingOf } from '../../shared/rules/guests.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import type { AskedGuest, DeviceWord, Looked } from '../../shared/rules/senses/sense.ts';
import { senses } from '../../shared/rules/senses/senses.ts';
import { agentsOf, deviceLabel } from '../fencing/plan.ts';
import { refresh } from '../jobs/refresh.ts';
import { surveySenses } from '../jobs/survey-senses.ts';
import type { WorkerParts } from '../jobs/worker-parts.ts';
import { type HostSenses, jsonOf, tableOf } from './senses-table.ts';

/** Instances of one host that are asked in a table of all hosts. */
const guestsPerHost = 3;
/** The same where one host is asked about. */
const guestsOfOne = 200;
/** For one device: whoever is slower is called silent. */
const deviceTimeoutMs = 5_000;
const hostsPerScan = 1_000;
/** Whose devices are asked at once: each look is a program, or a job for a vantage point that fences. */
const hostsAtOnce = 32;

/** Exit code 1 when the named host is no hypervisor. @throws CloudError, OperationalError as a round would fail */
export async function showSenses(
  parts: WorkerParts,
  asked: { readonly host: string | null; readonly json: boolean },
  signal: AbortSignal,
  print: (text: string) => void,
): Promise<ExitCode> {
  const { hosts, servers } = await refresh(parts, true, signal);
  const picture = Picture.of(hosts, servers);
  const wanted = picture.hypervisors
    .map(({ host }) => host)
    .filter((host) => asked.host === null || host === asked.host);
  if (asked.host !== null && wanted.length === 0)
    throw new OperationalError(`${asked.host} is no hypervisor of ${picture.cloud}`);
  const looked = await look(
    wanted,
    asked.host === null ? guestsPerHost : guestsOfOne,
    picture,
    parts,
    signal,
  );
  const { heartbeatPeriodMs } = parts.settings.monitor;
  const rules = { heartbeatPeriodMs, isProven: parts.fencing !== null };
  const survey = await surveySenses({ ...parts, nowMs: parts.clock.nowMs(), rules });
  const short = new Map(survey?.unjudged.map((one) => [one.host, one]));
  // As of the reading of the cloud: the look at ports and devices took its time since.
  const nowMs = picture.collectedAtMs;
  const rows = wanted.map((host): HostSenses => {
    const about = { host, picture, nowMs, rules, looked: looked.get(host) ?? null };
    const readings = senses.map((sense) => ({ sense, reading: sense.speak(about) }));
    const { says } = heartbeatOf(host, picture, nowMs, rules);
    return { host, heartbeat: says, readings, tooFew: short.get(host) ?? null };
  });
  print(asked.json ? jsonOf(picture.cloud, nowMs, rows) : tableOf(rows, asked.host !== null));
  return 0;
}

async function look(
  hosts: readonly string[],
  mostGuests: number,
  picture: Picture,
  parts: WorkerParts,
  signal: AbortSignal,
): Promise<Map<string, Looked>> {
  const looked = new Map<string, Looked>();
  const atOnce = pLimit(hostsAtOnce);
  for (let i = 0; i < hosts.length; i += hostsPerScan) {
    const piece = hosts.slice(i, i + hostsPerScan);
    const guests = new Map(piece.map((host) => [host, guestsOf(host, mostGuests, picture, parts)]));
    const [scan, ...devices] = await Promise.all([
      scanAll(piece, [...guests.values()].flat(), picture, parts, signal),
      ...piece.map((host) => atOnce(() => wordsOf(host, parts, signal))),
    ]);
    piece.forEach((host, at) => {
      const finding = (name: string) => findingOf(scan, name);
      const asked = guests.get(host) ?? [];
      looked.set(host, {
        ports: finding(host),
        guests: asked.map(({ server, target }): AskedGuest => {
          return { ...standingOf(server), finding: finding(target.name) };
        }),
        disks: parts.storage === null ? null : finding(disksName(host)),
        devices: devices[at] ?? [],
      });
    });
  }
  return looked;
}

const findingOf = (scan: ScanResult, name: string) =>
  scan.ok
    ? (scan.targets[name] ?? { state: 'unknown' as const, detail: 'not reported on' })
    : { state: 'unknown' as const, detail: scan.detail };

interface AskedServer {
  readonly server: Server;
  readonly target: ScanTarget;
}

/** Those that can be asked; the ones that testify first. */
function guestsOf(host: string, most: number, picture: Picture, { settings }: WorkerParts): AskedServer[] {
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
  parts: WorkerParts,
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
      ...(parts.storage === null ? [] : hosts.map((host) => disksTarget(host))),
    ],
    controls: controlsFor(new Set(), picture, clock.nowMs(), { heartbeatPeriodMs, hypervisorPorts }),
  };
  const own = { name, scan: () => lookAlone(request, signal) };
  return lookTogether({ ...request, requestedAtMs: clock.nowMs() }, own, signal);
}

/** What each device of the host says; none where no proof is demanded. */
async function wordsOf(
  host: string,
  { devices }: Pick<WorkerParts, 'devices'>,
  signal: AbortSignal,
): Promise<DeviceWord[]> {
  if (devices === null) return [];
  const levels = await devices.levelsOf(host, signal);
  if ('failure' in levels) return [{ name: levels.agent, power: 'unknown', detail: levels.detail }];
  const told = levels
    .filter((level) => level.kind !== 'ceph' && !level.isListener)
    .map(async (level): Promise<DeviceWord[]> => {
      const asked = { number: level.number, agent: agentsOf(level) };
      const seen = (await devices.look(host, asked, deviceTimeoutMs, signal)) ?? [];
      return level.devices.map(({ agent }, i): DeviceWord => {
        const { says: power, said } = seen[i] ?? { says: 'unknown', said: '' };
        const name = deviceLabel(level, i).replace(/: $/, '') || agent;
        const detail = power === 'unknown' ? said || 'no answer' : power;
        return { name: `level ${level.number}, ${name}`, power, detail };
      });
    });
  return (await Promise.all(told)).flat();
}
