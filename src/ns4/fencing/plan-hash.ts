// A plan of fencing as a short text by which two ns4 can tell whether theirs is the same. It stands in Redis, where many
// may read it: so no secret's value is part of it, as a hash of a short password tells the password.
import { createHash } from 'node:crypto';
import { builtIn, type FencingPlan, isSecretOption, type Level } from './plan.ts';

/** Stands for what a host is called, of those that are not named. */
const anybody = '{host}';

/** Agents are told by their names: their programs may lie elsewhere on another machine. */
export function planHash({ hosts, others }: Pick<FencingPlan, 'hosts' | 'others'>): string {
  const named = [...hosts].map(([host, levels]) => [host, levels.map(told)] as const);
  const plan = [
    named.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    others === null ? null : others(anybody).map(told),
  ];
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

const told = ({ kind, devices }: Level) =>
  kind === 'ceph'
    ? builtIn
    : devices.map(({ agent, options }) => [
        agent,
        Object.entries(options)
          .map(([key, value]) => [key, isSecretOption(key) ? null : value])
          .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      ]);
