import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ClockSkew } from '../../../../src/ns4/openstack/clock-skew.ts';
import { computeServiceItem, serverItem } from '../../../../src/ns4/openstack/records.ts';
import { isItemNotFound, serviceWords } from '../../../../src/ns4/openstack/service-words.ts';
import { utcTime, validated } from '../../../../src/ns4/openstack/validation.ts';

describe('serviceWords', () => {
  it.each([
    [
      '{"badRequest":{"code":400,"message":"Compute service of hv01 is still in use."}}',
      'Compute service of hv01 is still in use.',
    ],
    ['{"conflictingRequest":{"code":409,"message":"Cannot \'evacuate\'"}}', "Cannot 'evacuate'"],
    [
      '{"NeutronError":{"type":"PortNotFound","message":"Port x could not be found.","detail":""}}',
      'Port x could not be found.',
    ],
    ['{"NeutronError":"old words"}', 'old words'],
    [
      JSON.stringify({ error: { message: 'red \u001b[31m, left\u202e, \u009b1m' } }),
      'red \\x1b[31m, left\\u202e, \\u009b1m',
    ],
    [
      '{"error":{"code":401,"title":"Unauthorized","message":"The request requires authentication."}}',
      'The request requires authentication.',
    ],
    [
      '{"errors":[{"status":409,"code":"placement.concurrent_update","detail":"generation conflict"}]}',
      'placement.concurrent_update: generation conflict',
    ],
    ['{"errors":[{"status":404,"detail":"none"}]}', 'none'],
    [
      '{"message":"unavailable.<br /><br />\\nKeystone is away","code":"503"}',
      'unavailable. Keystone is away',
    ],
    ['{"computeFault":{"message":"Unexpected. <class \'Some.Error\'>"}}', "Unexpected. <class 'Some.Error'>"],
    [
      '<html><head><title>503</title></head><body><h1>503 Service Unavailable</h1>\nKeystone is away.<br /></body></html>',
      '503 Service Unavailable Keystone is away.',
    ],
    ['plain words\n', 'plain words'],
    ['"a string"', 'a string'],
    ['', ''],
    ['{"a":1,"b":2}', '{"a":1,"b":2}'],
  ])('%s', (body, words) => {
    expect(serviceWords(body)).toBe(words);
  });

  it('cuts long texts', () => {
    expect(serviceWords('x'.repeat(10_000))).toHaveLength(500);
  });

  it("tells Nova's not found from another's", () => {
    expect(isItemNotFound('{"itemNotFound":{"code":404,"message":"Instance x could not be found."}}')).toBe(
      true,
    );
    expect(isItemNotFound('<html>404</html>')).toBe(false);
    expect(isItemNotFound('{"error":{"message":"no route"}}')).toBe(false);
  });
});

describe('utcTime', () => {
  it.each([
    ['2026-11-21 02:17:15', '2026-11-21T02:17:15.000Z'],
    ['2026-11-21T02:17:13.000000', '2026-11-21T02:17:13.000Z'],
    ['2026-11-21T03:16:48.250000Z', '2026-11-21T03:16:48.250Z'],
    ['2026-11-21T03:16:48+01:00', '2026-11-21T02:16:48.000Z'],
  ])('%s is UTC', (text, iso) => {
    expect(new Date(utcTime.parse(text)).toISOString()).toBe(iso);
  });

  it.each([
    '',
    'yesterday',
    '2026-11-21',
    '2026-13-01 00:00:00',
    '2026-02-31 00:00:00',
    '21.11.2026 02:17:15',
    '2026-11-21 25:00:00',
    `2026-11-21 02:17:15.${'0'.repeat(100_000)}`,
  ])('%j is an error, not a guess', (text) => {
    expect(utcTime.safeParse(text).success).toBe(false);
  });
});

describe('validated', () => {
  const schema = z.object({ agents: z.array(z.object({ heartbeat_timestamp: utcTime })) });
  const body = { agents: [{ heartbeat_timestamp: '2026-11-21 02:17:15' }, { heartbeat_timestamp: 'now' }] };

  it('names the call and the field', () => {
    expect(() => validated(schema, body, 'Neutron GET /agents')).toThrow(
      'Neutron GET /agents: the answer makes no sense (agents[1].heartbeat_timestamp: no readable time: "now")',
    );
    expect(() => validated(schema, undefined, 'Neutron GET /agents')).toThrow(/it is no JSON/);
  });

  it('leaves open what a change did whose answer makes no sense', () => {
    const outcomeOf = (change: boolean): unknown => {
      try {
        return validated(schema, {}, 'x', change);
      } catch (error) {
        return error;
      }
    };
    expect(outcomeOf(false)).toMatchObject({ outcome: 'not-done' });
    expect(outcomeOf(true)).toMatchObject({ outcome: 'unknown' });
  });
});

