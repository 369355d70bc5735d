// The status document in Redis: of this version, of another, none at all.
import { describe, expect, it } from 'vitest';
import { readStatus } from '../../../../src/shared/redis/status.ts';
import { monitorStatus } from '../../../support/monitor-statuses.ts';

const read = (text: string | null) => readStatus({ get: async () => text }, { status: 'status' });
const status = monitorStatus();

describe('the status of a monitor', () => {
  it('is read', async () => {
    expect(await read(JSON.stringify(status))).toEqual({ kind: 'found', status });
  });
  it('is read although its reports are of a newer ns4', async () => {
    const newer = { ...status, reports: [{ refusal: { name: 'of-next-year' } }] };
    expect(await read(JSON.stringify(newer))).toEqual({ kind: 'found', status });
  });
  it('may not be there yet', async () => {
    expect(await read(null)).toEqual({ kind: 'none' });
  });
  it.each([
    [JSON.stringify({ ...status, version: 2 }), 2],
    [JSON.stringify({ ...status, incidents: 'many' }), 1],
    ['{}', null],
    ['', null],
    ['null', null],
  ])('is not understood: %s', async (text, version) => {
    expect(await read(text)).toEqual({ kind: 'not-understood', version });
  });
});
