// Who vouches for a scan, as a table: a gateway does not, where a hypervisor could.
import { expect, test } from 'vitest';
import { isVouchedFor } from '../../../../../src/shared/rules/senses/vouching.ts';

const host = (name: string) => ({ name, kind: 'host' as const });
const guest = (name: string) => ({ name, kind: 'guest' as const });
const gateway = { name: '10.0.0.1:443' };

test.each([
  ['nobody was asked', [], [], false],
  ['a hypervisor answers', [host('hv02'), host('hv03')], ['hv03'], true],
  ['only the gateway answers, hypervisors do not', [host('hv02'), gateway], ['10.0.0.1:443'], false],
  ['only a guest answers, hypervisors do not', [host('hv02'), guest('vm1')], ['vm1'], false],
  ['a hypervisor answers, the gateway does not', [host('hv02'), gateway], ['hv02'], true],
  ['no hypervisor was asked: the gateway stands in', [gateway], ['10.0.0.1:443'], true],
  ['no hypervisor was asked, nobody answers', [gateway, guest('vm1')], [], false],
  ['an older monitor does not say what they are', [{ name: 'hv02' }, gateway], ['10.0.0.1:443'], true],
])('%s', (_, controls, answering, expected) => {
  expect(isVouchedFor(controls, (name) => answering.includes(name))).toBe(expected);
});
