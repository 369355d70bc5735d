// Sense: the addresses of a host's instances. Any that answers is a sign of life of its host, unless it may run elsewhere
// by now; silence counts of those only that run and were heard since their launch. Pure.
import { shortened } from '../../documents/terms/shortened.ts';
import { counted } from '../../ground/counted.ts';
import type { AskedGuest, Reading, Sense, SenseCase } from './sense.ts';

export const guestAddressesSense: Sense = {
  name: 'guest-addresses',
  kind: 'guests',
  title: 'the addresses of its instances',
  help: 'an instance on it that runs, with an address on one of the external networks, that answers on one of [SCAN] instance_ports',
  speak,
};

/** Names in a sentence. */
const mostNamed = 3;

function speak({ looked, nowMs }: SenseCase): Reading {
  const guests = looked?.guests ?? [];
  if (guests.length === 0)
    return {
      says: 'cannot-tell',
      why: 'no instance of it has an address that can be asked',
      heardAtMs: null,
    };
  const answering = guests.filter(({ tells, finding }) => tells !== 'nothing' && finding.state === 'answers');
  if (answering.length > 0)
    return {
      says: 'alive',
      why: `${answering.length} of ${counted(guests.length, 'instance')} ${answering.length === 1 ? 'answers' : 'answer'} (${names(answering)})`,
      heardAtMs: nowMs,
    };
  const silent = guests.filter(({ tells, finding }) => tells === 'testifies' && finding.state === 'silent');
  if (silent.length > 0)
    return { says: 'silent', why: `${names(silent)}: silent, though heard before`, heardAtMs: null };
  return { says: 'cannot-tell', why: `nobody of these can testify: ${reasons(guests)}`, heardAtMs: null };
}

const names = (guests: readonly AskedGuest[]): string =>
  shortened(
    guests.map(({ title }) => title),
    mostNamed,
  );

const reasons = (guests: readonly AskedGuest[]): string =>
  shortened(
    guests.map(({ title, finding }) => `${title}: ${finding.detail}`),
    mostNamed,
  );
