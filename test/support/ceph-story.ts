// What stories of hypervisors over a real Ceph share: a cloud with three instances on hv01 and their writers, Sonny at
// work on it, the ways in which a hypervisor goes, and the judgements. Whatever happens, no write of a former owner may
// be acknowledged after the new one's first look: the writers count that themselves.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { SonnyEvent } from '../../src/shared/documents/events/events.ts';
import type { RefusalName } from '../../src/shared/documents/refusals/refusals.ts';
import { CephCloud } from './ceph-cloud.ts';
import { cephLab, lab, pathWithLabClient } from './ceph-lab.ts';
import { cloudTool } from './cloud-tool.ts';
import { firstRequestAtMs } from './journals.ts';
import type { Household, Ini, Running } from './processes.ts';
import { type Stage, stage, Testbed } from './testbed.ts';

const yearMs = 365 * 86_400_000;
/** A recovery with slack for a busy machine; nothing here is about speed. */
const endedWithinMs = 150_000;
const refusedWithinMs = 120_000;
const tidyMs = 240_000;

/** One story: begun and closed around each test. */
export class CephStory {
  #testbed: Testbed | null = null;
  #ceph: CephCloud | null = null;
  #stage: Stage | null = null;
  #ns4: Running | null = null;
  /** Ids of vm-1, vm-2 and vm-3, which are on hv01. */
  ids: readonly string[] = [];

