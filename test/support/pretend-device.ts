// A fence agent of our own with the device it speaks to: a program in sh that follows the protocol and behaves as a
// test tells it to, and a log of what it was asked.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device, DeviceLevel } from '../../src/ns4/fencing/plan.ts';

/**
 * honest: does as told; refuses: `off` fails; pretends: says it did, and did not; hides: does it, and always shows on;
 * hangs: never answers `off`; away: answers nothing; awaits: does it when the test has switched its power off.
 */
export type Behaviour = 'honest' | 'refuses' | 'pretends' | 'hides' | 'hangs' | 'away' | 'awaits';

export const devicePassword = 'hunter2-of-the-device';

export class PretendDevice {
  readonly program: string;
  readonly #dir: string;

  /** Its files are made in `dir`, which is its own. Powered on, and honest. */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.#dir = dir;
    this.program = join(dir, 'fence_pretend');
    writeFileSync(this.program, script(dir), { mode: 0o755 });
    this.behave('honest');
    this.power('on');
  }

  behave(as: Behaviour): void {
    writeFileSync(join(this.#dir, 'behaviour'), as);
  }

  power(state: 'on' | 'off'): void {
    writeFileSync(join(this.#dir, 'power'), state);
  }

  get isOn(): boolean {
    return readFileSync(join(this.#dir, 'power'), 'utf8').trim() === 'on';
  }

  /** Every action it was told, oldest first. */
  get told(): { readonly atMs: number; readonly action: string }[] {
    const file = join(this.#dir, 'log');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [atMs, action] = line.split(' ');
      return { atMs: Number(atMs), action: action ?? '' };
    });
  }

  /** How often it was told to power off. */
  get offs(): number {
    return this.told.filter(({ action }) => action === 'off').length;
  }

  /** Ends an agent that hangs, with all it started: nobody else does when its ns4 was killed. */
  endHanging(): void {
    process.kill(-Number(readFileSync(join(this.#dir, 'hanging'), 'utf8')), 'SIGKILL');
  }

  device(number = 1): Device {
    const options = { username: 'sonny', password: devicePassword };
    return { agent: `fence_pretend${number}`, program: this.program, options };
  }

  /** As level `number`, with further devices beside it. */
  level(number = 1, ...others: readonly PretendDevice[]): DeviceLevel {
    return { number, devices: [this, ...others].map((one) => one.device(number)) };
  }
}

const script = (dir: string) => `#!/bin/sh
action=$(sed -n 's/^action=//p')
[ -n "$action" ] || exit 1
echo "$(date +%s%3N) $action" >> ${dir}/log
behaviour=$(cat ${dir}/behaviour)
case "$behaviour $action" in
  *' status') [ "$behaviour" = away ] && { echo "connection timed out" >&2; exit 1; }
    [ "$behaviour" = hides ] && { echo "Status: ON"; exit 0; }
    [ "$(cat ${dir}/power)" = on ] && { echo "Status: ON"; exit 0; }
    echo "Status: OFF"; exit 2 ;;
  'refuses off'|'away off') echo "Failed: unable to connect" >&2; exit 1 ;;
  'pretends off') echo "Success: Powered OFF"; exit 0 ;;
  'awaits off') while [ "$(cat ${dir}/power)" = on ]; do sleep 0.05; done; echo "Success: Powered OFF" ;;
  'hangs off') trap '' TERM; echo $$ > ${dir}/hanging; sleep 60 ;;
  *) echo "$action" > ${dir}/power; echo "Success: Powered $action"; exit 0 ;;
esac
`;
