// A service's "no" to a request, thrown by the world and put into each API's own shape by the HTTP layer.

/** `status` is the HTTP status; `code` is Placement's error code where it has one. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly code: string | null;
  constructor(status: number, message: string, code: string | null = null) {
    super(message);
    this.name = 'ApiRefusal';
    this.status = status;
    this.code = code;
  }
}
