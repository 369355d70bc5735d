// Every regular expression in a source text, and whether one may cost more than its text is long: then whoever writes
// that text can stop the process.
import { isSafe } from 'redos-detector';
import { parseAst } from 'vitest/node';

/** One that is not to stand there. */
export interface BadExpression {
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

interface Found {
  readonly at: number;
  readonly text: string;
  /** Null: it is made at run time, and nobody can judge it here. */
  readonly expression: RegExp | null;
}

/** The steps of the search for a bad text, not time: the same verdict on a busy machine. */
const mostSteps = 10_000;

/** All that are not certainly harmless; `source` is TypeScript. */
export function badExpressionsIn(source: string): BadExpression[] {
  return expressionsIn(source).flatMap(({ at, text, expression }) => {
    const why = expression === null ? 'is made at run time, where nothing judges it' : whyBad(expression);
    return why === null ? [] : [{ line: source.slice(0, at).split('\n').length, text, why }];
  });
}

/** How many there are. */
export const countExpressions = (source: string): number => expressionsIn(source).length;

function expressionsIn(source: string): Found[] {
  const found: Found[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) visit(one);
    if (typeof node !== 'object' || node === null || !('type' in node)) return;
    const one = foundAt(node as Node, source);
    if (one !== null) found.push(one);
    for (const part of Object.values(node)) visit(part);
  };
  visit(parseAst(source, { lang: 'ts' }));
  return found;
}

/** Of the nodes of ESTree, as far as they matter. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly regex?: { readonly pattern: string; readonly flags: string } | null;
  readonly callee?: {
    readonly type: string;
    readonly name?: string;
    readonly property?: { readonly name?: string };
  };
  readonly arguments?: readonly { readonly type: string; readonly value?: unknown }[];
}

/** Methods of texts that make an expression of a text they are given. */
const makers = ['match', 'matchAll', 'search'];

function foundAt(node: Node, source: string): Found | null {
  const text = source.slice(node.start, node.end);
  if (node.regex) {
    const { pattern, flags } = node.regex;
    return { at: node.start, text, expression: new RegExp(pattern, flags) };
  }
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return null;
  const isMade =
    node.callee?.name === 'RegExp' ||
    (makers.includes(node.callee?.property?.name ?? '') &&
      (typeof node.arguments?.[0]?.value === 'string' || node.arguments?.[0]?.type === 'TemplateLiteral'));
  return isMade ? { at: node.start, text, expression: null } : null;
}

function whyBad(expression: RegExp): string | null {
  // Where "^" begins anew at each line, blanks behind it reach over all lines that follow.
  if (expression.multiline && /\^(?:\\s|\[[^\]]*\\s)/.test(expression.source))
    return 'white space behind "^" reaches over lines';
  // Names of groups change nothing, and the detector does not read them.
  const unnamed = expression.source.replaceAll(/\(\?<(?![=!])\w+>/g, '(');
  const { safe, error } = isSafe(new RegExp(unnamed, expression.flags), {
    maxSteps: mostSteps,
    timeout: Number.POSITIVE_INFINITY,
  });
  return safe ? null : (error ?? 'unsafe');
}
