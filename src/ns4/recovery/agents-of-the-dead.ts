// The network agents of a host that is being recovered, asked again and again: by the names they go under in Neutron,
// and OVN's by their own earlier beats.
import { type Agent, deletedChassis, kindOfAgent, type OvnState } from '../../shared/documents/inventory.ts';
import type { Clock } from '../../shared/ground/clock.ts';
import type { AgentRecord, Cloud } from '../cloud/cloud.ts';

export class AgentsOfTheDead {
  readonly #host: string;
  readonly #areStampsOfRequests: boolean;
  readonly #names: readonly string[];
  /** Of OVN's rows: the last beat, and when it was asked for. */
  readonly #beats = new Map<string, { readonly beatMs: number; readonly askedAtMs: number }>();

  /**
   * `known`: the agents of the host as the recovery's fresh facts have them; `all`: those of the cloud. A row that Neutron
   * calls dead no longer tells that its stamp is that of the request, the others do; unless one of them beats, as then
   * such a row is one of before an upgrade of Neutron.
   */
  constructor(host: string, known: readonly Agent[], all: readonly Agent[] = known) {
    this.#host = host;
    const words = new Set(all.map(({ ovn }) => ovn?.why));
    this.#areStampsOfRequests = words.has('stamp-is-the-request') && !words.has('moved');
    this.#names = [
      ...new Set([host, ...known.map((agent) => agent.statedHost).filter((name) => name !== '')]),
    ];
    for (const { id, ovn } of known)
      if (ovn !== null) this.#beats.set(id, { beatMs: ovn.baseMs, askedAtMs: ovn.lookedAtMs });
  }

  /** As they are now, with times by this ns4's clock. @throws CloudError */
  async ask(
    cloud: Pick<Cloud, 'listAgents' | 'clockSkewMs'>,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<Agent[]> {
    const askedAtMs = clock.nowMs();
    const lists = await Promise.all(this.#names.map((name) => cloud.listAgents(signal, name)));
    const skewMs = cloud.clockSkewMs();
    return lists.flat().map((record) => ({
      ...record,
      host: this.#host,
      statedHost: record.host,
      heartbeatAtMs: record.heartbeatAtMs - skewMs,
      ovn: kindOfAgent(record) === 'reports' ? null : this.#compared(record, askedAtMs),
    }));
  }

  /** Null: its stamp tells nothing, or this is its first. */
  #compared({ id, host, heartbeatAtMs: beatMs }: AgentRecord, askedAtMs: number): OvnState | null {
    const before = this.#beats.get(id);
    this.#beats.set(id, { beatMs: Math.max(beatMs, before?.beatMs ?? beatMs), askedAtMs });
    if (this.#areStampsOfRequests || host === deletedChassis) return null;
    // An older one is that of an API worker that lags behind.
    if (before === undefined || beatMs <= before.beatMs) return null;
    return {
      ...{ says: 'alive', why: 'moved', baseMs: beatMs, isBehind: false, silentSinceMs: null },
      ...{ heardAtMs: askedAtMs, heardAfterMs: before.askedAtMs, lookedAtMs: askedAtMs },
    };
  }
}
