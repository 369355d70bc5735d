// The world as the histories have it, on virtual time and without HTTP, under the same contract as a real OpenStack.
import { begin } from '../../../simulator/faults/script.ts';
import { worldFaults } from '../../../simulator/faults/world-faults.ts';
import { giveBack, setAside } from '../../../simulator/world/compute-service.ts';
import { revive } from '../../../simulator/world/host-power.ts';
import { boot } from '../../../simulator/world/instances.ts';
import type { World as PretendWorld } from '../../../simulator/world/world.ts';
import { CloudLink } from '../../simulation/processes/cloud-link.ts';
import { Process } from '../../simulation/processes/process.ts';
import { Random } from '../../simulation/random.ts';
import { Timeline } from '../../simulation/timeline.ts';
import { fairWeather } from '../../simulation/weather.ts';
import { World as SimulatedWorld } from '../../simulation/world/world.ts';
import { cloudContract, type World } from '../../support/cloud-contract.ts';

const agents = ['neutron-openvswitch-agent'];

/** Time goes on whenever nobody has anything left to do. */
async function run(timeline: Timeline, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await timeline.runUntil(timeline.nowMs + 20);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function inProcessCloud(): Promise<World> {
  const random = new Random(1);
  const timeline = new Timeline(Date.parse('2026-11-21T12:00:00Z'));
  const world = new SimulatedWorld(timeline, random);
  const process = new Process('client', timeline, { offsetMs: 0, pausedMs: 0, isPausable: false });
  const hosts = ['hv1', 'hv2', 'hv3', 'hv4'];
  for (const [index, name] of hosts.entries())
    world.addPlainHost(
      { name, address: `10.0.0.${index + 1}`, zone: 'az1', aggregates: [], vcpus: 16 },
      agents,
      10_000,
      false,
    );
  let isOver = false;
  const running = run(timeline, () => isOver);
  return {
    hosts,
    clock: process.clock,
    open: () => {
      const link = { world, process, random, weather: fairWeather, line: { cut: false }, onSend: () => {} };
      return Object.assign(new CloudLink(link), { close: async () => {} });
    },
    boot: async (name, host, options = {}) => boot(world, name, world.host(host), options).id,
    kill: async (host) => begin<PretendWorld>(world, worldFaults.hostDies, host),
    revive: async (host) => revive(world, world.host(host)),
    spare: async (host) => setAside(world, world.host(host)),
    unspare: async (host) => giveBack(world, world.host(host)),
    close: async () => {
      isOver = true;
      await running;
    },
  };
}

cloudContract('the world in process', inProcessCloud, 20_000);
