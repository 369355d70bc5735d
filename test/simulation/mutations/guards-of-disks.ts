// The guards on clouds whose disks are on Ceph, each with the text that takes it out: disks that answer, and the cut-off
// before anything moves.
import { type Guard, guard, inFocus, rarely } from './guard.ts';

const cutOff = 'ns4/disks/cut-off.ts';
const verdict = 'monitor/core/watches/hosts/verdict.ts';
const signs = 'ns4/recovery/sign-of-life.ts';

export const diskGuards: readonly Guard[] = [
  inFocus(
    'cut off from all but storage',
    guard(
      'disks are open',
      'nobody is dead whose disks answer, to either scan',
      [
        'monitor/core/watches/hosts/silent-ones.ts',
        "if (disks?.state === 'answers') return { refusal: { name: 'disks-open', host, on: disks.detail } };",
        '',
      ],
      [
        verdict,
        'const open = about.draft.rules.asksDisks ? disksRefusal(host, scan.targets[disksName(host)]) : null;',
        'const open = null;',
      ],
    ),
  ),
  inFocus(
    'openers that nobody hears',
    guard('openers elsewhere', 'disks are silent only while openers on other hosts answer', [
      'ns4/disks/judge.ts',
      'if (others.answered === 0) {',
      'if (false) {',
    ]),
  ),
  inFocus(
    'openers that miss a question',
    guard('asked twice', 'silent disks are asked once more', [
      'ns4/disks/disks.ts',
      "if (first.state !== 'silent') return first;",
      "if (first.state !== 'nothing') return first;",
    ]),
  ),
  inFocus(
    'openers that miss a question',
    guard('some seconds later', 'who lost his connection has it again when he is asked once more', [
      'ns4/disks/disks.ts',
      'await clock.sleep(againMs, signal);',
      '',
    ]),
  ),
  inFocus(
    'asleep for long, cut off from Ceph',
    // Entries that end within the hour count for nothing in themselves.
    guard(
      'for a year',
      'an entry lasts longer than a host sleeps',
      [cutOff, 'const yearSeconds = 365 * 86_400;', 'const yearSeconds = 60;'],
      ['ns4/disks/blocked.ts', 'const leastMs = 3_600_000;', 'const leastMs = 0;'],
    ),
  ),
  inFocus(
    'its storage returns before it is begun',
    guard('disks answer ns4', 'nothing is done to a host whose disks answer again', [
      signs,
      "if (disks?.state === 'answers') return { name: 'disks-open', host, on: disks.detail };",
      '',
    ]),
  ),
  inFocus(
    'frozen, cut off from Ceph, thawed',
    guard('cut off first', 'whoever may wake up is kept from writing before anything moves', [
      'ns4/recovery/stages/cut-off.ts',
      "if (tools.clock.nowMs() - sinceMs <= countsMs) return 'next';",
      "return 'next';",
    ]),
  ),
  inFocus(
    'frozen, cut off from Ceph, thawed',
    guard('barrier', 'an entry counts once every OSD knows of it', [
      cutOff,
      'const barrier = await storage.barrier(within(timeoutMs));',
      "const barrier = { kind: 'passed' }",
    ]),
  ),
  inFocus(
    'nobody can be asked but the disks',
    guard('block', 'the addresses of the host are blocked', [
      cutOff,
      'const blocked = await storage.block(own, yearSeconds, within(blockMs));',
      "const blocked = { kind: 'done' }",
    ]),
  ),
  inFocus(
    'an address that nobody learned',
    guard('self-check', 'nobody who is not blocked has a disk open, or its lock', [
      cutOff,
      'const trouble = await openByOthers(parts, request, book, within);',
      'const trouble = null;',
    ]),
  ),
  inFocus(
    'one address of two hosts',
    guard('shared address', 'an address of two hosts cuts off nobody', [
      'ns4/disks/address-book.ts',
      'const isShared = ({ address }: SeenAddress) => this.hostsAt(address).length > 1;',
      'const isShared = (_: SeenAddress) => false;',
    ]),
  ),
  inFocus(
    'Ceph away when a host dies',
    guard('no cut-off, no change', 'nothing moves from a host that could not be cut off', [
      'ns4/recovery/stages/cut-off.ts',
      "return isTaken ? 'again' : without(recovery, { name: 'not-cut-off', host, detail: why });",
      "return 'next';",
    ]),
  ),
  inFocus(
    'nobody can be asked but the disks',
    guard('disks as witnesses', 'disks that fell silent testify where nobody else can', [
      verdict,
      'if (disksSilence(about).length > 0) return judgeByDisks(about, others);',
      '',
    ]),
  ),
  rarely(
    inFocus(
      'its storage returns before it is begun',
      guard('asked before each request', 'an instance whose disk answers is not started elsewhere', [
        'ns4/recovery/stages/begin-to-move.ts',
        'if (tools.storage === null) return null;',
        'if (tools.storage !== undefined) return null;',
      ]),
    ),
  ),
];
