// The four APIs of one world, each on a port of its own, with their tokens, their faults and their memory of requests.

import type { Answer, ApiName, Call } from './call.ts';
import { FaultBook } from './faults.ts';
import { HttpService, type RecordedRequest } from './http-service.ts';
import { createKeystone } from './keystone.ts';
import { createNeutron } from './neutron.ts';
import { createNova } from './nova.ts';
import type { HttpWorld } from './options.ts';
import { createPlacement } from './placement.ts';
import { TokenBook } from './tokens.ts';

const apiNames: readonly ApiName[] = ['keystone', 'nova', 'neutron', 'placement'];
/** Enough for any test; a simulator that runs for days forgets the oldest. */
const maxRequests = 50_000;

/** Makes another answer of one that is about to leave. */
export type Bend = (call: Call, answer: Answer) => Answer;

/** Each keeps its port while it is away. */
export class Apis {
  readonly faults = new FaultBook();
  readonly tokens: TokenBook;
  /** What befalls every answer; null: nothing. */
  bend: Bend | null = null;
  /** Every request received so far, oldest first. */
  readonly requests: RecordedRequest[] = [];
  readonly #world: HttpWorld;
  readonly #services: Readonly<Record<ApiName, HttpService>>;

  constructor(world: HttpWorld) {
    this.#world = world;
    this.tokens = new TokenBook(world);
    const gate = { world, tokens: this.tokens, keystoneUrl: () => this.url('keystone') };
    const catalogue = () => ({
      identity: `${this.url('keystone')}/v3`,
      compute: `${this.url('nova')}/v2.1`,
      network: this.url('neutron'),
      placement: this.url('placement'),
    });
    this.#services = {
      keystone: this.#service('keystone', createKeystone(world, this.tokens, catalogue)),
      nova: this.#service('nova', createNova(gate)),
      neutron: this.#service('neutron', createNeutron(gate)),
      placement: this.#service('placement', createPlacement(gate)),
    };
  }

  /** Base address of an API. */
  url(api: ApiName): string {
    return this.#services[api].url;
  }

  /** Listens or refuses, each API as the world has it. */
  async follow(): Promise<void> {
    const isAway = (name: ApiName): boolean => this.#world.stopped.has(name);
    await Promise.all(
      apiNames.map((name) => (isAway(name) ? this.#services[name].stop() : this.#services[name].start())),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(apiNames.map((name) => this.#services[name].stop()));
  }

  #service(api: ApiName, handle: (call: Call) => Promise<Answer>): HttpService {
    // Seen: Nova and Neutron put a Date into their answers, Keystone and Placement (under uWSGI) do not.
    const dated = api === 'nova' || api === 'neutron';
    return new HttpService({
      api,
      handle: async (call) => {
        const answer = await handle(call);
        return this.bend === null ? answer : this.bend(call, answer);
      },
      faults: this.faults,
      now: dated ? () => this.#world.cloudNowMs : null,
      record: (request) => {
        this.requests.push(request);
        if (this.requests.length > maxRequests) this.requests.shift();
      },
    });
  }
}
