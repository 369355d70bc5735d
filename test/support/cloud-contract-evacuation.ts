// The part of the contract (cloud-contract.ts) that is about a host that dies, and comes back.
import { expect, it } from 'vitest';
import { type Stage, signal } from './cloud-contract-stage.ts';

const ends = ['done', 'completed', 'error', 'failed'];

/** The dead host's evacuations once none is under way: Nova moves the instance first and ends the record after it. */
const evacuationsOnceEnded = (stage: Stage) =>
  stage.eventually(
    () => stage.cloud.listEvacuations(stage.cast.dead, signal),
    (all) => all.every(({ status }) => ends.includes(status)),
  );

export function evacuationContract(current: () => Stage, limitMs: number): void {
  it('evacuates a dead host; a disabled target fails after it was accepted', {
    timeout: limitMs * 3,
  }, async () => {
    const stage = current();
    const { dead, target } = stage.cast;
    const running = await stage.world.boot('running', dead);
    const stopped = await stage.world.boot('stopped', dead, { stopped: true });
    await stage.world.kill(dead);
    await stage.world.spare(target);
    const before = stage.nowMs();
    await stage.condemn(dead);
    expect(stage.nowMs() - before).toBeLessThan(5_000);
    expect(await stage.service(dead)).toMatchObject({ state: 'down', status: 'disabled', forcedDown: true });

    await stage.cloud.evacuate(running, target, signal);
    const failed = await stage.eventually(
      () => stage.cloud.readServer(running, signal),
      (s) => s?.status === 'ERROR',
    );
    expect(failed).toMatchObject({ host: dead, vmState: 'error' });
    expect(failed?.fault).toMatch(/^No valid host was found/);

    await stage.world.unspare(target);
    await Promise.all([
      stage.cloud.evacuate(running, target, signal),
      stage.cloud.evacuate(stopped, target, signal),
    ]);
    expect(await stage.settledOn(running, target)).toMatchObject({ status: 'ACTIVE', vmState: 'active' });
    expect(await stage.settledOn(stopped, target)).toMatchObject({ status: 'SHUTOFF', vmState: 'stopped' });
    expect(await stage.cloud.listServers(signal, dead)).toEqual([]);
    const ports = await stage.eventually(
      () => stage.cloud.listPorts({ instanceId: running }, signal),
      (found) => found.every((port) => port.status === 'ACTIVE'),
    );
    expect(ports).toMatchObject([{ host: target, vifType: 'ovs' }]);

    const migrations = await evacuationsOnceEnded(stage);
    expect(migrations.map((m) => m.status).sort()).toEqual(['done', 'done', 'error']);
    expect(migrations.map((m) => m.createdAtMs)).toEqual(
      migrations
        .map((m) => m.createdAtMs)
        .sort()
        .reverse(),
    );
    expect(migrations[0]).toMatchObject({ type: 'evacuation', source: dead, target });
    // From the dead host and to its target, of any type; and of one instance.
    expect(await stage.cloud.listMigrations(dead, signal)).toEqual(migrations);
    expect(await stage.cloud.listMigrations(target, signal)).toEqual(expect.arrayContaining(migrations));
    const ofOne = await stage.cloud.listMigrationsOf(running, signal);
    expect(ofOne).toEqual(migrations.filter(({ instanceId }) => instanceId === running));
    const launchedAtMs = (await stage.cloud.readServer(running, signal))?.launchedAtMs ?? 0;
    // Its own launch is later than its record was begun.
    expect(launchedAtMs).toBeGreaterThanOrEqual(ofOne[0]?.createdAtMs ?? Number.POSITIVE_INFINITY);
    const onePerPage = stage.world.open(1);
    expect(await onePerPage.listEvacuations(dead, signal)).toHaveLength(3);
    await onePerPage.close();

    const up = stage.cloud.changeComputeService(
      (await stage.service(dead)).id,
      { forcedDown: false },
      signal,
    );
    await expect(up).rejects.toMatchObject({ outcome: 'refused', status: 400 });
    await expect(up).rejects.toThrow(/Unable to force up host/);
    await stage.rehabilitate(dead);
    await stage.eventually(
      () => stage.cloud.listEvacuations(dead, signal),
      (all) => all.filter((m) => m.status === 'completed').length === 2,
    );
  });

  it('evacuates once more what a failed evacuation left, and the same host again', {
    timeout: limitMs * 2,
  }, async () => {
    const stage = current();
    const { dead, other } = stage.cast;
    const id = await stage.world.boot('again', dead);
    await stage.world.kill(dead);
    await stage.condemn(dead);
    await stage.cloud.evacuate(id, other, signal);
    expect(await stage.settledOn(id, other)).toMatchObject({ status: 'ACTIVE' });
    const [newest] = await evacuationsOnceEnded(stage);
    expect(newest).toMatchObject({ instanceId: id, target: other, status: 'done' });
    await stage.rehabilitate(dead);
  });
}
