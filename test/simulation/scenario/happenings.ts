// What may happen in a scenario, in the words of its file.
import type { History, Seat } from '../history.ts';
import type { Weather } from '../weather.ts';
import type { Host } from '../world/model.ts';

type Happening = (history: History, ...words: string[]) => void;

const lines = { reports: 'reports', management: 'management', guests: 'guests', storage: 'storage' } as const;

const happenings: readonly (readonly [RegExp, Happening])[] = [
  [/^(\S+) loses its power$/, (h, name) => h.world.powerOff(hostOf(h, name))],
  [
    /^(\S+) is powered on$/,
    (h, name) => {
      h.world.powerOn(hostOf(h, name));
      h.nova.bootLater(hostOf(h, name));
    },
  ],
  [
    /^(\S+) hangs$/,
    (h, name, _) => change(h, name, 'hangs', (host) => Object.assign(host, { frozen: true })),
  ],
  [
    /^(\S+) goes on$/,
    (h, name) => change(h, name, 'goes on', (host) => Object.assign(host, { frozen: false })),
  ],
  [
    /^agents and nova-compute of (\S+) (hang|go on)$/,
    (h, name, what) => {
      const text = `agents and nova-compute of ${name} ${what}`;
      h.world.change(hostOf(h, name), text, (host) => Object.assign(host, { controlHung: what === 'hang' }));
    },
  ],
  [
    /^(\S+) is cut off \((.+)\)$/,
    (h, name, which) =>
      change(h, name, `is cut off (${which})`, (host) => {
        for (const line of (which ?? '').split(', ')) host.cut[lines[line as keyof typeof lines]] = true;
      }),
  ],
  [
    /^(\S+) is connected again$/,
    (h, name) => {
      const none = { reports: false, management: false, guests: false, storage: false };
      change(h, name, 'is connected again', (host) => Object.assign(host.cut, none));
    },
  ],
  [/^RabbitMQ is (away|back)$/, (h, what) => h.world.changeRabbit(what === 'away')],
  [
    /^OpenStack (does not answer|answers again)$/,
    (h, what) => {
      h.nova.away = what !== 'answers again';
      h.world.tell(`OpenStack ${what}`);
    },
  ],
  [/^Redis is away$/, (h) => h.redisGoes()],
  [/^Redis is back$/, (h) => h.redisReturns()],
  [/^Redis loses its last second$/, (h) => h.redisRollsBack()],
  [/^Redis loses everything$/, (h) => h.redisForgets()],
  [
    /^an operator accepts the empty state$/,
    (h) => h.order({ kind: 'accept-empty-state', by: 'somebody', atMs: h.timeline.nowMs }),
  ],
  [/^(monitor-\d|ns4-\d) is killed$/, (h, name) => seatOf(h, name).process?.kill()],
  [
    /^(monitor-\d|ns4-\d) stands still for (\d+) s$/,
    (h, name, forS) => seatOf(h, name).process?.freeze(Number(forS) * 1_000),
  ],
  [
    /^(ns4-\d) is told to stop$/,
    (h, name) => h.stopWorker(h.workers.filter((s) => s.name === name)[0] as never),
  ],
  [
    /^(monitor-\d|ns4-\d) (does not reach|reaches) (Redis|OpenStack)(?: again)?$/,
    (h, name, what, where) => {
      const seat = seatOf(h, name);
      seat[where === 'Redis' ? 'redisLine' : 'cloudLine'].cut = what !== 'reaches';
      h.world.tell(`${name} ${what} ${where}${what === 'reaches' ? ' again' : ''}`);
      h.jobs.lookAgain();
      h.poke();
    },
  ],
  [
    /^(ns4-\d) sees no (hosts|guests|hosts and guests)$/,
    (h, name, what = '') => {
      Object.assign(seatOf(h, name).eye.blind, {
        hosts: what.includes('hosts'),
        guests: what.includes('guests'),
      });
      h.world.tell(`the network of ${name} does not reach ${what}`);
      h.eyesChanged();
    },
  ],
  [
    /^(ns4-\d) sees everything again$/,
    (h, name) => {
      Object.assign(seatOf(h, name).eye.blind, { hosts: false, guests: false });
      h.world.tell(`the network of ${name} reaches everything again`);
      h.eyesChanged();
    },
  ],
  [
    /^the clock of (monitor-\d|ns4-\d) jumps by (-?\d+) s$/,
    (h, name, byS) => h.stepClock(seatOf(h, name), Number(byS) * 1_000),
  ],
  [
    /^somebody starts an instance on (\S+)$/,
    (h, name = '') => {
      const vmState = 'active' as const;
      h.world.addGuest({ name: `stray-${name}`, addresses: [], mute: true, vmState, vcpus: 1, host: name });
      h.world.tell(`somebody starts an instance on ${name}`);
    },
  ],
  [
    /^somebody deletes (\S+)$/,
    (h, name = '') => {
      const guest = h.world.guest(name);
      guest.deleted = true;
      guest.runsOn.clear();
      h.world.tell(`somebody deletes ${name}`);
    },
  ],
  [
    /^the fencing device of (\S+) is (dead|deaf)$/,
    (h, name, how) => {
      hostOf(h, name).bmc = how as 'dead' | 'deaf';
      h.world.tell(`the fencing device of ${name} is ${how}`);
    },
  ],
  [/^an operator confirms that (\S+) is off$/, (h, name) => h.confirmOff(hostOf(h, name))],
  [
    /^an operator resets the cooldown$/,
    (h) => h.order({ kind: 'reset-cooldown', by: 'somebody', atMs: h.timeline.nowMs }),
  ],
  [
    /^Nova will (fail|stick) at (\S+)(?: (\d) times)?$/,
    (h, how, name = '', times = '1') => {
      const trouble = how === 'fail' ? ('fails' as const) : ('sticks' as const);
      h.world.guest(name).troubles.push(...Array.from({ length: Number(times) }, () => trouble));
    },
  ],
  [/^(.+): (begins|ends)$/, (h, what = '', when) => changeWeather(h, what, when === 'begins')],
];

