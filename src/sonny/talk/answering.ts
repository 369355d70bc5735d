// Answers questions in their threads, a few at a time, each with a bounded number of attempts.
import pLimit from 'p-limit';
import type { Clock } from '../../shared/ground/clock.ts';
import { errorText } from '../../shared/ground/errors.ts';
import type { Log } from '../../shared/ground/log.ts';
import { pauseAfterMs } from '../outlet/backoff.ts';
import type { Delivery } from '../outlet/outlet.ts';
import { answer } from './answers.ts';
import type { Asked } from './mentions.ts';
import { parseQuestion } from './questions.ts';
import type { CloudView } from './views.ts';

/** Questions answered at once, and that wait; a flood beyond that is dropped, the events matter more. */
const atOnce = 2;
const mostWaiting = 20;
/** An answer that late answers nothing. */
const mostAttempts = 5;

interface AnsweringParts {
  /** All clouds; with the servers of this name or UUID, where one is asked for. */
  views(server: string | null): Promise<CloudView[]>;
  /** Posts mrkdwn into the thread of a question. */
  reply(asked: Asked, text: string): Promise<Delivery>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Answering {
  readonly #parts: AnsweringParts;
  readonly #limit = pLimit(atOnce);

  constructor(parts: AnsweringParts) {
    this.#parts = parts;
  }

  /** Answers when its turn comes; never throws. */
  async take(asked: Asked): Promise<void> {
    const { log } = this.#parts;
    if (this.#limit.pendingCount >= mostWaiting)
      return log.warn({ channel: asked.channel }, 'too many questions at once, one was dropped');
    try {
      await this.#limit(() => this.#answer(asked));
    } catch (error) {
      log.error(`a question could not be answered: ${errorText(error)}`);
    }
  }

  async #answer(asked: Asked): Promise<void> {
    const { views, reply, clock, log } = this.#parts;
    const question = parseQuestion(asked.words);
    // The others can be answered while Redis is away.
    const looks = question.kind === 'status' || question.kind === 'show';
    const server = question.kind === 'show' && question.what === 'vm' ? question.name : null;
    const seen = looks ? await views(server) : [];
    const text = answer(question, seen, clock.nowMs());
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      const delivery = await reply(asked, text);
      if (delivery.kind === 'sent') return;
      if (delivery.kind === 'give-up' || attempt === mostAttempts)
        return log.error(`Slack does not take the answer to a question: ${delivery.reason}`);
      await clock.sleep(delivery.afterMs ?? pauseAfterMs(attempt));
    }
  }
}
