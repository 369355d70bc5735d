// Drives the monitor's core through a story: the pretend ns4 answers its jobs from a pretend world that the test
// changes. Time is a number here; nothing sleeps.

import { needOfOrder, needOfOutcome, type PictureNeed } from '../../src/monitor/core/picture-needs.ts';
import type { Input, Told } from '../../src/monitor/core/state/input.ts';
import type { Rules } from '../../src/monitor/core/state/rules.ts';
import { firstState, type State } from '../../src/monitor/core/state/state.ts';
import { awaitedJobs, step } from '../../src/monitor/core/step.ts';
import type { EventFacts } from '../../src/shared/documents/events/events.ts';
import { sentence } from '../../src/shared/documents/events/events.ts';
import type { Server } from '../../src/shared/documents/inventory.ts';
import type {
  Finished,
  JobName,
  JobOutcome,
  JobRequest,
  JobResult,
} from '../../src/shared/documents/jobs/contracts.ts';
import type { Shown } from '../../src/shared/documents/jobs/look-at-recovered.ts';
import type { RecoveryReport } from '../../src/shared/documents/jobs/recover.ts';
import type { ScanFinding } from '../../src/shared/documents/jobs/scan.ts';
import type { Order } from '../../src/shared/documents/orders.ts';
import type { RefusalName } from '../../src/shared/documents/refusals/refusals.ts';
import { targetHosts, targetsOf } from '../../src/shared/documents/terms/plan.ts';
import { countsOf, Picture, serversByHost } from '../../src/shared/picture/picture.ts';
import { type Inventory, nowMs } from './inventories.ts';

export const rules: Rules = {
  monitorPeriodMs: 60_000,
  heartbeatPeriodMs: 40_000,
  suspiciousBackoff: 5,
  deadBackoff: 1,
  cooldownMs: 86_400_000,
  hypervisorPorts: [22, 111, 16509],
  instancePorts: [22],
  fencing: 'none',
  asksDisks: false,
  disabledHosts: 'leave',
};

const silentShown: Shown = {
  answers: null,
  guests: [],
  heartbeatAtMs: null,
  reportedAtMs: null,
  clearing: null,
  unknown: null,
};

type Untimed<I> = I extends unknown ? Omit<I, 'atMs'> : never;
/** never-heard: no answer now, and none before. */
type Finding = ScanFinding['state'] | 'never-heard' | 'gone-mute';

/** What the pretend world answers. Functions are asked at each job, so a test may change them between steps. */
export interface World {
  inventory: () => Inventory;
  /** Finding for a hypervisor or, by id, a server; default answers. */
  finding: (name: string) => Finding;
  recover: (request: Extract<JobRequest, { name: 'recover' }>) => JobOutcome<'recover'>;
  refresh?: (servers: boolean) => JobOutcome<'refresh-inventory'>;
  survey?: () => JobResult<'survey-senses'>;
  scan?: () => JobOutcome<'scan'> | null;
  /** What a host that was recovered shows; default: it is silent. */
  shown?: (host: string) => Partial<Shown>;
}

export class Story {
  atMs = nowMs;
  state: State = firstState('life');
  readonly rules: Rules;
  readonly world: World;
  readonly told: Told[] = [];
  readonly requests: JobRequest[] = [];
  #requested = new Set<string>();

  constructor(world: Partial<World> & Pick<World, 'inventory'>, change: Partial<Rules> = {}) {
    this.world = { finding: () => 'answers', recover: (request) => done(request), ...world };
    this.rules = { ...rules, ...change };
  }

  /** One whole round: ticks, then answers every job until the machine watches again. */
  round(): this {
    if (this.state.watches.hosts.kind === 'watching')
      this.atMs = Math.max(this.atMs, this.state.watches.hosts.nextCheckMs);
    return this.input({ kind: 'tick' }).settle();
  }

  /** Answers every job until none is left, a second for each. */
  settle(): this {
    for (let turns = 0; turns < 50; turns += 1) {
      const isOpen = ({ state }: JobOutcome<JobName>) => state !== 'running' && state !== 'waiting';
      const [job] = awaitedJobs(this.state).filter((j) => isOpen(this.answer(j)));
      if (job === undefined) return this;
      this.atMs += 1_000;
      this.outcome(job, this.answer(job));
    }
    throw new Error('the round does not end');
  }

  input(input: Untimed<Input>): this {
    return this.#take(step(this.state, { ...input, atMs: this.atMs }, this.rules));
  }

  outcome(job: JobRequest, outcome: JobOutcome<JobName>): this {
    const finished = { job: job.name, id: job.id, outcome } as Finished;
    const picture = this.#look(needOfOutcome(this.state, finished));
    return this.#take(step(this.state, { kind: 'outcome', atMs: this.atMs, finished, picture }, this.rules));
  }

