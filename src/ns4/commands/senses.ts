// `ns4 --senses [HOST]`: what each sense says now of each hypervisor, as a table or as JSON. It looks as a round does.

import pLimit from 'p-limit';
import { OperationalError } from '../../shared/ground/errors.ts';
import { Picture } from '../../shared/picture/picture.ts';
import type { ExitCode } from '../../shared/process/frame.ts';
import { heartbeatOf } from '../../shared/rules/senses/heartbeat.ts';
import type { DeviceWord, Looked } from '../../shared/rules/senses/sense.ts';
import { senses } from '../../shared/rules/senses/senses.ts';
import { agentsOf, deviceLabel } from '../fencing/plan.ts';
import { refresh } from '../jobs/refresh.ts';
import { surveySenses } from '../jobs/survey-senses.ts';
import type { WorkerParts } from '../jobs/worker-parts.ts';
import { lookAtHosts } from './look-at-hosts.ts';
import { type HostSenses, jsonOf, tableOf } from './senses-table.ts';

/** Instances of one host that are asked in a table of all hosts. */
const guestsPerHost = 3;
/** The same where one host is asked about. */
const guestsOfOne = 200;
/** For one device: whoever is slower is called silent. */
const deviceTimeoutMs = 5_000;
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
  const atOnce = pLimit(hostsAtOnce);
  const means = { ...parts, asksDisks: parts.storage !== null };
  const [{ seen }, devices] = await Promise.all([
    lookAtHosts(hosts, mostGuests, picture, means, signal),
    Promise.all(hosts.map((host) => atOnce(async () => [host, await wordsOf(host, parts, signal)] as const))),
  ]);
  const words = new Map(devices);
  return new Map([...seen].map(([host, one]) => [host, { ...one, devices: words.get(host) ?? [] }]));
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
