// Errors as people read them: whatever was thrown, as one line without a stack.

/** The message of anything thrown, with the messages of its causes behind it: "connect failed: ECONNREFUSED". */
export function errorText(thrown: unknown): string {
  const lines = messageOf(thrown)
    .split('\n')
    .map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}

function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.message || (thrown as NodeJS.ErrnoException).code || thrown.name;
  if (thrown instanceof AggregateError && thrown.errors.length > 0)
    return `${own}: ${messageOf(thrown.errors[0])}`;
  return thrown.cause === undefined ? own : `${own}: ${messageOf(thrown.cause)}`;
}

/**
 * A mistake of the user (configuration, arguments): shown as its lines, one per mistake, without a stack, and ends the
 * process with code 2.
 */
export class UsageError extends Error {
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'UsageError';
    this.lines = lines;
  }
}

/** Something a user can act on failed (a service is away, a login refused): one line, no stack, exit code 1. */
export class OperationalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OperationalError';
  }
}

/**
 * A service that Sonny needs is away, refuses, or gave no answer in time. Whoever can wait asks it again; a command
 * ends with this one line, no stack, exit code 1.
 */
export class ServiceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ServiceError';
  }
}
