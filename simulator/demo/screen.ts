// What the demo shows, and in which colours.
import { styleText } from 'node:util';
import type { EventLevel } from '../../src/shared/documents/events/entry.ts';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import type { Snapshot } from '../simulator.ts';
import type { Post } from '../slack/slack.ts';

type Style = Parameters<typeof styleText>[0];

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #colour: boolean;
  #zeroMs = Date.now();

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#colour = out.isTTY === true || process.env.FORCE_COLOR !== undefined;
  }

  paint(style: Style, text: string): string {
    return this.#colour ? styleText(style, text, { validateStream: false }) : text;
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  title(text: string): void {
    this.line();
    this.line(this.paint('bold', text));
  }

  /** From now on times count from here. */
  zero(): void {
    this.#zeroMs = Date.now();
  }

  /** One event with the seconds since the plug was pulled. */
  event(event: SonnyEvent): void {
    const seconds = ((event.atMs - this.#zeroMs) / 1000).toFixed(1).padStart(5);
    this.line(`${this.paint('dim', `${seconds} s`)}  ${this.paint(styles[event.level], event.text)}`);
  }

  /** Hypervisors with what runs on them. */
  cloud(snapshot: Snapshot): void {
    for (const { host, address, powered, status, disabledReason } of Object.values(snapshot.hosts)) {
      const guests = Object.values(snapshot.servers)
        .filter((server) => server.host === host)
        .map(
          (server) =>
            `${server.name} ${this.paint(server.status === 'ACTIVE' ? 'green' : 'yellow', server.status)}`,
        );
      const state = powered ? status : this.paint('red', 'no power');
      const reason = disabledReason === null ? '' : this.paint('dim', ` (${disabledReason})`);
      this.line(`  ${host}  ${(address ?? '-').padEnd(13)} ${state}${reason}  ${guests.join(', ')}`);
    }
  }

  /** A channel as people see it. */
  slack(posts: readonly Post[], botUserId: string): void {
    for (const post of posts) {
      const time = new Date(post.atMs).toISOString().slice(11, 19);
      const who = post.byApp ? this.paint('cyan', 'Sonny') : this.paint('magenta', 'you');
      const indent = post.threadTs !== null && post.threadTs !== post.ts ? '      ' : '  ';
      const text = post.text
        .replaceAll(`<@${botUserId}>`, '@Sonny')
        .replaceAll('&gt;', '>')
        .replaceAll('&lt;', '<')
        .replaceAll('&amp;', '&');
      this.line(`${indent}${who} ${this.paint('dim', time)}`);
      for (const line of text.split('\n')) this.line(`${indent}  ${line}`);
    }
  }
}

const styles: Readonly<Record<EventLevel, Style>> = {
  debug: 'dim',
  info: 'green',
  warning: 'yellow',
  error: 'red',
};