describe('records', () => {
  const raw = {
    id: '21',
    name: 'web',
    tenant_id: 'p1',
    status: 'ERROR',
    created: '2026-11-21T02:00:00Z',
    locked: false,
    adminPass: 'hunter2hunter2',
    key_name: 'mine',
    'OS-EXT-SRV-ATTR:user_data': 'c2VjcmV0',
    metadata: { token: 'abc' },
    'OS-EXT-SRV-ATTR:host': '',
    'OS-EXT-SRV-ATTR:hypervisor_hostname': null,
    'OS-EXT-STS:vm_state': 'error',
    'OS-EXT-STS:task_state': null,
    'OS-EXT-STS:power_state': 0,
    'OS-EXT-AZ:availability_zone': '',
    flavor: { original_name: 'small', vcpus: 1, ram: 512, disk: 1 },
    'OS-SRV-USG:launched_at': '2026-11-21T02:01:00.000000',
    addresses: {
      'ext-net': [
        { addr: '127.0.2.5', version: 4, 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': 'aa:bb' },
      ],
    },
    'os-extended-volumes:volumes_attached': [{ id: '31', delete_on_termination: false }],
    image: '',
    fault: { code: 500, created: 'x', message: 'No valid host was found. ', details: 'Traceback' },
  };

  it('keeps the public facts of a server and nothing else', () => {
    expect(serverItem.parse(raw)).toEqual({
      id: '21',
      name: 'web',
      projectId: 'p1',
      host: null,
      hypervisorName: null,
      status: 'ERROR',
      vmState: 'error',
      taskState: null,
      powerState: 0,
      locked: false,
      flavor: 'small',
      vcpus: 1,
      memoryMb: 512,
      zone: null,
      createdAt: '2026-11-21T02:00:00Z',
      launchedAtMs: Date.UTC(2026, 10, 21, 2, 1),
      addresses: [
        {
          ...{ network: 'ext-net', networkId: null, external: false },
          ...{ address: '127.0.2.5', version: 4, type: 'fixed' },
        },
      ],
      volumes: ['31'],
      bootsFromImage: false,
      fault: 'No valid host was found. ',
    });
  });

  it.each([
    ['2026-11-21T02:17:13.000000', Date.UTC(2026, 10, 21, 2, 17, 13)],
    [null, null],
  ])('reads when a server was launched: %s', (launched, expected) => {
    expect(serverItem.parse({ ...raw, 'OS-SRV-USG:launched_at': launched }).launchedAtMs).toBe(expected);
  });

  it('refuses a server without its host: a user who is no administrator must not see an empty cloud', () => {
    const { 'OS-EXT-SRV-ATTR:host': _, ...rest } = raw;
    expect(serverItem.safeParse(rest).success).toBe(false);
  });

  it('reads a service that never reported, and none of an unknown state (a cell that is down)', () => {
    const service = {
      id: '7',
      host: 'h',
      zone: 'nova',
      state: 'down',
      status: 'enabled',
      forced_down: false,
    };
    expect(computeServiceItem.parse({ ...service, updated_at: null }).reportedAtMs).toBeNull();
    const bare = { binary: 'nova-compute', host: 'h', status: 'UNKNOWN' };
    expect(computeServiceItem.safeParse(bare).success).toBe(false);
  });
});

describe('ClockSkew', () => {
  const noon = Date.parse('2026-11-21T12:00:00Z');
  const header = (ms: number): string => new Date(ms).toUTCString();

  it('is 0 before the first answer and within half a second after it', () => {
    const skew = new ClockSkew();
    expect(skew.ms()).toBe(0);
    skew.observe(header(noon), noon + 300, noon + 310);
    expect(Math.abs(skew.ms())).toBeLessThan(500);
  });

  it('is not fooled by a slow answer', () => {
    const skew = new ClockSkew();
    skew.observe(header(noon), noon + 500, noon + 510);
    skew.observe(header(noon + 9_000), noon + 1_000, noon + 9_500);
    expect(Math.abs(skew.ms())).toBeLessThan(1_000);
  });

  it('sees a cloud that is ahead, and follows a clock that is set', () => {
    const skew = new ClockSkew();
    for (let i = 0; i < 10; i++)
      skew.observe(header(noon + 90_000 + i * 130), noon + i * 130, noon + i * 130 + 20);
    expect(Math.abs(skew.ms() - 90_000)).toBeLessThan(1_000);
    skew.observe(header(noon + 2_000), noon + 2_000, noon + 2_020);
    expect(Math.abs(skew.ms())).toBeLessThan(1_000);
  });

  it('ignores what is no date', () => {
    const skew = new ClockSkew();
    skew.observe('sometime', noon, noon);
    expect(skew.ms()).toBe(0);
  });
});

describe('words of a hostile page', () => {
  it('100 kB of brackets, and of tags that never end, cost no more than their length', () => {
    for (const unit of ['<', '<a ', '<script', '&nbsp', '<br /', ' \n']) {
      const before = process.cpuUsage();
      const words = serviceWords(unit.repeat(100_000 / unit.length));
      expect(process.cpuUsage(before).user / 1_000).toBeLessThan(500);
      expect(words.length).toBeLessThanOrEqual(500);
    }
  });

  it('a secret is masked before it is cut in two', () => {
    const mask = (text: string) => text.replaceAll('long-secret-word', '****');
    const words = serviceWords(`${'x '.repeat(245)}long-secret-word`, mask);
    expect(words).not.toContain('long');
    expect(serviceWords('<p>ab<b>c</b></p><script>no</script><style>no</style> end')).toBe('ab c end');
  });
});
