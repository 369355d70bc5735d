// A real OpenStack over a real Ceph: each instance has an image, and each one that runs a writer on it, which connects
// from its hypervisor's own storage address. Where Nova has an instance on another hypervisor, a new writer opens the same
// image from there, as QEMU would; whether the old one's writes came to an end before that, the writers' own logs tell.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { keysOf } from '../../src/shared/redis/keys.ts';
import { lab, labAccess, labAtPeace } from './ceph-lab.ts';
import type { Household, Ini } from './processes.ts';
import type { Testbed } from './testbed.ts';

/** One process that has an instance's image open, or had. */
export interface Writer {
  readonly name: string;
  readonly instance: string;
  readonly host: string;
}

const lineSchema = z.object({
  event: z.string().optional(),
  t: z.number().optional(),
  t1: z.number().optional(),
  ok: z.number().optional(),
  err: z.unknown().optional(),
});
type Line = z.infer<typeof lineSchema>;

/** How long a new owner may take to its first write: 30 s while the old one's watch lasts, and a busy machine. */
const firstWriteSeconds = '90';
const followMs = 200;
/** Ceph's reply to a blocked client. */
const blockedErrno = /108|ESHUTDOWN|shutdown/i;

/** Distinguishes the writers of one run in the lab, which keeps the logs of all. */
let rounds = 0;

export class CephCloud {
  readonly #testbed: Testbed;
  readonly #round: number;
  /** By instance id, the present one last. */
  readonly #writers = new Map<string, Writer[]>();
  readonly #starts: Promise<unknown>[] = [];
  readonly #failures: string[] = [];
  readonly #end = new AbortController();
  #following: Promise<void> | null = null;

  constructor(testbed: Testbed) {
    this.#testbed = testbed;
    rounds += 1;
    this.#round = rounds;
  }

  /** [CEPH] of a config.ini. */
  static async ini(): Promise<Ini> {
    const { conf, keyring, pools } = await labAccess();
    return { CEPH: { conf: conf ?? '', user: 'sonny', keyring: keyring ?? '', pools: pools.join(', ') } };
  }

  /** The storage address of a hypervisor. */
  addressOf(host: string): string {
    return `127.0.61.${Number(host.replace('hv', ''))}`;
  }

