// Sense: the ports of a host, as the vantage points hear them. Who never heard it cannot tell. Pure.
import type { Reading, Sense, SenseCase } from './sense.ts';

export const hostPortsSense: Sense = {
  name: 'host-ports',
  kind: 'host',
  title: "the host's ports",
  help: 'an address in Nova (my_ip) that every vantage point reaches, with one of [SCAN] hypervisor_ports open or refused there',
  speak,
};

function speak({ looked, nowMs }: SenseCase): Reading {
  const finding = looked?.ports ?? null;
  if (finding === null) return { says: 'cannot-tell', why: 'it was not scanned', heardAtMs: null };
  const { state, detail: why } = finding;
  if (state === 'answers') return { says: 'alive', why, heardAtMs: nowMs };
  return { says: state === 'silent' ? 'silent' : 'cannot-tell', why, heardAtMs: null };
}