  get testbed(): Testbed {
    return known(this.#testbed);
  }
  get ceph(): CephCloud {
    return known(this.#ceph);
  }
  get household(): Household {
    return known(this.#stage).household;
  }

  /** The one that was started first. */
  get ns4(): Running {
    return known(this.#ns4);
  }

  async open(): Promise<void> {
    // On a newer Ceph than this machine's the helper of the ns4 that are started here is run by the lab.
    process.env.PATH =
      pathWithLabClient(mkdtempSync(join(tmpdir(), 'sonny-lab-client-'))) ?? process.env.PATH;
    this.#testbed = await Testbed.open();
  }

  /** Three instances on hv01, and on hv02 and hv03 one each, whose disks answer when those of hv01 do not. */
  async begin(): Promise<void> {
    await this.testbed.reset();
    this.#ceph = new CephCloud(this.testbed);
    [this.ids] = await Promise.all([
      this.ceph.boot('vm', 'hv01', 3),
      this.ceph.boot('other', 'hv02'),
      this.ceph.boot('third', 'hv03'),
    ]);
  }

  /** ns4, monitor and sonny at work, who have heard everybody, and have learned who opens disks from where. */
  async atWork(ini: Ini = {}, fencingYaml?: string): Promise<{ household: Household; ns4: Running }> {
    const ns4 = await this.#start({ ...(await CephCloud.ini()), ...ini }, fencingYaml);
    const { household } = this;
    await this.ceph.learned(household, 240_000).catch(async (error) => {
      throw new Error(`${error}\n${await household.story()}`);
    });
    this.ceph.follow();
    return { household, ns4 };
  }

  /** As atWork, of a Sonny that knows nothing of Ceph. */
  async atWorkWithoutCeph(ini: Ini, fencingYaml: string): Promise<void> {
    await this.#start(ini, fencingYaml);
    this.ceph.follow();
  }

  /** Likewise, of an earlier build, which remembers of nobody that he was heard: it has read the cloud. */
  async atWorkUnheard(ini: Ini, fencingYaml: string): Promise<void> {
    await this.#begin(ini, fencingYaml);
    const { household, ns4 } = this;
    const hasRead = async () => /"job":"refresh-inventory"[^\n]*"msg":"job done"/.test(ns4.output);
    await this.testbed.until('ns4 to read the cloud', hasRead, 60_000).catch((error) => {
      throw new Error(`${error}\n${household.outputs()}`);
    });
    this.ceph.follow();
  }

  async #start(ini: Ini, fencingYaml: string | undefined): Promise<Running> {
    await this.#begin(ini, fencingYaml);
    await this.testbed.watched(known(this.#stage));
    return this.ns4;
  }

  async #begin(ini: Ini, fencingYaml: string | undefined): Promise<void> {
    this.#stage = await stage(this.testbed, { FENCING: { mode: 'none' }, ...ini });
    const { household } = this;
    if (fencingYaml !== undefined)
      writeFileSync(join(household.dir, 'fencing.yaml'), fencingYaml, { mode: 0o600 });
    this.#ns4 = household.start('ns4', '-vv');
    household.start('monitor', '-vv');
    household.start('sonny', '-vv');
  }

  async end(): Promise<void> {
    await this.#stage?.close();
    this.#stage = null;
    await this.#ceph?.close();
    this.#ceph = null;
  }

  async close(): Promise<void> {
    await this.#testbed?.reset();
    await this.#testbed?.close();
  }

  /** It loses its power, and its guests with it. */
  async dies(host = 'hv01'): Promise<void> {
    await Promise.all([cloudTool('kill', host), this.ceph.guestsOf(host, 'kill')]);
  }

  /** Everything of it stands still, and nothing of it answers. */
  async freezes(host = 'hv01'): Promise<void> {
    const stands = async () => {
      await cloudTool('hang', host);
      await cloudTool('kill', host, '--net');
    };
    await Promise.all([stands(), this.ceph.guestsOf(host, 'freeze')]);
  }

  async thaws(host = 'hv01'): Promise<void> {
    await Promise.all([cloudTool('revive', host), this.ceph.guestsOf(host, 'thaw')]);
  }

  async refused(...names: RefusalName[]): Promise<SonnyEvent> {
    const is = ({ facts }: SonnyEvent) => facts.kind === 'refused' && names.includes(facts.refusal.name);
    return this.household.waitForEvent(is, refusedWithinMs);
  }

  /** The end of the recovery of hv01. */
  ended(): Promise<SonnyEvent> {
    const is = ({ facts }: SonnyEvent) => facts.kind === 'recovery-ended' && facts.report.dead === 'hv01';
    return this.household.waitForEvent(is, endedWithinMs);
  }

  async texts(): Promise<string> {
    return (await this.household.events()).map(({ text }) => text).join('\n');
  }

  async expectRecovered(): Promise<void> {
    const end = await this.ended();
    expect(end.text, await this.household.story()).toContain('all 3 affected instances are back');
    const servers = await this.testbed.servers();
    for (const name of ['vm-1', 'vm-2', 'vm-3'])
      expect(servers.get(name), name).toMatchObject({ status: 'ACTIVE', host: 'hv04' });
    await this.ceph.firstWritesAtMs(this.ids);
  }

  /** hv01 is cut off from all but its storage, where its guests write on: it is left alone, and not cut off from that. */
  async livesOnByItsStorage(): Promise<void> {
    await cloudTool('kill', 'hv01');
    const atMs = Date.now();
    const { text } = await this.refused('disks-open');
    expect(text).toContain(`by ${this.ceph.addressOf('hv01')}`);
    await this.ceph.untilWriters('hv01', 'wrote', atMs, 30_000);
    await this.expectNothingDone();
    await this.expectNobodyBlocked();
  }

  /** Nothing was asked for, or changed, for hv01. */
  async expectNothingDone(): Promise<void> {
    const story = await this.household.story();
    expect(await firstRequestAtMs(this.household.redis, this.testbed.env.cloud, 'hv01'), story).toBeNull();
    expect(this.ceph.writersPerInstance(this.ids), story).toEqual([1, 1, 1]);
    const { forcedDown, status } = await this.testbed.service('hv01');
    expect({ forcedDown, status }, story).toEqual({ forcedDown: false, status: 'enabled' });
  }

  /** From the loss of power to the first request to evacuate, and to the first writes of the new owners. */
  async showTimes(deadAtMs: number): Promise<void> {
    const writesAtMs = await this.ceph.firstWritesAtMs(this.ids);
    const { redis } = this.household;
    const askedAtMs = (await firstRequestAtMs(redis, this.testbed.env.cloud, 'hv01')) ?? Number.NaN;
    const since = (atMs: number) => ((atMs - deadAtMs) / 1_000).toFixed(1);
    process.stdout.write(
      `power loss, first evacuation after ${since(askedAtMs)} s, first writes after ${writesAtMs.map(since).sort().join(', ')} s (load ${loadavg()[0]?.toFixed(1)})\n`,
    );
  }

  async expectBlockedForAYear(host: string): Promise<void> {
    const blocklist = await blockedNow();
    const until = blocklist[`${this.ceph.addressOf(host)}:0/0`] ?? '';
    const zoned = until.replace(/(\d{2})(\d{2})$/, '$1:$2');
    expect(Date.parse(zoned) - Date.now(), JSON.stringify(blocklist)).toBeGreaterThan(yearMs - 3_600_000);
  }

  /** Of hypervisors; an entry of one client alone is Ceph's own. */
  async expectNobodyBlocked(): Promise<void> {
    expect(Object.keys(await blockedNow()).filter((entry) => entry.endsWith(':0/0'))).toEqual([]);
  }

  /** No write of a former owner was acknowledged after the new one's first look. */
  async expectOrder(): Promise<void> {
    expect(await this.ceph.disorder(), await this.household.story()).toEqual([]);
  }
}

/** Ceph's entries, with when they end. */
async function blockedNow(): Promise<Record<string, string>> {
  const dump = await lab('ceph', 'osd', 'dump', '-f', 'json');
  return (JSON.parse(dump) as { blocklist: Record<string, string> }).blocklist;
}

function known<T>(what: T | null): T {
  if (what === null) throw new Error('the story has not begun');
  return what;
}

/** Tests of an OpenStack over a Ceph; skipped without the tools that raise them. */
export function cephStories(title: string, tell: (story: CephStory) => void): void {
  const isThere = cephLab !== undefined && process.env.SONNY_CLOUD_TOOL !== undefined;
  describe.skipIf(!isThere)(title, { timeout: 600_000 }, () => {
    const story = new CephStory();
    beforeAll(() => story.open());
    beforeEach(() => story.begin(), tidyMs);
    afterEach(() => story.end(), tidyMs);
    afterAll(() => story.close(), tidyMs);
    tell(story);
  });
}
