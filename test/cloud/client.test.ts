// The client against a real OpenStack, through the same contract as the simulator.
import { cloudContract } from '../support/cloud-contract.ts';
import { realCloud } from '../support/real-cloud.ts';

cloudContract('the real OpenStack', realCloud, 60_000);
