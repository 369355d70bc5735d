// Many probes at once, within a bound: so many sockets, so many starts per turn of the event loop.
import { readFileSync } from 'node:fs';
import type { Endpoint } from '../../shared/documents/jobs/scan.ts';
import { type Probe, probe } from './probe.ts';

/** One endpoint to be asked about. */
export interface Question {
  readonly endpoint: Endpoint;
  /** Questions with the same subject are dropped as soon as one of them settles it. */
  readonly subject: { readonly settled: boolean };
  /** What the probe ended with; not called for a dropped question. */
  readonly answer: (probe: Probe) => void;
}

const mostSockets = 4_096;
/** Descriptors left to Redis, HTTP, files. */
const reservedFiles = 200;
const leastSockets = 16;
/** Sockets opened in one go, some 10 ms of work: in between, answers are read and other work gets its turn. */
const startsPerTurn = 256;

/** 4096 sockets, or fewer where the limit of open files (which Node raises to its hard limit) leaves fewer. */
export function socketBound(): number {
  let limits = '';
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Not Linux.
  }
  return boundWithin(limits);
}

/** The bound under these limits, as /proc/self/limits writes them; a usual limit is taken for one not found there. */
export function boundWithin(limits: string): number {
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? '1024';
  const files = found === 'unlimited' ? Number.POSITIVE_INFINITY : Number(found);
  return Math.max(leastSockets, Math.min(mostSockets, files - reservedFiles));
}

/** Asks all questions in their order, at most `maxSockets` at a time. Rejects at once with the signal's reason. */
export function askAll(
  questions: readonly Question[],
  { timeoutMs, maxSockets }: { timeoutMs: number; maxSockets: number },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const open = new Map<Question, () => void>();
    const bySubject = new Map<Question['subject'], Question[]>();
    let next = 0;
    let turn: NodeJS.Immediate | null = null;

    const drop = (question: Question) => {
      open.get(question)?.();
      open.delete(question);
    };
    const start = (question: Question) => {
      const giveUp = probe(question.endpoint, timeoutMs, (found) => {
        open.delete(question);
        question.answer(found);
        if (question.subject.settled) bySubject.get(question.subject)?.forEach(drop);
        goOn();
      });
      open.set(question, giveUp);
      const siblings = bySubject.get(question.subject);
      if (siblings) siblings.push(question);
      else bySubject.set(question.subject, [question]);
    };
    const startSome = () => {
      turn = null;
      for (let started = 0; started < startsPerTurn && open.size < maxSockets; ) {
        const question = questions[next];
        if (question === undefined) break;
        next += 1;
        if (question.subject.settled) continue;
        start(question);
        started += 1;
      }
      goOn();
    };
    const goOn = () => {
      if (next < questions.length) {
        if (open.size < maxSockets) turn ??= setImmediate(startSome);
      } else if (open.size === 0) {
        signal.removeEventListener('abort', stop);
        resolve();
      }
    };
    const stop = () => {
      if (turn !== null) clearImmediate(turn);
      for (const giveUp of open.values()) giveUp();
      open.clear();
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    goOn();
  });
}
