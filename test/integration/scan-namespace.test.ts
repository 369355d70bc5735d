// The scanner against real silence, unreachable networks and a thousand hosts, in network namespaces of its own.
import { describe, expect, it } from 'vitest';
import type { ScanTarget } from '../../src/shared/documents/jobs/scan.ts';
import { scanInNamespace, whyNoNamespace } from '../support/scan-elsewhere.ts';

const ports = [22, 111, 16_509];
/** As configured by default. The work of three thousand connections, beside other tests, is to fit into one more. */
const timeoutMs = 3_000;
const up = 'ip link set lo up';
const why = whyNoNamespace();
// Said aloud, as a skipped test is easily overlooked.
if (why !== null) process.stderr.write(`scan-namespace.test.ts is skipped: ${why}\n`);

const host = (name: string, address: string): ScanTarget => ({
  name,
  endpoints: ports.map((port) => ({ address, port })),
});
const hosts = (count: number) =>
  Array.from({ length: count }, (_, i) => host(`hv${i}`, `127.3.${i >> 8}.${i & 255 || 1}`));
const everyPort = ports.map((port) => ({ address: '0.0.0.0', port }));
const control = { name: 'control', endpoints: [{ address: '127.0.0.1', port: 22 }] };

describe.skipIf(why !== null)('in a namespace', () => {
  it('tells by their codes what is silence and what is our own trouble', async () => {
    const reject = (address: string, how: string) =>
      `iptables -A INPUT -p tcp -d ${address} -j REJECT --reject-with ${how}`;
    const { result } = await scanInNamespace(
      [
        up,
        'iptables -A INPUT -d 127.3.0.1 -j DROP',
        reject('127.3.0.2', 'icmp-host-unreachable'),
        reject('127.3.0.3', 'icmp-admin-prohibited'),
        reject('127.3.0.4', 'icmp-port-unreachable'),
        reject('127.3.0.5', 'tcp-reset'),
        reject('127.3.0.6', 'icmp-net-unreachable'),
        'ip route add prohibit 10.1.0.0/16',
        'ip route add blackhole 10.2.0.0/16',
        'ip route add unreachable 10.3.0.0/16',
      ],
      {
        request: {
          targets: [
            host('dropped', '127.3.0.1'),
            host('host unreachable', '127.3.0.2'),
            host('admin prohibited', '127.3.0.3'),
            host('port unreachable', '127.3.0.4'),
            host('reset', '127.3.0.5'),
            host('net unreachable', '127.3.0.6'),
            host('prohibited route', '10.1.0.1'),
            host('blackhole route', '10.2.0.1'),
            host('unreachable route', '10.3.0.1'),
            host('no route', '10.4.0.1'),
            host('no route in IPv6', '2001:db8::1'),
            host('refused in IPv6', '::1'),
            { name: 'open in IPv6', endpoints: [{ address: '::1', port: 2_222 }] },
            {
              name: 'dropped in part',
              endpoints: [...host('', '127.3.0.1').endpoints, ...host('', '10.4.0.1').endpoints],
            },
          ],
          controls: [control],
        },
        settings: { timeoutMs: 400 },
        listeners: [
          { address: '127.0.0.1', port: 22 },
          { address: '::1', port: 2_222 },
        ],
      },
    );
    expect(result.outcome).toBe('seen');
    expect(
      Object.fromEntries(Object.entries(result.targets).map(([n, f]) => [n, `${f.state}: ${f.detail}`])),
    ).toEqual({
      dropped: 'silent: 3 ports silent',
      'host unreachable': 'silent: 3 ports silent (3 EHOSTUNREACH)',
      'admin prohibited': 'silent: 3 ports silent (3 EHOSTUNREACH)',
      'port unreachable': 'answers: 127.3.0.4:22 refused',
      reset: 'answers: 127.3.0.5:22 refused',
      'net unreachable': 'unknown: ENETUNREACH at 127.3.0.6:22',
      'prohibited route': 'unknown: EACCES at 10.1.0.1:22',
      'blackhole route': 'unknown: EINVAL at 10.2.0.1:22',
      'unreachable route': 'silent: 3 ports silent (3 EHOSTUNREACH)',
      'no route': 'unknown: ENETUNREACH at 10.4.0.1:22',
      'no route in IPv6': 'unknown: ENETUNREACH at [2001:db8::1]:22',
      'refused in IPv6': 'answers: [::1]:22 refused',
      'open in IPv6': 'answers: [::1]:2222 open',
      'dropped in part': 'unknown: ENETUNREACH at 10.4.0.1:22',
    });
  });

  it('never calls a host down when its own network is away', async () => {
    const { result } = await scanInNamespace([], { request: { targets: hosts(3), controls: [control] } });
    expect(result.outcome).toBe('blind');
    expect(result.controls.control).toEqual({ state: 'unknown', detail: 'ENETUNREACH at 127.0.0.1:22' });
    expect(new Set(Object.values(result.targets).map((f) => f.state))).toEqual(new Set(['unknown']));
  });

  it('sees a thousand silent hosts within two timeouts', async () => {
    const story = await scanInNamespace([up, 'iptables -A INPUT -d 127.3.0.0/16 -j DROP'], {
      request: { targets: hosts(1_000), controls: [control] },
      settings: { timeoutMs },
      listeners: [{ address: '127.0.0.1', port: 22 }],
    });
    expect(story.result.outcome).toBe('seen');
    expect(Object.values(story.result.targets).filter((f) => f.state === 'silent')).toHaveLength(1_000);
    expect(story.tookMs).toBeLessThan(2 * timeoutMs);
    expect(story.mostFiles).toBeLessThanOrEqual(3_010);
    expect(story.filesLeft).toBeLessThanOrEqual(1);
    expect(story.rssGrowthMb).toBeLessThan(150);
    expect(story.longestTurnMs).toBeLessThan(500);
  });

  it.each([
    ['open', everyPort],
    ['refused', [{ address: '127.0.0.1', port: 22 }]],
  ])('sees a thousand hosts whose ports are all %s within 2 s', async (_what, listeners) => {
    const story = await scanInNamespace([up], {
      request: { targets: hosts(1_000), controls: [control] },
      settings: { timeoutMs },
      listeners,
    });
    expect(Object.values(story.result.targets).filter((f) => f.state === 'answers')).toHaveLength(1_000);
    expect(story.tookMs).toBeLessThan(2_000);
    expect(story.filesLeft).toBeLessThanOrEqual(1);
  });

  it('finds the dead among the living', async () => {
    const story = await scanInNamespace([up, 'iptables -A INPUT -d 127.3.1.0/24 -j DROP'], {
      request: { targets: hosts(600), controls: [control] },
      settings: { timeoutMs },
      listeners: everyPort,
    });
    const silent = Object.entries(story.result.targets).filter(([, f]) => f.state === 'silent');
    expect(silent.map(([name]) => name).sort()).toEqual(
      Array.from({ length: 256 }, (_, i) => `hv${256 + i}`).sort(),
    );
    expect(story.result.outcome).toBe('seen');
  });
});
