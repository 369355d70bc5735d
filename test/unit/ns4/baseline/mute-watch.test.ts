// Which guests fell silent while their hosts were well, pass by pass; and that no death of a host makes them such.
import { expect, test } from 'vitest';
import { MuteWatch, newlyMute } from '../../../../src/ns4/baseline/mute-watch.ts';
import { Places } from '../../../../src/ns4/baseline/places.ts';
import { Picture } from '../../../../src/shared/picture/picture.ts';
import { address, agent, hypervisor, inventory, server } from '../../../support/inventories.ts';

const startMs = Date.parse('2026-11-21T12:00:00Z');
const heartbeatPeriodMs = 40_000;
const minute = 60_000;
const vm1 = '203.0.113.1';
const vm2 = '203.0.113.2';

/** A cloud of two hosts with a guest each, and the watch over it. Times are minutes since its start. */
class Story {
  readonly watch = new MuteWatch({ heartbeatPeriodMs });
  /** Until when each host beats. */
  readonly beatsUntil: Record<string, number> = {};
  host = 'hv01';
  /** The wall clock was set by so much. */
  offsetMs = 0;
  #at = 0;

  /** Pictures twice a minute until then, as rounds take them. */
  goOn(until: number): this {
    for (; this.#at <= until; this.#at += 0.5) this.#show(this.#at);
    return this;
  }

  #show(at: number): void {
    const beat = (host: string) => this.#ms(Math.min(at, this.beatsUntil[host] ?? Number.POSITIVE_INFINITY));
    const hosts = ['hv01', 'hv02'];
    const made = inventory(
      {
        hypervisors: hosts.map((host) => hypervisor(host, { reportedAtMs: beat(host) })),
        agents: hosts.map((host) => agent(host, 0, { heartbeatAtMs: beat(host) })),
      },
      this.#ms(at),
    );
    this.watch.showHosts(Picture.of({ ...made.hosts, collectedAtMs: this.#ms(at) }, null));
  }

  /** A pass at that time: those that are told mute, since when. */
  pass(at: number, ...answered: string[]): Record<string, number> {
    this.goOn(at);
    const places = new Places(this.#ms(at));
    const on = (ip: string) => ({ addresses: [address(ip, { networkId: 'net' })] });
    places.add([server('vm1', this.host, on(vm1)), server('vm2', 'hv02', on(vm2))]);
    const moment = { nowMs: this.#ms(at), steadyMs: at * minute };
    const mute = this.watch.asked([vm1, vm2], new Set(answered), places, moment);
    return Object.fromEntries([...mute].map(([ip, ms]) => [ip, (ms - this.offsetMs - startMs) / minute]));
  }

  #ms(at: number): number {
    return startMs + this.offsetMs + at * minute;
  }
}

test('a guest that does not answer three passes, while its host reports, is mute since the second', () => {
  const story = new Story();
  expect(story.pass(0, vm1, vm2)).toEqual({});
  expect(story.pass(5, vm2)).toEqual({});
  expect(story.pass(10, vm2)).toEqual({});
  expect(story.pass(15, vm2)).toEqual({ [vm1]: 10 });
  expect(story.pass(20, vm1, vm2)).toEqual({});
  expect(story.pass(25, vm2)).toEqual({});
});

test('a lost packet is nothing', () => {
  const story = new Story();
  for (const at of [0, 10, 20]) {
    expect(story.pass(at, vm2)).toEqual({});
    expect(story.pass(at + 5, vm1, vm2)).toEqual({});
  }
});

test.each([0, 4.5, 5, 5.5, 9, 9.5, 10])(
  'a host that dies in minute %d makes none of its guests mute',
  (diedAt) => {
    const story = new Story();
    story.beatsUntil.hv01 = diedAt;
    for (const at of [0, 5, 10, 15, 20, 25, 60]) {
      const isLost = at === 5 && diedAt > 5;
      expect(story.pass(at, vm2, ...(at <= diedAt && !isLost ? [vm1] : []))).toEqual({});
    }
  },
);

test('an operator who touches the service of a dead host does not make its guests mute', () => {
  const story = new Story();
  story.beatsUntil.hv01 = 4;
  for (const at of [0, 5, 10, 14]) expect(story.pass(at, vm2)).toEqual({});
  story.beatsUntil.hv01 = 14.5;
  for (const at of [15, 20, 25]) expect(story.pass(at, vm2)).toEqual({});
});

test('a vantage point that hears nobody on a network, for as long as half an hour, calls nobody on it mute', () => {
  const story = new Story();
  story.pass(0, vm1, vm2);
  for (const at of [5, 10, 15, 20, 25]) expect(story.pass(at)).toEqual({});
  // hv01 died in the dark, which ends.
  story.beatsUntil.hv01 = 26;
  for (const at of [30, 35, 40]) expect(story.pass(at, vm2)).toEqual({});
});

test('the only guest on its network becomes mute as well', () => {
  const story = new Story();
  story.pass(0, vm1);
  const found = Array.from({ length: 12 }, (_, i) => story.pass(5 + 5 * i));
  expect(found.findIndex((mute) => vm1 in mute)).toBe(6);
});

test('one that is on another host now is asked anew there', () => {
  const story = new Story();
  story.pass(5, vm2);
  story.pass(10, vm2);
  story.host = 'hv02';
  expect(story.pass(15, vm2)).toEqual({});
  expect(story.pass(20, vm2)).toEqual({});
  expect(story.pass(25, vm2)).toEqual({ [vm1]: 20 });
});

test('where it was read before it did not answer nobody knows where it is', () => {
  const story = new Story().goOn(30);
  const places = new Places(startMs);
  places.add([server('vm1', 'hv01', { addresses: [address(vm1, { networkId: 'net' })] })]);
  const ask = (at: number) =>
    story.watch.asked([vm1], new Set(), places, { nowMs: startMs + at * minute, steadyMs: at * minute });
  for (const at of [5, 10, 15, 20]) expect([...ask(at)]).toEqual([]);
});

test('a clock that is set back in between makes nobody mute too soon, and is borne', () => {
  const story = new Story();
  story.pass(5, vm2);
  story.pass(10, vm2);
  story.offsetMs = -60 * minute;
  expect(story.pass(15, vm2)).toEqual({});
  expect(story.pass(20, vm2)).toEqual({ [vm1]: 15 });
});

test('a host that was not well for a while is waited for anew', () => {
  const story = new Story();
  for (const at of [5, 10]) story.pass(at, vm2);
  story.beatsUntil.hv01 = 10;
  expect(story.pass(15, vm2)).toEqual({});
  delete story.beatsUntil.hv01;
  expect(story.pass(20, vm2)).toEqual({});
  expect(story.pass(25, vm2)).toEqual({ [vm1]: 20 });
});

test('noted is who was heard before, has not answered since, and is not noted yet', () => {
  const answer = (atMs: number, isMute = false) => ({ atMs, of: null, isMute });
  const heard = new Map([
    ['before', answer(startMs - 1)],
    ['since', answer(startMs + 1)],
    ['noted', answer(startMs - 1, true)],
    ['future', answer(startMs + 60 * minute)],
  ]);
  const mute = new Map(['never', ...heard.keys()].map((one) => [one, startMs]));
  expect([...newlyMute(mute, heard, startMs + minute).keys()]).toEqual(['before', 'future']);
});
