// The scan of a dead host while its instances move: disks that are open because their instance was asked for meanwhile are
// no sign of life of the old host.
import { describe, expect, test } from 'vitest';
import type { Recovery } from '../../../../../src/ns4/recovery/recovery.ts';
import { scanAt } from '../../../../../src/ns4/recovery/stages/fresh-facts.ts';
import type { ScanFinding, ScanTarget } from '../../../../../src/shared/documents/jobs/scan.ts';
import { disksName } from '../../../../../src/shared/rules/disks.ts';

/** Two instances; `while asked` says what happens during each look, and what it finds. */
function lab(
  looks: ((instances: Record<string, { state: string; attempts: number }>) => ScanFinding)[],
  begun: Record<string, object> = {},
) {
  const instances = Object.fromEntries(
    ['vm1', 'vm2'].map((id) => [id, { id, state: 'pending', attempts: 0, ...begun[id] }]),
  );
  const asked: (readonly string[] | null | undefined)[] = [];
  const scan = async ({ targets }: { targets: ScanTarget[] }) => {
    const disks = targets.find(({ kind }) => kind === 'disks');
    asked.push(disks?.disksOf?.instances);
    const finding = looks[Math.min(asked.length, looks.length) - 1]?.(instances);
    const found = disks === undefined ? {} : { [disks.name]: finding };
    return { ok: true, outcome: 'seen', targets: found, controls: {}, tookMs: 1 };
  };
  const recovery = {
    order: { dead: 'hv01' },
    tools: { storage: {}, scan },
    ...{ hypervisorPorts: [22], signal: new AbortController().signal, controls: [], journal: { instances } },
  } as unknown as Recovery;
  return { asked, run: () => scanAt(recovery, '10.0.0.1') };
}
const open: ScanFinding = { state: 'answers', detail: 'open' };
const silent: ScanFinding = { state: 'silent', detail: 'silent' };

describe('open while it was asked', () => {
  test('one was asked for elsewhere meanwhile: the others are asked anew', async () => {
    const { asked, run } = lab([
      ({ vm1 }) => {
        Object.assign(vm1 ?? {}, { state: 'asking', attempts: 1 });
        return open;
      },
      () => silent,
    ]);
    expect(await run()).toMatchObject({ targets: { [disksName('hv01')]: silent } });
    expect(asked).toEqual([['vm1', 'vm2'], ['vm2']]);
  });

  test('one was asked for while another one was taken back: as many as before, and asked anew', async () => {
    const { asked, run } = lab(
      [
        ({ vm1, vm2 }) => {
          Object.assign(vm1 ?? {}, { state: 'pending', attempts: 0 });
          Object.assign(vm2 ?? {}, { state: 'asking', attempts: 1 });
          return open;
        },
        () => silent,
      ],
      { vm1: { state: 'asking', attempts: 1 } },
    );
    expect(await run()).toMatchObject({ targets: { [disksName('hv01')]: silent } });
    expect(asked).toEqual([['vm2'], ['vm1']]);
  });

  test('nothing was asked for: it is a sign of life', async () => {
    const { asked, run } = lab([() => open]);
    expect(await run()).toMatchObject({ targets: { [disksName('hv01')]: open } });
    expect(asked).toHaveLength(1);
  });

  test('the others are open as well: a sign of life', async () => {
    const { run } = lab([
      ({ vm1 }) => {
        Object.assign(vm1 ?? {}, { state: 'asking', attempts: 1 });
        return open;
      },
      () => open,
    ]);
    expect(await run()).toMatchObject({ targets: { [disksName('hv01')]: open } });
  });
});