/** Troubles with every call, by name. */
const storms: Readonly<Record<string, Partial<Weather>>> = {
  'Nova answers every change with 500': { changeFails: 1 },
  "Nova's answers to changes get lost": { changeAnswerLost: 1 },
  'Nova takes no requests for now (429)': { changeNotNow: 1 },
  'the scanner runs out of file descriptors': { ownTrouble: 1 },
  'every scan fails': { scanFails: 1 },
  'Redis loses every job': { jobsLost: 1 },
};

function changeWeather(h: History, what: string, begins: boolean): void {
  const storm = storms[what];
  if (storm === undefined) throw new Error(`no such trouble: ${what}`);
  const change = begins ? storm : Object.fromEntries(Object.keys(storm).map((name) => [name, 0]));
  Object.assign(h.setting.weather, change);
  h.world.tell(begins ? what : `no more: ${what}`);
}

/** Makes happen what a scenario's file says. */
export function happen(history: History, text: string): void {
  for (const [pattern, happening] of happenings) {
    const match = pattern.exec(text);
    if (match !== null) return happening(history, ...match.slice(1));
  }
  throw new Error(`a scenario cannot say "${text}"`);
}

const hostOf = (h: History, name: string | undefined): Host => h.world.host(name ?? '');

function seatOf(h: History, name: string | undefined): Seat<unknown> {
  const seat = [...h.monitors, ...h.workers].find((s) => s.name === name);
  if (seat === undefined) throw new Error(`no ${name} in this scenario`);
  return seat;
}

function change(h: History, name: string | undefined, what: string, make: (host: Host) => void): void {
  h.world.change(hostOf(h, name), `${name} ${what}`, make);
}
