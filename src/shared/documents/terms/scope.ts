// What a statement is about: the whole cloud, a part of it, a host or an instance. Pure.
import { z } from 'zod';

const typedScopeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cloud') }),
  z.object({ kind: z.literal('zone'), name: z.string() }),
  z.object({ kind: z.literal('aggregate'), name: z.string() }),
  /** A hypervisor, by its service host. */
  z.object({ kind: z.literal('host'), name: z.string() }),
  /** An instance, by its id. */
  z.object({ kind: z.literal('instance'), name: z.string() }),
]);
export type Scope = z.infer<typeof typedScopeSchema>;

export const cloudScope: Scope = { kind: 'cloud' };
export const hostScope = (name: string): Scope => ({ kind: 'host', name });

/** A part of the cloud that hosts share: an outage is one of these. */
export type PartScope = Extract<Scope, { kind: 'cloud' | 'zone' | 'aggregate' }>;

/** For people: "cloud", "zone az1", "aggregate ssd", and a host or an instance by its bare name. */
export function scopeText(scope: Scope): string {
  switch (scope.kind) {
    case 'cloud':
      return 'cloud';
    case 'zone':
    case 'aggregate':
      return `${scope.kind} ${scope.name}`;
    case 'host':
    case 'instance':
      return scope.name;
  }
}

/** Are both about the same? A host called "cloud" is not the cloud. */
export const isSameScope = (a: Scope, b: Scope): boolean => scopeKey(a) === scopeKey(b);

/** Equal for the same scope, different for others; for maps within a process. */
export const scopeKey = (scope: Scope): string =>
  scope.kind === 'cloud' ? scope.kind : `${scope.kind} ${scope.name}`;

/** As `scopeText` wrote it before scopes were typed: version 1 of states, reports and events holds such texts. */
function fromText(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  const [, kind, name] = /^(zone|aggregate) (.+)$/s.exec(text) ?? [];
  return kind === undefined ? (text === 'cloud' ? cloudScope : hostScope(text)) : { kind, name };
}

export const scopeSchema = z.preprocess(fromText, typedScopeSchema);

/** A scope that hosts share, as it stands in refusals. */
export const partScopeSchema = z.preprocess(
  fromText,
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('cloud') }),
    z.object({ kind: z.literal('zone'), name: z.string() }),
    z.object({ kind: z.literal('aggregate'), name: z.string() }),
  ]),
);
