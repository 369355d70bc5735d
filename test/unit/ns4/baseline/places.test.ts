// Whose an address is, by one reading of the servers.
import { expect, test } from 'vitest';
import { Places } from '../../../../src/ns4/baseline/places.ts';
import { address, server } from '../../../support/inventories.ts';

test("an address is of its instance, on its host, unless it may be elsewhere; two claim it: it is nobody's", () => {
  const places = new Places(1_000);
  const at = (ip: string) => ({ addresses: [address(ip, { networkId: 'net' })] });
  places.add([server('vm1', 'hv01', at('203.0.113.1')), server('vm2', 'hv01', at('203.0.113.2'))]);
  places.add([server('vm3', 'hv02', { ...at('203.0.113.3'), taskState: 'migrating' })]);
  places.add([server('vm4', 'hv02', at('203.0.113.2'))]);
  expect(places.of('203.0.113.1')).toEqual({ id: 'id-vm1', host: 'hv01', network: 'net' });
  expect(places.of('203.0.113.2')).toEqual({ id: '-', host: null, network: null });
  expect(places.of('203.0.113.3')).toEqual({ id: 'id-vm3', host: null, network: 'net' });
  expect(places.of('203.0.113.4')).toBeNull();
  expect([...places.addresses]).toHaveLength(3);
});