  /** As the driver reads it: a core that asks for more than it said finds nothing. */
  #look(need: PictureNeed | null): Picture | null {
    if (need === null) return null;
    const { hosts, servers } = this.world.inventory();
    const listed = serversByHost(servers);
    const read = new Map<string, readonly Server[]>();
    const picture = new Picture(hosts, countsOf(servers, listed), read);
    const { hosts: wanted, sample } = need(picture, this.atMs, this.rules);
    for (const host of [...wanted, ...sample.flat()]) read.set(host, listed.get(host) ?? []);
    return picture;
  }

  #take(output: ReturnType<typeof step>): this {
    // What is stored comes back as JSON after a restart; a state that does not survive that is a defect.
    this.state = JSON.parse(JSON.stringify(output.state)) as State;
    this.told.push(...output.events);
    for (const job of awaitedJobs(this.state)) {
      if (this.#requested.has(job.id)) continue;
      this.#requested.add(job.id);
      this.requests.push(job);
    }
    return this;
  }

  /** What the pretend ns4 makes of a job. */
  answer(job: JobRequest): JobOutcome<JobName> {
    switch (job.name) {
      case 'refresh-inventory':
        return this.world.refresh?.(job.data.servers) ?? this.#refreshed(job.data.servers);
      case 'scan':
        return this.world.scan?.() ?? { state: 'done', result: this.#scanned(job) };
      case 'survey-senses':
        return {
          state: 'done',
          result: this.world.survey?.() ?? { ok: true, unjudged: [], count: 0, of: 1 },
        };
      case 'look-at-recovered': {
        const shown = job.data.hosts.map(({ host }) => [
          host,
          { ...silentShown, ...this.world.shown?.(host) },
        ]);
        return { state: 'done', result: { ok: true, hosts: Object.fromEntries(shown) } };
      }
      case 'recover':
        return this.world.recover(job);
    }
  }

  #refreshed(servers: boolean): JobOutcome<'refresh-inventory'> {
    const result: JobResult<'refresh-inventory'> = {
      ok: true,
      collectedAtMs: this.atMs,
      serversCollectedAtMs: servers ? this.atMs : null,
      hypervisors: 1,
      servers: 1,
      tookMs: 10,
    };
    return { state: 'done', result };
  }

  #scanned(job: Extract<JobRequest, { name: 'scan' }>): JobResult<'scan'> {
    const findings = (targets: { name: string }[]) =>
      Object.fromEntries(
        targets.map(({ name }): [string, ScanFinding] => {
          const found = this.world.finding(name);
          const detail = `${name} ${found}`;
          return [
            name,
            found === 'never-heard' || found === 'gone-mute'
              ? { state: 'unknown', neverHeard: true, goneMute: found === 'gone-mute', detail }
              : { state: found, detail },
          ];
        }),
      );
    const controls = findings(job.data.controls);
    const seen = Object.values(controls).some((c) => c.state === 'answers');
    return {
      ok: true,
      outcome: seen ? 'seen' : 'blind',
      targets: findings(job.data.targets),
      controls,
      tookMs: 10,
    };
  }

  get events(): EventFacts[] {
    return this.told.map(({ facts }) => facts);
  }

  /** An operator's order, with the picture that the driver would read for it. */
  order(order: Order): this {
    return this.input({ kind: 'order', order, picture: this.#look(needOfOrder(order)) });
  }

  /** Names of the refusals announced, in order. */
  get refusals(): RefusalName[] {
    return this.events.flatMap((e) => (e.kind === 'refused' ? [e.refusal.name] : []));
  }

  get recoveries(): { dead: string; spare: string; attempt: number }[] {
    return this.requests.flatMap((j) =>
      j.name === 'recover'
        ? [{ dead: j.data.dead, spare: targetHosts(j.data.plan).join(), attempt: j.data.attempt }]
        : [],
    );
  }

  get texts(): string[] {
    return this.events.map((e) => sentence(e).text);
  }
}

/** A report of a recovery that went well, changed where a test needs. */
function report(
  request: Extract<JobRequest, { name: 'recover' }>,
  change: Partial<RecoveryReport> = {},
): RecoveryReport {
  const { incident, recovery, dead, plan } = request.data;
  const instance = {
    id: 'id-vm1',
    name: 'vm1',
    outcome: 'recovered' as const,
    why: null,
    before: 'ACTIVE',
    after: 'ACTIVE',
    to: targetHosts(plan)[0] ?? null,
    tookMs: 1_000,
    answers: null,
  };
  return {
    incident,
    recovery,
    dead,
    targets: targetsOf(plan),
    outcome: 'done',
    refusal: null,
    acted: true,
    instances: [instance],
    tookMs: 2_000,
    ...change,
  };
}

export function done(
  request: Extract<JobRequest, { name: 'recover' }>,
  change: Partial<RecoveryReport> = {},
): JobOutcome<'recover'> {
  return { state: 'done', result: report(request, change) };
}
