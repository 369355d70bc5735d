// An instance's allocation moved as Sonny's client does it by a reading and a writing: all that is booked on one
// provider is booked on another one instead.
import { CloudError } from '../../src/ns4/cloud/cloud.ts';
import type { PlacementBook } from '../world/placement-book.ts';

/** @throws CloudError (not-done) for a provider or an allocation that there is not */
export function moveAllocation(book: PlacementBook, id: string, fromName: string, toName: string): void {
  const from = providerNamed(book, fromName);
  const to = providerNamed(book, toName);
  if (from === to) return;
  const known = book.consumers.get(id);
  if (known === undefined) throw new CloudError('not-done', `Placement has no allocation for ${id}`, null);
  const { [from]: leaving, ...staying } = Object.fromEntries(known.allocations);
  if (leaving === undefined) return;
  const allocations = new Map(Object.entries({ [to]: leaving, ...staying }));
  book.replace(id, { ...known, allocations }, known.generation);
}

function providerNamed(book: PlacementBook, name: string): string {
  for (const provider of book.providers.values()) if (provider.name === name) return provider.id;
  throw new CloudError('not-done', `Placement knows no resource provider ${name}`, null);
}
