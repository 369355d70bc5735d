// The simulator under the same contract as a real OpenStack: what passes here must be what a real one does.
import { startSimulator } from '../../simulator/simulator.ts';
import { cloudContract, type World } from '../support/cloud-contract.ts';
import { overHttp } from '../support/cloud-contract-stage.ts';
import { credentialsOf } from '../support/simulated-credentials.ts';

async function simulatedCloud(): Promise<World> {
  const simulator = await startSimulator({ computes: 4, durations: { resourcesIntervalMs: 2_000 } });
  return {
    hosts: simulator.hosts,
    ...overHttp({ ...credentialsOf(simulator), region: 'RegionOne' }),
    boot: (name, host, options) => simulator.boot(name, host, options),
    kill: (host) => simulator.kill(host),
    revive: (host) => simulator.revive(host),
    spare: async (host) => simulator.spare(host),
    unspare: async (host) => simulator.unspare(host),
    close: () => simulator.close(),
  };
}

cloudContract('the simulator', simulatedCloud, 20_000);
