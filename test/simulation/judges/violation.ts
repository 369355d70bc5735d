// Something that must never be was.

export class Violation extends Error {
  /** Which invariant. */
  readonly rule: string;
  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.name = 'Violation';
    this.rule = rule;
  }
}

export function must(condition: boolean, rule: string, detail: string): void {
  if (!condition) throw new Violation(rule, detail);
}
