// Plays a scenario and writes down what an operator would have seen, beside what truly happened.
import { ovnBinaries, useOvn } from '../../../simulator/world/ovn.ts';
import { happen } from '../catalogue.ts';
import { History } from '../history.ts';
import { Violation } from '../judges/violation.ts';
import { Random } from '../random.ts';
import { fairWeather } from '../weather.ts';
import { type HostSpec, plainHost, type Scenario } from './scenario.ts';

const startMs = Date.parse('2026-11-21T12:00:00Z');

/** The transcript. A violated invariant ends it, and is its last line. */
export async function play(scenario: Scenario): Promise<string> {
  const { rules, network, monitors, workers, evacuate, events, until } = scenario;
  const history = new History(
    {
      ...{
        monitors,
        workers,
        method: evacuate,
        concurrency: 8,
        levels: 'devices',
        startMs,
        weather: { ...fairWeather },
        quorum: rules.quorum,
      },
      rules: {
        monitorPeriodMs: rules.monitor_period * 1_000,
        heartbeatPeriodMs: 40_000,
        suspiciousBackoff: rules.suspicious_backoff,
        deadBackoff: rules.dead_backoff,
        cooldownMs: rules.cooldown_period * 1_000,
        hypervisorPorts: [22],
        instancePorts: [22],
        fencing: rules.fencing,
        asksDisks: false,
        disabledHosts: 'leave',
      },
    },
    new Random(1),
  );
  for (const [name, spec] of Object.entries(scenario.hosts))
    addHost(history, scenario, name, spec ?? plainHost, false);
  for (const [name, spec] of Object.entries(scenario.spares))
    addHost(history, scenario, name, spec ?? plainHost, true);
  const { timeline, world } = history;
  // A story is about what it tells of, not about how long this machine takes to boot.
  world.boots = () => ({ kernelMs: 0, agentsMs: 0, computeMs: 0, guestsMs: 60_000, formerGuestsMs: null });
  if (network.startsWith('ovn')) useOvn(world, network === 'ovn' ? 'beat' : 'request');
  const lines: string[] = [];
  const write = (text: string) =>
    lines.push(`${((timeline.nowMs - startMs) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
  world.tell = (text) => write(`(${text})`);
  history.hear = ({ text }) => write(text);
  for (const [second, what] of Object.entries(events))
    timeline.after(Number(second) * 1_000, () => {
      for (const text of [what].flat())
        if (!happen(history, text)) throw new Error(`a scenario cannot say "${text}"`);
    });
  history.downMs = () => 15_000;
  try {
    history.start();
    await timeline.runUntil(startMs + until * 1_000);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    write(`VIOLATED: ${error.message}`);
  }
  return `${lines.join('\n')}\n`;
}

/** An address that answers whatever becomes of the first host: that of the second one. */
const theirs = '10.0.0.2';

const agentsOn: Readonly<Record<Scenario['network'], readonly string[]>> = {
  ovs: ['neutron-openvswitch-agent'],
  ovn: ovnBinaries,
  'ovn-of-old': ovnBinaries,
  none: [],
};

function addHost(
  { world }: History,
  { network, agent_domain: domain }: Scenario,
  name: string,
  spec: HostSpec,
  isSpare: boolean,
): void {
  const number = world.hosts.size + 1;
  const address = spec.address ? `10.0.0.${number}` : null;
  const agentHost = domain === undefined ? name : `${name}.${domain}`;
  const part = { name, address, zone: spec.zone, cell: spec.cell, agentHost, aggregates: [], vcpus: 16 };
  world.addPlainHost(part, agentsOn[network], 10_000, isSpare);
  const instances =
    spec.instances ??
    (isSpare ? {} : { [`${name}-vm1`]: 'active' as const, [`${name}-vm2`]: 'active' as const });
  for (const [guest, vmState] of Object.entries(instances)) {
    const own = `203.0.113.${world.instances.length + 1}`;
    const isLookalike = spec.lookalike.includes(guest);
    world.addInstance({
      name: guest,
      host: name,
      mute: spec.mute.includes(guest),
      vmState,
      addresses: spec.external
        ? [{ network: 'ext-net', address: isLookalike ? theirs : own, version: 4, type: 'fixed' }]
        : [],
      ...(isLookalike ? { network: world.addNetwork('ext-net', { external: false, shared: false }) } : {}),
    });
  }
}
