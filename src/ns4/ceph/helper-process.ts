// The life of a helper program that answers lines with lines: started when it is first asked, started again after a pause
// when it ended, killed when it hangs or talks nonsense, ended with ns4. Whatever becomes of it, every request is
// answered in its time.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import type { Mask } from '../../shared/masks/secrets.ts';
import { type CannotTell, cannotTell, type Limits } from '../storage/storage.ts';
import { replySchema } from './protocol.ts';

export interface HelperOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Its configuration. */
  readonly firstLine: object;
  readonly log: Log;
  readonly clock: Clock;
  /** What it says of failures goes into logs, Redis and Slack. */
  readonly mask: Mask;
  /** Between its end and its next start. */
  readonly pauseMs?: number;
  /** It answers within a request's time; one that is silent for this long beyond it hangs. */
  readonly graceMs?: number;
}

export type Reply = { readonly kind: 'answer'; readonly answer: object } | CannotTell;

/** Requests under way; the helper has a bound of its own that is not lower. */
const mostRequests = 64;
/** Shown of what it writes on its standard error: its last words. More is kept, as half a secret would pass the masker. */
const mostWords = 2_000;
const keptWords = 2 * mostWords;
/** A reply about some 100,000 openers; without a line's end by then it is nonsense. */
const longestLine = 32 * 1024 * 1024;
/** From the end of its input, or the signal, to its end. */
const endMs = 1_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Run {
  readonly child: Child;
  readonly ended: Promise<void>;
  words: string;
  /** Why it was killed, if it was. */
  why: string | null;
}

export class HelperProcess {
  readonly #options: Required<HelperOptions>;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #run: Run | null = null;
  #last = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #whyEnded = '';
  #closed = false;

  constructor(options: HelperOptions) {
    this.#options = { pauseMs: 5_000, graceMs: 1_000, ...options };
  }

  /** Resolves within `timeoutMs` and the grace. Rejects with the signal's reason when aborted, and for nothing else. */
  async request(question: object, { timeoutMs, signal }: Limits): Promise<Reply> {
    signal?.throwIfAborted();
    const { clock, graceMs } = this.#options;
    if (this.#closed) return cannotTell('ns4 is ending');
    if (this.#waiting.size >= mostRequests) return cannotTell('too many questions are under way');
    const pauseMs = this.#notBeforeMs - clock.steadyMs();
    if (this.#run === null && pauseMs > 0)
      return cannotTell(`${this.#whyEnded}; started again in ${Math.ceil(pauseMs / 1_000)} s`);
    this.#run ??= this.#start();
    const run = this.#run;
    this.#last += 1;
    const id = this.#last;
    const over = new AbortController();
    const ends = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.#waiting.set(id, resolve);
        run.child.stdin.write(`${JSON.stringify({ ...question, id, timeoutMs })}\n`);
        clock.sleep(timeoutMs + graceMs, ends).then(
          () => {
            resolve(cannotTell('the Ceph helper does not answer'));
            this.#kill(run, 'it did not answer');
          },
          () => (signal?.aborted ? reject(signal.reason) : undefined),
        );
      });
    } finally {
      this.#waiting.delete(id);
      over.abort();
    }
  }

  /** Ends the program; requests under way are cannot-tell. */
  async close(): Promise<void> {
    this.#closed = true;
    const run = this.#run;
    if (run === null) return;
    run.child.stdin.end();
    const over = new AbortController();
    const late = this.#options.clock.sleep(endMs, over.signal).then(
      () => this.#kill(run, 'ns4 is ending'),
      () => undefined,
    );
    await run.ended;
    over.abort();
    await late;
  }

  #start(): Run {
    const { program, args, firstLine, log } = this.#options;
    const { PATH = '', HOME = '/' } = process.env;
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // A terminal's Ctrl-C is for ns4, which may have to go on for a while. With ns4 its input ends, and so does it.
      detached: true,
      cwd: '/',
      env: { PATH, HOME, LANG: 'C.UTF-8', PYTHONWARNINGS: 'ignore' },
    });
    const run: Run = {
      ...{ child, words: '', why: null },
      ended: new Promise((resolve) => {
        child.once('error', (error) => this.#ended(run, errorText(error), resolve));
        child.once('close', (code, by) => this.#ended(run, `it ended with ${code ?? by}`, resolve));
      }),
    };
    // One that is gone before it read everything: its end tells.
    child.stdin.on('error', () => undefined);
    child.stdin.write(`${JSON.stringify(firstLine)}\n`);
    child.stderr.on('data', (chunk: Buffer) => {
      run.words = (run.words + chunk.toString()).slice(-keptWords);
    });
    let sinceLine = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      sinceLine = chunk.includes(10) ? 0 : sinceLine + chunk.length;
      if (sinceLine > longestLine) this.#kill(run, 'its answer has no end');
    });
    createInterface(child.stdout).on('line', (line) => this.#read(run, line));
    log.info({ helperPid: child.pid }, 'the Ceph helper is started');
    return run;
  }

  #read(run: Run, line: string): void {
    const reply = replySchema.safeParse(parsed(line));
    if (!reply.success) {
      this.#kill(run, 'its answer cannot be read');
      return;
    }
    // Nobody waits for one that is late.
    const tell = this.#waiting.get(reply.data.id);
    if ('answer' in reply.data) tell?.({ kind: 'answer', answer: reply.data.answer });
    else tell?.(cannotTell(this.#options.mask(reply.data.cannotTell)));
  }

  #kill(run: Run, why: string): void {
    run.why ??= why;
    run.child.kill('SIGKILL');
  }

  #ended(run: Run, how: string, resolve: () => void): void {
    resolve();
    if (this.#run !== run) return;
    this.#run = null;
    const { clock, log, mask, pauseMs } = this.#options;
    this.#notBeforeMs = clock.steadyMs() + pauseMs;
    const words = mask(run.words).slice(-mostWords).trim().split('\n').at(-1) ?? '';
    this.#whyEnded = `the Ceph helper is not running: ${run.why ?? (words === '' ? how : words)}`;
    for (const tell of [...this.#waiting.values()]) tell(cannotTell(this.#whyEnded));
    if (!this.#closed) log.warn({ why: run.why, how, words }, 'the Ceph helper ended');
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
