// The documents say what the table of keys says: config.example.ini and README's table are derived from it.
import { expect, test } from 'vitest';
import { derivedDocuments } from '../../../../scripts/write-docs.ts';

test.each(derivedDocuments().map(({ file, now, derived }) => [file, now, derived]))(
  '%s is up to date ("npm run docs" writes it)',
  (_file, now, derived) => expect(now).toBe(derived),
);
