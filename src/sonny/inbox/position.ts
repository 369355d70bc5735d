// A place in the event stream of a cloud, and the cursor as Redis keeps it. Pure.

/** A place in the event stream of a cloud. */
export interface Position {
  /** Redis' id of the event. */
  readonly id: string;
  /** Number of the event in its stream, from 1, to count lost events; null: unknown. */
  readonly number: number | null;
}

/** Before the first event. */
export const streamStart: Position = { id: '0-0', number: 0 };

/** Milliseconds since the epoch in a stream id. */
export const idMs = (id: string): number => Number(id.split('-')[0]);

/** Order of two stream ids, as sort() wants it. */
export function compareIds(a: string, b: string): number {
  return idMs(a) - idMs(b) || Number(a.split('-')[1]) - Number(b.split('-')[1]);
}

/** The cursor as it is stored: the id, and the number when it is known. */
export function formatPosition({ id, number }: Position): string {
  return number === null ? id : `${id} ${number}`;
}

/** A stored cursor; null when there is none, or nothing that could be one. */
export function parsePosition(text: string | null): Position | null {
  const [, id, number] = /^(\d+-\d+)(?: (\d+))?$/.exec(text ?? '') ?? [];
  if (id === undefined) return null;
  return { id, number: number === undefined ? null : Number(number) };
}
