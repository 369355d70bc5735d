// The documents say what the entries say: config.example.ini, README's keys and docs/refusals.md are derived from them.
import { expect, test } from 'vitest';
import { derivedDocuments } from '../../scripts/write-docs.ts';

test.each(derivedDocuments().map(({ file, now, derived }) => [file, now, derived]))(
  '%s is up to date ("npm run docs" writes it)',
  (_file, now, derived) => expect(now).toBe(derived),
);
