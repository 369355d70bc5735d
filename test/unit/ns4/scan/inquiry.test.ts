// What a scan has found so far of one target: what is an answer at once, and what is one only after somebody was asked.
import { describe, expect, it } from 'vitest';
import { Inquiry } from '../../../../src/ns4/scan/inquiry.ts';
import type { Probe } from '../../../../src/ns4/scan/probe.ts';
import type { ScanTarget } from '../../../../src/shared/documents/jobs/scan.ts';

const address = '203.0.113.1';
const refused: Probe = { state: 'refused', code: null };
const rejected: Probe = { state: 'unknown', code: 'ECONNREFUSED in its own name' };

/** An inquiry about ports 22, 23…, each probe ended as told, and the addresses that were heard. */
function asked(
  kind: ScanTarget['kind'],
  ends: readonly Probe[],
  refusedMeans: 'alive' | 'silent' = 'alive',
): { inquiry: Inquiry; heard: string[] } {
  const heard: string[] = [];
  const inquiry = new Inquiry({ name: 'vm1', kind, endpoints: [] }, refusedMeans, (one) => heard.push(one));
  for (const i of ends.keys()) inquiry.endpoints.set(`${address}:${22 + i}`, { address, port: 22 + i });
  for (const [i, { answer }] of inquiry.questions().entries()) answer(ends[i] as Probe);
  return { inquiry, heard };
}

describe('a refused connect', () => {
  it('of a host is an answer at once', () => {
    const { inquiry, heard } = asked('host', [refused]);
    expect(inquiry).toMatchObject({ settled: true });
    expect(inquiry.said()).toEqual([]);
    expect(heard).toEqual([address]);
  });

  it('of a guest is none before it is known to be a reset', () => {
    const { inquiry, heard } = asked('guest', [refused]);
    expect(inquiry).toMatchObject({ settled: false });
    expect(heard).toEqual([]);
    const [said] = inquiry.said();
    expect(said).toEqual({ endpoint: { address, port: 22 }, code: null });
    inquiry.tell(said as NonNullable<typeof said>, refused);
    expect(inquiry).toMatchObject({ settled: true });
    expect(inquiry.finding()).toEqual({ state: 'answers', detail: `${address}:22 refused` });
    expect(heard).toEqual([address]);
  });

  it('of a guest that was an error in its name is unknown, and the baseline is not told', () => {
    const { inquiry, heard } = asked('guest', [refused]);
    for (const said of inquiry.said()) inquiry.tell(said, rejected);
    expect(inquiry.finding()).toEqual({
      ...{ state: 'unknown', detail: `ECONNREFUSED in its own name at ${address}:22` },
    });
    expect(heard).toEqual([]);
  });

  it('of a guest stands for its port alone: each is asked about', () => {
    const { inquiry, heard } = asked('guest', [refused, refused]);
    const [first, second, ...others] = inquiry.said();
    expect(others).toEqual([]);
    inquiry.tell(first as NonNullable<typeof first>, rejected);
    inquiry.tell(second as NonNullable<typeof second>, refused);
    expect(inquiry.finding()).toEqual({ state: 'answers', detail: `${address}:23 refused` });
    expect(heard).toEqual([address]);
  });

  it('of a guest, where nobody can be asked, is a sign of life but nothing to remember', () => {
    const { inquiry, heard } = asked('guest', [refused, { state: 'silent', code: 'no answer' }]);
    expect(inquiry.finding()).toEqual({ state: 'answers', detail: `${address}:22 refused` });
    expect(heard).toEqual([]);
  });

  it('is not asked about where it proves nothing', () => {
    const { inquiry } = asked('guest', [refused], 'silent');
    expect(inquiry.said()).toEqual([]);
    expect(inquiry.finding()).toEqual({ state: 'silent', detail: `${address}:22 silent (refused)` });
  });
});

it('an error is asked about once for each address, and stands for all of its ports', () => {
  const error: Probe = { state: 'unknown', code: 'EHOSTUNREACH', isSaid: true };
  const { inquiry } = asked('host', [error, error]);
  const said = inquiry.said();
  expect(said).toMatchObject([{ code: 'EHOSTUNREACH' }]);
  for (const one of said) inquiry.tell(one, { state: 'silent', code: 'EHOSTUNREACH from 10.0.0.254' });
  expect(inquiry.finding()).toMatchObject({ state: 'silent' });
});
