// What is said when a recovery ends although its host lives, and of orders that wait for its return.
import { expect, test } from 'vitest';
import { endedText, endedWell } from '../../../../src/shared/documents/events/report-text.ts';
import {
  askedForOnly,
  type InstanceReport,
  type RecoveryReport,
} from '../../../../src/shared/documents/jobs/recover.ts';

const instance = (name: string, change: Partial<InstanceReport> = {}): InstanceReport => ({
  ...{ id: `id-${name}`, name, outcome: 'recovered', why: null, before: 'ACTIVE', after: 'ACTIVE' },
  ...{ to: 'hv04', tookMs: 1_000, answers: null },
  ...change,
});
const report = (change: Partial<RecoveryReport>): RecoveryReport => ({
  ...{ incident: 'i', recovery: 'i.1', dead: 'hv01', targets: [{ kind: 'host', host: 'hv04' }] },
  ...{ outcome: 'done', refusal: null, acted: true, instances: [instance('vm1')], tookMs: 3_100 },
  ...change,
});
const cameBack = { name: 'came-back', host: 'hv01', evidence: 'port 22 open' } as const;

test('stopped by a sign of life: those that were moved, or may yet be, are named', () => {
  const instances = [
    instance('vm1'),
    instance('vm2', { outcome: 'unfinished', why: askedForOnly }),
    instance('vm3', { outcome: 'unfinished', why: 'not asked for' }),
    instance('vm4', { outcome: 'skipped', why: 'it was deleted meanwhile' }),
  ];
  const stopped = report({ outcome: 'stopped', refusal: cameBack, instances });
  expect(endedText(stopped)).toBe(
    'hv01 -> hv04 was stopped after 1 of 4 instances: hv01 shows signs of life (port 22 open). Its recovery stops here. Please look. 2 instances may run TWICE: "vm1", "vm2". Power hv01 off now.',
  );
});

test('stopped before anything moved, or for another reason: nothing runs twice', () => {
  const instances = [instance('vm3', { outcome: 'unfinished', why: 'not asked for' })];
  expect(endedText(report({ outcome: 'stopped', refusal: cameBack, instances }))).not.toContain('TWICE');
  const refusal = { name: 'spare-unfit', host: 'hv01', spare: 'hv04', why: 'it is full' } as const;
  expect(endedText(report({ outcome: 'stopped', refusal }))).not.toContain('TWICE');
});

test('it came on while the last ones moved: not well, although all are back', () => {
  const ended = report({ lifeAtEnd: { evidence: 'port 22 open', since: ['vm1'] } });
  expect(endedWell(ended)).toBe(false);
  expect(endedText(ended)).toBe(
    'hv01 -> hv04: all 1 affected instances are back ("vm1"), after 3.1 s. But hv01 shows signs of life (port 22 open). 1 instance may run TWICE: "vm1". Power hv01 off now.',
  );
  const nobody = report({ lifeAtEnd: { evidence: 'port 22 open', since: [] } });
  expect(endedText(nobody)).toMatch(/signs of life \(port 22 open\)\. Power hv01 off now\.$/);
});

test('an order of a user that waits for the dead host is named with its queue', () => {
  const ended = report({ instances: [instance('vm1'), instance('vm2', { pending: 'rebooting_hard' })] });
  expect(endedText(ended)).toMatch(
    /Orders of users wait for hv01 in RabbitMQ: "vm2" \(rebooting_hard\)\. Purge the queue compute\.hv01 before it returns\.$/,
  );
  expect(endedWell(ended)).toBe(true);
});

test("one that found no host, as by the affinity of its server group, is named with Nova's own words", () => {
  const why = 'No valid host was found';
  const ended = report({
    instances: [instance('vm1'), instance('vm2', { outcome: 'failed', why, after: 'ERROR' })],
  });
  expect(endedText(ended)).toBe(
    'hv01 -> hv04: 1 of 2 instances are back after 3.1 s; "vm2" failed (No valid host was found). Please look.',
  );
});
