// Whether copies of what was evacuated may be left on a host, by Nova's records of its evacuations.
import { expect, test } from 'vitest';
import { CloudError, type MigrationRecord } from '../../../../src/ns4/cloud/cloud.ts';
import { copiesLeft } from '../../../../src/ns4/commands/copies-left.ts';
import { instantClock } from '../../../support/instant-clock.ts';
import { server } from '../../../support/inventories.ts';

type Recorded = [instance: string, status: string][];

const ask = (records: Recorded | CloudError, method: 'api' | 'database' = 'api') =>
  copiesLeft('hv01', {
    cloud: {
      listEvacuations: async () => {
        if (records instanceof CloudError) throw records;
        return records.map(([instanceId, status]) => ({ instanceId, status }) as MigrationRecord);
      },
      listServers: async () => [],
      readServer: async (id) => (id === 'deleted' ? null : server(id, 'hv02')),
    },
    ...{ method, clock: instantClock(), signal: new AbortController().signal },
  });

test.each<[string, Recorded | CloudError, 'api' | 'database', RegExp | null]>([
  ['nothing was moved from it', [], 'api', null],
  [
    'its nova-compute destroyed them',
    [
      ['vm1', 'completed'],
      ['vm2', 'failed'],
    ],
    'api',
    null,
  ],
  [
    'one is not completed',
    [
      ['vm1', 'done'],
      ['vm2', 'completed'],
    ],
    'api',
    /^1 evacuation from hv01 not completed \("vm1"\)/,
  ],
  ['its instance was deleted since', [['deleted', 'done']], 'api', null],
  [
    'the database method records nothing',
    [],
    'database',
    /^Nova has no record of what the database method moved from hv01/,
  ],
  [
    'Nova is away',
    new CloudError('unknown', 'nova: no answer', null),
    'api',
    /could not be asked: nova: no answer$/,
  ],
])('%s', async (_, records, method, expected) => {
  const said = await ask(records, method);
  if (expected === null) expect(said).toBeNull();
  else expect(said).toMatch(expected);
});
