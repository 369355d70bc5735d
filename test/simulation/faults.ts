// What may happen to the world, each by itself, with its end: the raw material of a history. Every fault heals by
// itself or when calm comes; only the dead stay dead.
import type { History } from './history.ts';
import type { Guest, Host } from './world/model.ts';

export type Fault = (history: History) => void;

const seconds = 1_000;

/** Undone when calm comes at the latest. */
function forAWhile(history: History, forMs: number, end: () => void): void {
  let over = false;
  const once = () => {
    if (over) return;
    over = true;
    end();
  };
  history.timeline.after(forMs, once);
  history.healings.push(once);
}

const busyHosts = ({ world }: History): Host[] =>
  [...world.hosts.values()].filter((host) => host.powered && world.guests.some((g) => g.host === host.name));
const spares = ({ world }: History): Host[] =>
  [...world.hosts.values()].filter((host) => host.disabledReason === 'spare');

export function busyHost(history: History): Host | null {
  const hosts = busyHosts(history);
  return hosts.length === 0 ? null : history.random.pick(hosts);
}

export function cut(
  history: History,
  host: Host,
  lines: readonly (keyof Host['cut'])[],
  forMs: number,
): void {
  const { world } = history;
  world.change(host, `${host.name} is cut off (${lines.join(', ')})`, (h) => {
    for (const line of lines) h.cut[line] = true;
  });
  forAWhile(history, forMs, () =>
    world.change(host, `${host.name} is connected again`, (h) => {
      for (const line of lines) h.cut[line] = false;
    }),
  );
}

const lineSets: readonly (readonly (keyof Host['cut'])[])[] = [
  ['reports'],
  ['management'],
  ['guests'],
  ['storage'],
  ['reports', 'management'],
  ['reports', 'guests'],
  ['management', 'guests'],
  ['reports', 'management', 'guests'],
  ['reports', 'management', 'guests', 'storage'],
];

