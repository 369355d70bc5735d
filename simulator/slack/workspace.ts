// The pretend workspace: channels, people, what was posted, and the timestamps Slack names messages by.

/** A message in a channel, by the app or by a person. */
export interface Post {
  /** Slack's id of a message: "1700000000.000123". */
  readonly ts: string;
  readonly channel: string;
  readonly user: string;
  readonly text: string;
  readonly threadTs: string | null;
  readonly blocks: unknown;
  /** By our clock. */
  readonly atMs: number;
  /** From the app itself. */
  readonly byApp: boolean;
  /** Seen by this user only, when set. */
  readonly ephemeralFor: string | null;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  /** Has the app been invited? Posting elsewhere is refused. */
  member: boolean;
  /** Are people of other organisations in it (Slack Connect)? */
  shared: boolean;
}

/** Ids as Slack has them, fixed so that transcripts can be compared. */
export const team = { id: 'T0SIMULATE', name: 'Simulated', domain: 'simulated' };
export const app = { id: 'A0SIMULATE', botId: 'B0SIMULATE', userId: 'U0SONNYBOT', name: 'sonny' };

export class Workspace {
  readonly posts: Post[] = [];
  readonly channels: Channel[];
  readonly #waiting = new Set<() => void>();
  #lastTs = 0;

  constructor(channels: readonly string[]) {
    this.channels = channels.map((name, index) => ({
      // A conversation with the app alone has no name in Slack, and an id of its own kind.
      id: /^D0/.test(name) ? name : `C0${String(index + 1).padStart(8, '0')}`,
      name,
      member: true,
      shared: false,
    }));
  }

  /** A channel by its id, its name, or #name. */
  channel(idOrName: string): Channel | null {
    const name = idOrName.replace(/^#/, '');
    return this.channels.find((channel) => channel.id === idOrName || channel.name === name) ?? null;
  }

  /** A fresh message id, always later than the one before. */
  nextTs(): string {
    this.#lastTs = Math.max(this.#lastTs + 1, Date.now() * 1_000);
    const text = String(this.#lastTs);
    return `${text.slice(0, -6)}.${text.slice(-6)}`;
  }

  add(post: Omit<Post, 'ts' | 'atMs'>): Post {
    const stored = { ...post, ts: this.nextTs(), atMs: Date.now() };
    this.posts.push(stored);
    this.#wake();
    return stored;
  }

  replace(ts: string, change: { text: string; blocks: unknown }): Post | null {
    const index = this.posts.findIndex((post) => post.ts === ts);
    const known = this.posts[index];
    if (known === undefined) return null;
    const changed = { ...known, ...change };
    this.posts[index] = changed;
    this.#wake();
    return changed;
  }

  /** Resolves with the first post of the app that fits, past or to come; throws after `withinMs`. */
  async posted(fits: RegExp | ((post: Post) => boolean), withinMs: number): Promise<Post> {
    const test = typeof fits === 'function' ? fits : (post: Post) => fits.test(post.text);
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = this.posts.find((post) => post.byApp && test(post));
      if (found !== undefined) return found;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) {
        const seen = this.posts.filter((post) => post.byApp).map((post) => post.text);
        throw new Error(
          `nothing posted within ${withinMs} ms that fits ${String(fits)}; seen: ${JSON.stringify(seen)}`,
        );
      }
      await this.#change(leftMs);
    }
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
