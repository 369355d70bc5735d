// The guards of the level `ceph` and of the way back, each with the text that takes it out: what counts as cut off, for how
// long it counts, and when an entry may go.
import { type Guard, guard, inFocus } from './guard.ts';

const cutOff = 'ns4/disks/cut-off.ts';
const level = 'ns4/fencing/ceph-level.ts';
const proof = 'cut off from Ceph as the proof';
const hangs = 'Ceph hangs while it is to prove';
const back = 'back from the blocklist';

export const blocklistGuards: readonly Guard[] = [
  inFocus(
    proof,
    guard('level: barrier', 'an entry is a proof once every OSD knows of it', [
      cutOff,
      'const barrier = await storage.barrier(within(timeoutMs));',
      "const barrier = { kind: 'passed' }",
    ]),
  ),
  inFocus(
    proof,
    guard('level: every address', 'all addresses that a host was seen with are blocked', [
      cutOff,
      'const blocked = await storage.block(own, yearSeconds, within(blockMs));',
      'const blocked = await storage.block(own.slice(0, 1), yearSeconds, within(blockMs));',
    ]),
  ),
  inFocus(
    'cut off from Ceph, but not all of it',
    guard('level: self-check', 'nobody who is not blocked has a disk open, or its lock', [
      cutOff,
      'const trouble = await openByOthers(parts, request, book, within);',
      'const trouble = null;',
    ]),
  ),
  inFocus(
    'cut off from Ceph, with disks elsewhere',
    guard('level: all disks here', 'who has a disk elsewhere is not cut off from it', [
      cutOff,
      '(asProofWithinMs === undefined ? null : notHere(instances, pools, watchers))',
      'null',
    ]),
  ),
  inFocus(
    hangs,
    guard('level: barrier passed', 'no proof while an OSD does not answer', [
      cutOff,
      "if (barrier.kind === 'cannot-tell') return failed('not every placement group knows of it', barrier);",
      '',
    ]),
  ),
  inFocus(
    hangs,
    guard(
      'level: blocked at all',
      'no proof by an entry of which the monitors did not say that it is there',
      [cutOff, "if (blocked.kind === 'cannot-tell') return", 'if (false) return'],
    ),
  ),
  inFocus(
    hangs,
    guard('level: no proof without it', 'whoever could not be cut off is not evacuated', [
      level,
      "if (!result.done) return failed('not-cut-off', result.why);",
      "if (!result.done) return { off: true, atMs: clock.nowMs(), addresses: [], output: '' };",
    ]),
  ),
  inFocus(
    'its entries go while it is recovered',
    guard('level: asked again', 'nothing more moves once an entry is gone', [
      'ns4/fencing/ceph-fence.ts',
      "if (open.length > 0) return { says: 'on'",
      "if (false) return { says: 'on'",
    ]),
  ),
  inFocus(
    'its entries go before its recovery goes on',
    guard('level: not cut off again', 'whoever has the host in his hands does not find it cut off anew', [
      level,
      "if (seen.says === 'on') return failed('lifted', seen.said);",
      '',
    ]),
  ),
  inFocus(
    back,
    guard('lifted after a boot', 'no entry goes by an uptime that began before', [
      'ns4/disks/rebooted.ts',
      'if (boot.notBeforeMs > cut.atMs)',
      'if (boot.notBeforeMs > 0)',
    ]),
  ),
  inFocus(
    back,
    guard('lifted by a typed name', 'what nobody knows a person says', [
      'ns4/commands/lift.ts',
      '    await parts.ask(',
      '    void String(',
    ]),
  ),
  inFocus(
    'back from the blocklist with its old guests',
    guard('lifted without copies', 'an entry stays while copies of what was moved may be left', [
      'ns4/commands/lift.ts',
      'const left = await parts.copiesLeft(host);',
      'const left = null as string | null;',
    ]),
  ),
];
