// Jobs and their queues: what holds for all contracts, and for jobs that share a queue.
import { expect, test } from 'vitest';
import { contracts } from '../../../../src/shared/documents/jobs/contracts.ts';
import { queuesOf } from '../../../../src/shared/jobs/queue.ts';

test('jobs that share a queue have it once, with the concurrency of the widest', () => {
  const job = (queue: string, concurrency: number, ofEachVantagePoint = false) => ({
    queue,
    concurrency,
    ofEachVantagePoint,
  });
  expect(queuesOf([job('work', 1), job('scan', 2, true), job('work', 4)])).toEqual([
    job('work', 4),
    job('scan', 2, true),
  ]);
});

test('what every vantage point is asked is the scan, and nothing else: its answers are merged as votes', () => {
  const asked = Object.values(contracts).filter(({ ofEachVantagePoint }) => ofEachVantagePoint);
  expect(asked.map(({ name }) => name)).toEqual(['scan']);
});
