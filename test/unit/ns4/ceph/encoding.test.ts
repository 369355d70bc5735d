// The helper's reading of what a real Ceph (16.2) wrote: hashes as `ceph osd map` says, answers as they came.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

const folder = resolve('src/ns4/ceph/helper');

/** The values of expressions over the helper's encoding.py, or the kinds of their errors; all in one go. */
const expressions: string[] = [];
let values: unknown[] = [];
beforeAll(() => {
  const program = `import sys; sys.path.insert(0, sys.argv[1])
import json, encoding
def value(expression):
    try: return eval(expression, vars(encoding))
    except Exception as error: return type(error).__name__
print(json.dumps([value(expression) for expression in json.load(sys.stdin)]))`;
  const input = JSON.stringify(expressions);
  const args = ['-I', '-B', '-c', program, folder];
  values = JSON.parse(execFileSync('python3', args, { encoding: 'utf8', input }));
});
function expectValue(name: string, expression: string, value: unknown): void {
  const at = expressions.push(expression) - 1;
  test(name, () => expect(values[at]).toEqual(value));
}

const hashes: Record<string, number> = {
  'rbd_id.sonny-fence-0': 0x3c9972ff,
  'rbd_id.sonny-fence-1': 0x99df099,
  'rbd_id.sonny-fence-9': 0xcb76900e,
  'rbd_id.sonny-fence-10': 0x2438fd5f,
  'rbd_id.sonny-fence-20': 0x61bbf4ec,
};
for (const [name, hash] of Object.entries(hashes))
  expectValue(`the hash of ${name}`, `rjenkins('${name}')`, hash);

const firstNames = (...numbers: number[]) => numbers.map((n) => `rbd_id.sonny-fence-${n}`).toSorted();
const names = (groups: number) => `sorted(name_in_each(${groups}).values())`;
expectValue('a name for one placement group', names(1), firstNames(0));
expectValue('a name for each of four', names(4), firstNames(0, 1, 2, 3));
expectValue('a name for each of six, no power of two', names(6), firstNames(0, 1, 2, 3, 13, 16));
expectValue('a name for each of 1000', 'sorted(name_in_each(1000)) == list(range(1000))', true);

const answered = '010000006513000000000000401300b0457f00000a000000010104000000a1ffffff00000000';
const silent = '00000000010000006513000000000000401300b0457f0000';
const locked =
  '01016d00000001000000010121000000086513000000000000140000006175746f20313339393337323832323635393230' +
  '01012f00000000000000000000000101011c00000001000000d2a8848710000000020000007f003d04000000000000000000' +
  '0000000108000000696e7465726e616c';
const client = [4965, 139937282265920];
const bytes = (hex: string) => `bytes.fromhex('${hex}')`;
expectValue('who answered', `notified(${bytes(answered)})`, [[client], []]);
expectValue('who was silent', `notified(${bytes(silent)})`, [[], [client]]);
expectValue('nobody has it open', 'notified(bytes(8))', [[], []]);
expectValue('half an answer', `notified(${bytes(answered.slice(0, 50))})`, 'error');
const owner = [4965, 'auto 139937282265920', '127.0.61.4:0/2273618130'];
expectValue('the owner of a lock', `lockers(${bytes(locked)})`, [owner]);
expectValue('half a lock', `lockers(${bytes(locked.slice(0, 80))})`, 'error');
expectValue('an operation that nobody knows', 'notification().hex()', '010104000000e7030000');

for (const [text, ip] of [
  ['10.2.0.1:0/3424', '10.2.0.1'],
  ['v1:10.2.0.1:6801/3424', '10.2.0.1'],
  ['[fd00::5]:0/7', 'fd00::5'],
  ['v2:[FD00:0::5]:0/7', 'fd00::5'],
  ['-', null],
  ['999.2.0.1:0/1', null],
  ['', null],
])
  expectValue(`the address of "${text}"`, `ip_of('${text}')`, ip);

for (const [ip, entry] of [
  ['10.2.0.1', '10.2.0.1:0/0'],
  ['fd00::5', '[fd00::5]:0/0'],
  ['10.2.0.1:0/0', 'ValueError'],
  ['10.2.0.0/24', 'ValueError'],
  ['', 'ValueError'],
])
  expectValue(`the entry of "${ip}"`, `entry_of('${ip}')`, entry);
