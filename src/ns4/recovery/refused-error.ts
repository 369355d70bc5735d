// What ends a recovery, or keeps it from going on, thrown from within a step: it carries the refusal that is told.

import { type Refusal, refusalSentence } from '../../shared/documents/refusals/refusals.ts';
import { OperationalError } from '../../shared/ground/errors.ts';

export abstract class RefusedError extends OperationalError {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusalSentence(refusal));
    this.refusal = refusal;
  }
}
