// What a plan says of one instance, and of all hosts that it names.
import { expect, test } from 'vitest';
import {
  namedHosts,
  type Plan,
  placeOf,
  planOntoSpare,
  planSchema,
  targetsOf,
  targetsText,
} from '../../../../src/shared/documents/terms/plan.ts';

const on = (host: string) => ({ kind: 'host', host }) as const;
const anywhere = { kind: 'scheduler' } as const;
const plan: Plan = planSchema.parse({
  method: 'reserved_host',
  moves: [
    { instances: 'others', target: anywhere, otherwise: on('hv05'), wave: 2 },
    { instances: ['a', 'b'], target: on('hv04'), otherwise: null, wave: 1 },
  ],
  enable: ['hv04', 'hv06'],
});

test('an instance goes by the move that names it, whatever stands before; all others by the move of the others', () => {
  expect(placeOf(plan, 'b')).toEqual({ target: on('hv04'), otherwise: null, wave: 1 });
  expect(placeOf(plan, 'c')).toEqual({ target: anywhere, otherwise: on('hv05'), wave: 2 });
  expect(placeOf({ moves: plan.moves.slice(1) }, 'c')).toBeNull();
});

test('the hosts that it names: targets, fallbacks and those to enable, each once', () => {
  expect(namedHosts(plan).sort()).toEqual(['hv04', 'hv05', 'hv06']);
  expect(namedHosts(planOntoSpare('hv04'))).toEqual(['hv04']);
});

test('for people', () => {
  expect(targetsText(targetsOf(plan))).toBe('wherever Nova has room, hv05, hv04');
  expect(targetsText(targetsOf(planOntoSpare('hv04')))).toBe('hv04');
});