export const faults = {
  hostDies: (history) => {
    const host = busyHost(history);
    if (host !== null) history.world.powerOff(host);
  },
  twoDieTogether: (history) => {
    const { world, random, timeline } = history;
    const [first, second] = busyHosts(history);
    if (first === undefined || second === undefined) return;
    world.powerOff(first);
    timeline.after(random.between(0, 20 * seconds), () => {
      if (!history.isCalm) world.powerOff(second);
    });
  },
  hostDiesAndComesBack: (history) => {
    const host = busyHost(history);
    if (host === null) return;
    const { world, nova, random } = history;
    world.powerOff(host);
    forAWhile(history, random.between(20, 200) * seconds, () => {
      world.powerOn(host);
      nova.bootLater(host);
    });
  },
  hostHangs: (history) => {
    const host = busyHost(history);
    if (host === null) return;
    const { world, random } = history;
    world.change(host, `${host.name} hangs`, (h) => {
      h.frozen = true;
    });
    forAWhile(history, random.between(30, 240) * seconds, () => {
      if (host.powered)
        world.change(host, `${host.name} goes on`, (h) => {
          h.frozen = false;
        });
    });
  },
  controlHangs: (history) => {
    const host = busyHost(history);
    if (host === null) return;
    const { world, random } = history;
    world.change(host, `agents and nova-compute of ${host.name} hang`, (h) => {
      h.controlHung = true;
    });
    forAWhile(history, random.between(30, 200) * seconds, () =>
      world.change(host, `agents and nova-compute of ${host.name} go on`, (h) => {
        h.controlHung = false;
      }),
    );
  },
  agentFlaps: (history) => {
    const host = busyHost(history);
    if (host === null) return;
    const { world, random, timeline } = history;
    const toggle = (broken: boolean) =>
      world.change(host, `the agents of ${host.name} ${broken ? 'end' : 'run again'}`, (h) => {
        for (const agent of h.agents) agent.broken = broken;
      });
    toggle(true);
    const again = random.between(10, 80) * seconds;
    timeline.after(again, () => toggle(false));
    if (random.chance(0.5)) timeline.after(again + 5_000, () => toggle(!history.isCalm));
    forAWhile(history, again + random.between(10, 80) * seconds, () => toggle(false));
  },
  cutOff: (history) => {
    const host = busyHost(history);
    const { random } = history;
    if (host !== null) cut(history, host, random.pick(lineSets), random.between(20, 240) * seconds);
  },
  /** Back, but only its reports or only its own address: whoever looks at the other one does not see it. */
  comesBackInPart: (history) => {
    const host = busyHost(history);
    if (host === null) return;
    const { world, random, timeline } = history;
    cut(history, host, ['reports', 'management', 'guests'], 300 * seconds);
    const line = random.pick(['reports', 'management'] as const);
    timeline.after(random.between(42, 90) * seconds, () =>
      world.change(host, `${host.name} is connected again (${line})`, (h) => {
        h.cut[line] = false;
      }),
    );
  },
  /** Its agents hang, and one of the eyes has lost the way to it. */
  heardByOthers: (history) => {
    const host = busyHost(history);
    if (host === null) return;
    const { world, random, workers } = history;
    const { eye } = random.pick(workers);
    const forMs = random.between(60, 200) * seconds;
    world.change(host, `agents and nova-compute of ${host.name} hang`, (h) => {
      h.controlHung = true;
    });
    eye.blind.host = host.name;
    world.tell(`${eye.name} does not reach ${host.name}`);
    history.eyesChanged();
    forAWhile(history, forMs, () => {
      world.change(host, `agents and nova-compute of ${host.name} go on`, (h) => {
        h.controlHung = false;
      });
      eye.blind.host = null;
      history.eyesChanged();
    });
  },
  zoneCutOff: (history) => {
    const { world, random } = history;
    const zone = random.pick([...world.hosts.values()]).zone;
    const lines = random.pick(lineSets);
    const forMs = random.between(20, 200) * seconds;
    for (const host of world.hosts.values()) if (host.zone === zone) cut(history, host, lines, forMs);
  },
  rabbitDown: (history) => {
    history.world.changeRabbit(true);
    forAWhile(history, history.random.between(20, 150) * seconds, () => history.world.changeRabbit(false));
  },
  apiAway: (history) => {
    const { nova, world, random } = history;
    nova.away = true;
    world.tell('OpenStack does not answer');
    forAWhile(history, random.between(5, 90) * seconds, () => {
      nova.away = false;
      world.tell('OpenStack answers again');
    });
  },
  blindEye: (history) => {
    const { random, workers, world } = history;
    const { eye } = random.pick(workers);
    const kind = random.pick(['hosts', 'guests', 'all', 'zone'] as const);
    eye.blind.hosts = kind === 'hosts' || kind === 'all';
    eye.blind.guests = kind === 'guests' || kind === 'all';
    eye.blind.zone = kind === 'zone' ? random.pick([...world.hosts.values()]).zone : null;
    world.tell(`${eye.name} does not reach: ${kind}`);
    history.eyesChanged();
    forAWhile(history, random.between(20, 200) * seconds, () => {
      Object.assign(eye.blind, { hosts: false, guests: false, zone: null, host: null });
      world.tell(`${eye.name} sees everything again`);
      history.eyesChanged();
    });
  },
  clockSteps: (history) => {
    const { random, workers, monitors, world } = history;
    const byMs = random.pick([-120, -30, -5, 5, 30, 70, 120]) * seconds;
    if (random.chance(0.3)) {
      world.cloudOffsetMs += byMs;
      world.tell(`the cloud's clock jumps by ${byMs / 1000} s`);
    } else history.stepClock(random.pick([...workers, ...monitors]), byMs);
  },
  redisRollsBack: (history) => {
    history.redisRollsBack();
  },
  redisAway: (history) => {
    history.redisGoes();
    forAWhile(history, history.random.between(2, 40) * seconds, () => history.redisReturns());
  },
  redisForgets: (history) => {
    if (history.random.chance(0.3)) history.redisForgets();
  },
  workerKilled: (history) => history.random.pick(history.workers).process?.kill(),
  workerStopped: (history) => history.stopWorker(history.random.pick(history.workers)),
  workerFrozen: (history) =>
    history.random.pick(history.workers).process?.freeze(history.random.between(2, 60) * seconds),
  workerCutOff: (history) => {
    const { random, workers, world, jobs } = history;
    const seat = random.pick(workers);
    const line = random.pick(['redisLine', 'cloudLine'] as const);
    seat[line].cut = true;
    world.tell(`${seat.name} does not reach ${line === 'redisLine' ? 'Redis' : 'OpenStack'}`);
    forAWhile(history, random.between(2, 60) * seconds, () => {
      seat[line].cut = false;
      world.tell(`${seat.name} is connected again`);
      jobs.lookAgain();
    });
  },
  monitorKilled: (history) => history.random.pick(history.monitors).process?.kill(),
  monitorFrozen: (history) =>
    history.random.pick(history.monitors).process?.freeze(history.random.between(2, 90) * seconds),
  spareFilled: (history) => {
    const [spare] = spares(history);
    if (spare === undefined || history.world.guests.some((g) => g.host === spare.name)) return;
    history.world.addGuest({
      ...{ name: `stray-${spare.name}`, addresses: [], mute: true, vmState: 'active', vcpus: 1 },
      host: spare.name,
    });
    history.world.tell(`somebody starts an instance on ${spare.name}`);
  },
  spareDies: (history) => {
    const [spare] = spares(history);
    if (spare !== undefined) history.world.powerOff(spare);
  },
  spareAgentsEnd: (history) => {
    const [spare] = spares(history);
    if (spare === undefined) return;
    const { world } = history;
    const toggle = (broken: boolean) =>
      world.change(spare, `the agents of ${spare.name} ${broken ? 'end' : 'run again'}`, (h) => {
        for (const agent of h.agents) agent.broken = broken;
      });
    toggle(true);
    forAWhile(history, history.random.between(30, 120) * seconds, () => toggle(false));
  },
  guestDeleted: (history) => {
    const guest = anyGuest(history);
    if (guest === null) return;
    guest.deleted = true;
    guest.runsOn.clear();
    history.world.tell(`${guest.name} is deleted`);
  },
  guestStopped: (history) => {
    const guest = anyGuest(history);
    if (guest === null || guest.vmState !== 'active') return;
    guest.vmState = 'stopped';
    guest.runsOn.clear();
    history.world.tell(`${guest.name} is stopped`);
  },
  fencingDeviceFails: (history) => {
    const { world, random } = history;
    const host = random.pick([...world.hosts.values()]);
    host.bmc = random.pick(['dead', 'dead', 'deaf']);
    world.tell(`the fencing device of ${host.name} is ${host.bmc}`);
    forAWhile(history, random.between(60, 300) * seconds, () => {
      host.bmc = 'works';
      world.tell(`the fencing device of ${host.name} works again`);
    });
  },
  operatorConfirms: (history) => {
    const off = [...history.world.hosts.values()].filter((host) => !host.powered);
    if (off.length > 0) history.confirmOff(history.random.pick(off));
  },
  stateAccepted: (history) =>
    history.order({ kind: 'accept-empty-state', by: 'somebody', atMs: history.timeline.nowMs }),
  cooldownReset: (history) =>
    history.order({ kind: 'reset-cooldown', by: 'somebody', atMs: history.timeline.nowMs }),
} satisfies Record<string, Fault>;

function anyGuest({ world, random }: History): Guest | null {
  const guests = world.guests.filter((g) => !g.deleted && g.taskState === null && world.host(g.host).powered);
  return guests.length === 0 ? null : random.pick(guests);
}

export type FaultName = keyof typeof faults;
