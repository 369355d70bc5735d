// Stands in the histories' bundle where src/ns4/fencing/agent.ts is: a device of theirs brings its own agent, in virtual
// time. Nothing here starts a program.
import type { AgentCall, AgentOutcome } from '../../../src/ns4/fencing/agent.ts';
import type { Device } from '../../../src/ns4/fencing/plan.ts';

export interface PretendAgent extends Device {
  run(call: AgentCall): Promise<AgentOutcome>;
}

export const runAgent = (call: AgentCall): Promise<AgentOutcome> => (call.device as PretendAgent).run(call);
