// What names and ids from OpenStack may be.
import { describe, expect, it } from 'vitest';
import { CloudError } from '../../../../src/ns4/cloud/cloud.ts';
import { hostName, id, inPath } from '../../../../src/ns4/cloud/outside.ts';

const uuid = '0aBc4567-89ab-4def-8123-456789abcdef';

describe('an id', () => {
  it.each([
    [uuid, uuid],
    [uuid.replaceAll('-', ''), uuid.replaceAll('-', '')],
    [7, '7'],
    ['0', '0'],
    ['9223372036854775807', '9223372036854775807'],
  ])('%j is one', (found, text) => {
    expect(id.parse(found)).toBe(text);
  });

  it.each([
    ...['', '.', '..', '../7', '7/action', '7?x', ' 7', '7\n', '-7', '7.5', '1e3', '__proto__', 'vm-1'],
    ...[`${uuid}0`, `{${uuid}}`, uuid.slice(1), '1'.repeat(20), -1, 1.5, Number.NaN, null, true, [], {}],
  ])('%j is none', (found) => {
    expect(id.safeParse(found).success).toBe(false);
  });
});

it.each(['', '.', '..', 'a/b', 'a b', 'hv\nip=203.0.113.66', 'ä', 'x'.repeat(256), 7, null])(
  '%j is no name of a host',
  (found) => {
    expect(hostName.safeParse(found).success).toBe(false);
  },
);

describe('in a path', () => {
  it.each([uuid, '7', 'vm_1'])('%s stands as it is', (text) => {
    expect(inPath(text)).toBe(text);
  });
  it.each(['', '.', '..', 'a/b', 'a?b#c', '%2e%2e', 'a\r\nb', 'x'.repeat(65)])(
    '%j asks for nothing',
    (text) => {
      expect(() => inPath(text)).toThrow(CloudError);
    },
  );
});
