import { expect, it } from 'vitest';
import { operator } from '../../../../src/shared/process/operator.ts';

const nameless = () => {
  throw new Error('no such user');
};

it.each([
  ['a user', { env: {}, uid: 1000, userName: () => 'alice' }, 'alice (uid 1000)'],
  ['behind sudo', { env: { SUDO_USER: 'alice' }, uid: 0, userName: () => 'root' }, 'alice (by sudo, uid 0)'],
  [
    'a domain user',
    { env: { SUDO_USER: 'CORP\\bob.x' }, uid: 0, userName: () => 'root' },
    'CORP\\bob.x (by sudo, uid 0)',
  ],
  [
    'a made up name',
    { env: { SUDO_USER: 'ceo\u001b]0;x' }, uid: 1000, userName: () => 'alice' },
    'alice (uid 1000)',
  ],
  ['a sentence', { env: { SUDO_USER: 'ceo. All is well' }, uid: 0, userName: () => 'root' }, 'root (uid 0)'],
  ['an empty name', { env: { SUDO_USER: '' }, uid: 0, userName: () => 'root' }, 'root (uid 0)'],
  ['a uid without a name', { env: {}, uid: 4711, userName: nameless }, 'uid 4711'],
  ['no uid at all', { env: {}, uid: null, userName: nameless }, 'uid unknown'],
])('%s', (_, seat, expected) => {
  expect(operator(seat)).toBe(expected);
});
