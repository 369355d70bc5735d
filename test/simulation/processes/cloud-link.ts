// A worker's way to the pretend OpenStack in a history: what befalls its requests is drawn from the weather, and it may
// be killed or stand still in the midst of one.
import type { RequestFault } from '../../../simulator/faults/request-faults.ts';
import { InProcessCloud } from '../../../simulator/openstack-in-process/cloud.ts';
import {
  type ChangeRequest,
  type IsAnswered,
  Link,
  type Trouble,
} from '../../../simulator/openstack-in-process/link.ts';
import type { World } from '../../../simulator/world/world.ts';
import { CloudError } from '../../../src/ns4/cloud/cloud.ts';
import type { Random } from '../random.ts';
import type { Weather } from '../weather.ts';
import { never, type Process } from './process.ts';

interface Parts {
  readonly world: World;
  readonly process: Process;
  readonly random: Random;
  readonly weather: Weather;
  /** Its own line to the APIs. */
  readonly line: { cut: boolean };
  /** Is told when a changing request leaves. */
  readonly onSend: (request: ChangeRequest) => void;
}

export class CloudLink extends InProcessCloud {
  constructor(parts: Parts) {
    super(parts.world, new WorkersLink(parts));
  }
}

class WorkersLink extends Link {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    const { world, process } = parts;
    const sender = {
      nowMs: () => process.clock.nowMs(),
      pause: (ms: number) => process.answer(ms, () => undefined),
    };
    super(world, sender, weatherTrouble(parts));
    this.#parts = parts;
    this.onSend = parts.onSend;
  }

  override read<T>(isThere: boolean, signal: AbortSignal, make: () => T): Promise<T> {
    this.#parts.process.isUnaware = false;
    return super.read(isThere, signal, make);
  }

  override async change(
    isThere: boolean,
    request: ChangeRequest,
    signal: AbortSignal,
    apply: () => IsAnswered | null,
  ): Promise<void> {
    const { process, random, weather, line } = this.#parts;
    const leaves = isThere && !line.cut && !signal.aborted && !random.chance(weather.changeNotSent);
    if (leaves && random.chance(weather.killAtChange)) {
      if (random.chance(0.5)) this.send(request, apply, 0);
      process.kill();
      return never();
    }
    if (leaves && random.chance(weather.freezeAtChange)) {
      // What was written to the socket leaves; whoever wrote it stands still.
      this.send(request, apply, 0);
      process.freeze(random.pick([3_000, 10_000, 30_000]));
      await process.answer(0, () => undefined);
      throw new CloudError('unknown', 'no answer within 30 s', null);
    }
    return super.change(leaves, request, signal, apply);
  }
}

function weatherTrouble({ random, weather, line }: Parts): Trouble {
  return {
    read: () => {
      if (line.cut || random.chance(weather.readFails)) return 'fails';
      return random.chance(weather.readSlow) ? { slowMs: random.between(100, 5_000) } : null;
    },
    change: () => changeTrouble(random, weather),
  };
}

function changeTrouble(random: Random, weather: Weather): RequestFault | null {
  if (random.chance(weather.changeNotNow)) return { kind: 'error', status: random.pick([401, 429]) };
  if (random.chance(weather.changeFails)) return { kind: 'error', status: 500 };
  if (random.chance(weather.changeProxyPage))
    return { kind: random.pick(['html', 'page-after']), status: random.pick([404, 502, 503]) };
  const lost = random.chance(weather.changeAnswerLost);
  if (random.chance(weather.changeLate))
    return { kind: 'lose-answer', delayMs: random.between(1_000, 100_000) };
  return lost ? { kind: 'lose-answer' } : null;
}
