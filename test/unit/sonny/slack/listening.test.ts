// The line to Slack: when it is opened again, and with which pauses. No time passes: the pauses are written down.
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { pauseAfterMs } from '../../../../src/sonny/outlet/backoff.ts';
import { keepListening, type Line } from '../../../../src/sonny/slack/listening.ts';
import type { SlackVerdict } from '../../../../src/sonny/slack/slack-verdict.ts';
import { instantClock } from '../../../support/instant-clock.ts';

type Attempt = SlackVerdict | { kind: 'lives'; ms: number; announced?: boolean };
const away: SlackVerdict = { kind: 'retry', afterMs: null, reason: 'away' };
const refused: SlackVerdict = { kind: 'refused', reason: 'invalid_auth' };
const lives = (ms: number, announced = false): Attempt => ({ kind: 'lives', ms, announced });

/** Plays the attempts to connect one after another, then stops. */
async function story(attempts: readonly Attempt[], logins: readonly SlackVerdict[] = []) {
  const clock = instantClock();
  const stop = new AbortController();
  const left = [...attempts];
  const refusals = [...logins];
  let reconnections = 0;
  const open = async (): Promise<Line> => {
    const attempt = left.shift();
    if (attempt === undefined) {
      stop.abort();
      return { closed: new Promise(() => {}), close: () => {} };
    }
    if (attempt.kind !== 'lives') throw attempt;
    const { ms, announced = false } = attempt;
    return {
      // The line's life passes while the listener waits for its end.
      get closed() {
        clock.advance(ms);
        return Promise.resolve({ announced });
      },
      close: () => {},
    };
  };
  await keepListening(
    {
      login: async () => {
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal;
        return 'us';
      },
      open,
      judge: (thrown) => thrown as SlackVerdict,
      onReconnected: () => {
        reconnections += 1;
      },
      clock,
      log: pino({ level: 'silent' }),
    },
    stop.signal,
  );
  return { pausesS: clock.sleeps.map((ms) => ms / 1_000), reconnections };
}

describe('pauses', () => {
  it('defect 13: double up to a cap, however long Slack is away', async () => {
    const { pausesS } = await story(Array.from({ length: 2_000 }, () => away));
    expect(pausesS.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    expect(Math.max(...pausesS)).toBe(30);
    expect(pauseAfterMs(Number.MAX_SAFE_INTEGER)).toBe(30_000);
  });

  it('are as long as Slack asks for', async () => {
    const { pausesS } = await story([{ kind: 'retry', afterMs: 17_000, reason: '429' }]);
    expect(pausesS).toEqual([17]);
  });

  it('start anew after a line that held, and grow while lines break at once', async () => {
    const { pausesS } = await story([away, away, lives(60_000), away, lives(10), lives(10), lives(10)]);
    expect(pausesS).toEqual([1, 2, 1, 2, 4, 8]);
  });

  it('are none when Slack asked for a fresh line', async () => {
    const { pausesS, reconnections } = await story([lives(10, true), lives(10, true)]);
    expect([pausesS, reconnections]).toEqual([[], 0]);
  });
});

describe('the status after a reconnection', () => {
  it('is posted once for each loss', async () => {
    const { reconnections } = await story([lives(60_000), away, away, lives(60_000)]);
    // The last line is the one that ends the story.
    expect(reconnections).toBe(2);
  });

  it('is not posted for the first connection, late as it may be', async () => {
    expect((await story([away, away], [away])).reconnections).toBe(0);
  });

  it('is posted when an exchange that Slack asked for took long', async () => {
    const { reconnections } = await story([lives(60_000, true), ...Array.from({ length: 6 }, () => away)]);
    expect(reconnections).toBe(1);
  });
});

describe('refusals', () => {
  it.each([
    ['token', [], [refused]],
    ['app_token', [refused], []],
  ])('of a %s that was never good: an end', async (token, attempts, logins) => {
    await expect(story(attempts, logins)).rejects.toThrow(`Slack refuses [SLACK] ${token} (invalid_auth)`);
  });

  it('of one that was good: waited for', async () => {
    const { pausesS } = await story([lives(60_000), refused, refused]);
    expect(pausesS).toEqual([30, 30]);
  });
});
