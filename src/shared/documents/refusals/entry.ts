// What is known of one refusal: its evidence, who says it and when, how loud, what makes it another one, its sentence,
// and its row in docs/refusals.md. Everything else about refusals is derived from such entries.
import { z } from 'zod';

/**
 * How far Sonny had come when it refused: the picture of the cloud was missing; a suspect was not found dead; a dead
 * host may not be recovered; the recovery that was ordered may not go on.
 */
type RefusalStage = 'picture' | 'suspicion' | 'death' | 'recovery';

/** What an entry says of a refusal with the evidence `R`. */
interface RefusalFacts<R> {
  readonly stage: RefusalStage;
  /** Which processes may say it. */
  readonly by: readonly ('monitor' | 'ns4')[];
  /** error: an outage nobody works on; warning: all is well enough, or will be soon. */
  readonly level: 'warning' | 'error';
  /** It says nothing about the host, only that a look at it failed. */
  readonly doubt?: boolean;
  /** The hosts it is about; none: the whole cloud. */
  about(refusal: R): readonly string[];
  /** It is the cloud that is refused, whomever it is about. */
  readonly ofCloud?: boolean;
  /** Those about the cloud that take each other's place; each stands alone unless it says otherwise. */
  condition?(refusal: R): string;
  /** What makes it another one worth saying, besides its name and hosts: never what merely passes, as time does. */
  sameWhen?(refusal: R): string;
  /** The sentence that Slack, logs and terminals show: what was seen, and that nothing was done. */
  says(refusal: R): string;
  /** The sentence when it is over, where it concerns the cloud or a part of it; a host is "no longer suspicious". */
  over?(scope: string): string;
  /** Its row in docs/refusals.md: what it means, and what to do. */
  readonly means: string;
  readonly remedy: string;
}

/** One refusal. Its functions take that refusal's evidence only; `entryOf` in refusals.ts finds the right entry. */
export interface RefusalEntry<N extends string = string, E extends z.ZodRawShape = z.ZodRawShape>
  extends RefusalFacts<z.infer<z.ZodObject<{ name: z.ZodLiteral<N> } & E>>> {
  readonly name: N;
  readonly schema: z.ZodObject<{ name: z.ZodLiteral<N> } & E>;
}

/**
 * Describes a refusal: `name` is what tests, docs and operators refer to; `evidence` the shape of what it was based on.
 */
export function refusal<const N extends string, E extends z.ZodRawShape>(
  name: N,
  evidence: E,
  facts: RefusalFacts<z.infer<z.ZodObject<{ name: z.ZodLiteral<N> } & E>>>,
): RefusalEntry<N, E> {
  return { name, schema: z.object({ name: z.literal(name), ...evidence }), ...facts };
}

/** Nobody in particular: the refusal is about the whole cloud. */
export const wholeCloud = (): readonly string[] => [];
export const theHost = (refusal: { readonly host: string }): readonly string[] => [refusal.host];
export const theHosts = (refusal: { readonly hosts: readonly string[] }): readonly string[] => refusal.hosts;