  /** Boots instances that run since long, by Nova's word, each with its writer. Resolves with their ids. */
  async boot(name: string, host: string, count = 1): Promise<string[]> {
    const ids = await this.#testbed.boot(name, host, { count });
    const list = ids.map((id) => `'${id}'`).join();
    await this.#testbed.sql(
      'nova',
      `UPDATE instances SET launched_at = launched_at - INTERVAL 1 HOUR WHERE uuid IN (${list})`,
    );
    await Promise.all(ids.map((id) => this.#open(id, host)));
    return ids;
  }

  /** From now on new writers open the images of instances that Nova moves. */
  follow(): void {
    this.#following ??= this.#follow();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      // Nova may be slow, or away.
      const servers = await this.#testbed.servers().catch(() => new Map());
      for (const { id, host } of servers.values()) {
        const present = this.#writers.get(id)?.at(-1);
        if (present === undefined || host === null || host === present.host) continue;
        this.#starts.push(this.#open(id, host).catch((error) => this.#failures.push(String(error))));
      }
      await delay(followMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #open(instance: string, host: string): Promise<void> {
    const before = this.#writers.get(instance) ?? [];
    const name = `g${process.pid}-${this.#round}-${instance.slice(0, 8)}-${before.length}-${host}`;
    this.#writers.set(instance, [...before, { name, instance, host }]);
    const image = `vms/${instance}_disk`;
    await lab('guest', 'start', this.addressOf(host), image, '--name', name, '--wait', firstWriteSeconds);
  }

  /** Those that were started on a hypervisor, whatever became of them. */
  writersOn(host: string): Writer[] {
    return [...this.#writers.values()].flat().filter((writer) => writer.host === host);
  }

  /** Does the same to all processes of a hypervisor's guests. */
  async guestsOf(host: string, what: 'kill' | 'freeze' | 'thaw'): Promise<void> {
    await Promise.all(this.writersOn(host).map(({ name }) => lab('guest', what, name)));
  }

  /** Drops everything between a hypervisor and Ceph, or does so no more. */
  async storageNetwork(host: string, what: 'cut' | 'mend'): Promise<void> {
    await lab(what, this.addressOf(host));
  }

  /** Until ns4 has seen the disks of all instances answer, and from which address each hypervisor opens them. */
  async learned({ redis }: Household, limitMs: number): Promise<void> {
    const keys = keysOf(this.#testbed.env.cloud);
    const present = [...this.#writers.values()].flatMap((writers) => writers.at(-1) ?? []);
    const isLearned = async () => {
      const [seen, opened] = await Promise.all([
        redis.hkeys(keys.storageAddresses),
        redis.hkeys(keys.opened),
      ]);
      const fields = present.map(({ host }) => `${this.addressOf(host)} ${host}`);
      return (
        fields.every((field) => seen.includes(field)) &&
        present.every(({ instance }) => opened.includes(instance))
      );
    };
    await this.#testbed.until('the storage addresses to be learned', isLearned, limitMs);
  }

  /** What a writer noted, oldest first. */
  async logOf({ name }: Writer): Promise<Line[]> {
    const text = await lab('guest', 'log', name);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => lineSchema.parse(JSON.parse(line)));
  }

  /** When the present writer of each of these instances had its first write acknowledged, ms since the epoch. */
  async firstWritesAtMs(instances: readonly string[]): Promise<number[]> {
    await Promise.all(this.#starts);
    if (this.#failures.length > 0) throw new Error(this.#failures.join('\n'));
    const firsts = instances.map(async (id) => {
      const writer = this.#writers.get(id)?.at(-1);
      const first = writer && (await this.logOf(writer)).find(({ ok }) => ok === 1);
      if (first?.t1 === undefined) throw new Error(`${writer?.name} never wrote`);
      return first.t1 * 1_000;
    });
    return Promise.all(firsts);
  }

  /** Until each of a hypervisor's writers wrote since then, or was refused since then. */
  async untilWriters(host: string, what: 'wrote' | 'were blocked', sinceMs: number, limitMs: number) {
    const is = async () => {
      const logs = await Promise.all(this.writersOn(host).map((writer) => this.logOf(writer)));
      return logs.every((log) =>
        log.some((line) =>
          what === 'wrote'
            ? line.ok === 1 && (line.t1 ?? 0) * 1_000 > sinceMs
            : line.err !== undefined && blockedErrno.test(JSON.stringify(line)),
        ),
      );
    };
    await this.#testbed.until(`the writers on ${host}: they ${what}`, is, limitMs, 500);
  }

  /** How many writers each instance had so far. */
  writersPerInstance(instances: readonly string[]): number[] {
    return instances.map((id) => this.#writers.get(id)?.length ?? 0);
  }

  /** Per pair of successive writers what is wrong; empty: no write of an old owner came after its successor looked. */
  async disorder(): Promise<string[]> {
    const pairs = [...this.#writers.values()].flatMap((writers) =>
      writers.slice(1).map((after, i) => [writers[i] as Writer, after] as const),
    );
    const said = await Promise.all(
      pairs.map(([before, after]) =>
        lab('order', before.name, after.name).then(
          () => [],
          (error: { stdout?: string; stderr?: string }) => [`${error.stdout}${error.stderr}`],
        ),
      ),
    );
    return said.flat();
  }

  /** All writers are ended, the lab is at peace, nobody is blocked. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#following;
    const writers = [...this.#writers.values()].flat();
    const hosts = Object.keys(this.#testbed.env.hypervisors);
    await labAtPeace(
      writers.map(({ name }) => name),
      hosts.map((host) => this.addressOf(host)),
    );
    await Promise.all(this.#starts);
    for (const host of hosts) await lab('ceph', 'osd', 'blocklist', 'rm', `${this.addressOf(host)}:0/0`);
  }
}
