// Standard output and standard error of a process, each write of which passes the masker: logs, what commands print,
// warnings of Node and of libraries, and last words. Whoever writes need not think of it, and cannot forget it.
import type { Mask } from '../masks/secrets.ts';

type Write = (chunk: string, ...rest: unknown[]) => boolean;

/** From here on, for as long as the process lives. */
export function guardOutputs(mask: Mask): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as Write;
    const guarded = (chunk: string | Uint8Array, ...rest: unknown[]): boolean =>
      write(mask(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()), ...rest);
    stream.write = guarded as typeof stream.write;
  }
}
