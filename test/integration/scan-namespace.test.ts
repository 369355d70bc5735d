// The scanner against real silence, unreachable networks and a thousand hosts, in network namespaces of its own.
import { describe, expect, it } from 'vitest';
import type { ScanTarget } from '../../src/shared/documents/jobs/scan.ts';
import { scanInNamespace, whyNoNamespace } from '../support/scan-elsewhere.ts';

const ports = [22, 111, 16_509];
/** As configured by default. The work of three thousand connections, beside other tests, is to fit into one more. */
const timeoutMs = 3_000;
/** This machine, a router, and a host behind it that prohibits by ICMP what it does not want. */
const routed = {
  ...{
    host: '10.9.2.1',
    refusing: '10.9.2.2',
    host6: 'fd00:2::1',
    filtered: '10.9.2.77',
  },
  commands: [
    'ip link set lo up',
    // Two further namespaces, for as long as the test takes.
    'unshare --net sleep 30 >/dev/null 2>&1 & R=$!',
    'unshare --net sleep 30 >/dev/null 2>&1 & H=$!',
    'while [ "$(readlink /proc/$H/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done',
    'while [ "$(readlink /proc/$R/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done',
    'on_r() { nsenter -t $R -n "$@"; }; on_h() { nsenter -t $H -n "$@"; }',
    'ip link add a0 type veth peer name r0 netns $R',
    'on_r ip link add r1 type veth peer name h0 netns $H',
    'ip addr add 10.9.1.1/24 dev a0; ip -6 addr add fd00:1::1/64 dev a0 nodad; ip link set a0 up',
    'on_r ip link set lo up; on_h ip link set lo up',
    'on_r ip addr add 10.9.1.254/24 dev r0; on_r ip -6 addr add fd00:1::fe/64 dev r0 nodad; on_r ip link set r0 up',
    'on_r ip addr add 10.9.2.254/24 dev r1; on_r ip -6 addr add fd00:2::fe/64 dev r1 nodad; on_r ip link set r1 up',
    'on_r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
    'on_r ip route add unreachable 10.9.3.0/24; on_r ip -6 route add unreachable fd00:3::/64',
    'on_r ip route add prohibit 10.9.4.0/24; on_r ip -6 route add prohibit fd00:4::/64',
    'on_h ip addr add 10.9.2.1/24 dev h0; on_h ip addr add 10.9.2.2/24 dev h0',
    'on_h ip -6 addr add fd00:2::1/64 dev h0 nodad; on_h ip link set h0 up',
    'on_h ip route add default via 10.9.2.254; on_h ip -6 route add default via fd00:2::fe',
    'on_h iptables -A INPUT -p tcp -d 10.9.2.1 -j REJECT --reject-with icmp-host-prohibited',
    'on_h ip6tables -A INPUT -p tcp -j REJECT --reject-with icmp6-adm-prohibited',
    'ip route add default via 10.9.1.254; ip -6 route add default via fd00:1::fe',
    'iptables -A OUTPUT -p tcp -d 10.9.2.77 -j REJECT --reject-with icmp-host-prohibited',
  ],
};
/**
 * Floating addresses behind that router, as Neutron's L3 agent has them, besides its own network: each is rewritten to
 * an address there, and back. Somebody else asks for the first one all the time, so that the router's ARP for it fails
 * in the middle of a probe.
 */
const floating = {
  dead: '10.9.8.55',
  deadAtOnce: '10.9.8.56',
  prohibited: '10.9.8.57',
  rejected: '10.9.8.58',
  refusing: '10.9.8.2',
  rejectedInPart: '10.9.8.3',
  commands: [
    ...routed.commands,
    'on_r sysctl -qw net.ipv4.icmp_ratelimit=0',
    'on_h ip addr add 10.9.2.3/24 dev h0',
    'for n in 2 3 55 56 57 58; do',
    '  on_r iptables -t nat -A PREROUTING -d 10.9.8.$n -j DNAT --to-destination 10.9.2.$n',
    '  on_r iptables -t nat -A POSTROUTING -s 10.9.2.$n -j SNAT --to-source 10.9.8.$n',
    'done',
    'on_r ip route add unreachable 10.9.2.56/32',
    'on_r iptables -A FORWARD -d 10.9.2.57 -j REJECT --reject-with icmp-admin-prohibited',
    'on_r iptables -A FORWARD -d 10.9.2.58 -j REJECT',
    'on_r iptables -A FORWARD -p tcp -d 10.9.2.3 --dport 22 -j REJECT',
    'for i in $(seq 100); do timeout 0.3 bash -c "</dev/tcp/10.9.8.55/80" 2>/dev/null || true; done >/dev/null 2>&1 &',
  ],
};
/**
 * Hosts on segments of this machine that drop every packet but ARP, the entries of two of them some seconds old; one of
 * these is gone since. On the last segment a router answers for everybody.
 */
const onSegment = [
  'ip link set lo up',
  'unshare --net sleep 30 >/dev/null 2>&1 & H=$!',
  'while [ "$(readlink /proc/$H/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done',
  'on_h() { nsenter -t $H -n "$@"; }',
  'on_h ip link set lo up; on_h iptables -A INPUT -j DROP',
  'on_h ip6tables -A INPUT -p tcp -j DROP; on_h sysctl -qw net.ipv4.conf.all.arp_ignore=1',
  ...[1, 5, 6, 7].map(
    (n) =>
      `ip link add a${n} type veth peer name h${n} netns $H; on_h ip addr add 10.9.${n}.2/24 dev h${n}; on_h ip link set h${n} up; ip addr add 10.9.${n}.1/24 dev a${n}; ip link set a${n} up`,
  ),
  'ip -6 addr add fd00:1::1/64 dev a1 nodad; on_h ip -6 addr add fd00:1::2/64 dev h1 nodad',
  'on_h sysctl -qw net.ipv4.conf.h7.proxy_arp=1 net.ipv4.ip_forward=1; on_h ip route add 10.9.7.3/32 dev h1',
  'for a in 10.9.5.2 10.9.6.2 10.9.7.2 fd00:1::2; do timeout 0.2 bash -c "</dev/tcp/$a/22" 2>/dev/null || true; done',
  'sleep 3',
  'on_h ip link set h6 arp off',
];
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
      'host unreachable': 'unknown: EHOSTUNREACH in its own name at 127.3.0.2:22',
      'admin prohibited': 'answers: 127.3.0.3:22 prohibited by the host itself',
      'port unreachable': 'answers: 127.3.0.4:22 refused',
      reset: 'answers: 127.3.0.5:22 refused',
      'net unreachable': 'unknown: ENETUNREACH in its own name at 127.3.0.6:22',
      'prohibited route': 'unknown: EACCES at 10.1.0.1:22',
      'blackhole route': 'unknown: EINVAL at 10.2.0.1:22',
      'unreachable route': 'unknown: EHOSTUNREACH at 10.3.0.1:22',
      'no route': 'unknown: ENETUNREACH at 10.4.0.1:22',
      'no route in IPv6': 'unknown: ENETUNREACH at [2001:db8::1]:22',
      'refused in IPv6': 'answers: [::1]:22 refused',
      'open in IPv6': 'answers: [::1]:2222 open',
      'dropped in part': 'unknown: ENETUNREACH at 10.4.0.1:22',
    });
  });

  it('asks who sent an error: the host itself, a router, or this machine', async () => {
    const one = (name: string, address: string): ScanTarget => ({
      ...{ name, endpoints: [{ address, port: 22 }] },
    });
    const findings = async (targets: ScanTarget[], settings = {}) => {
      const request = { targets, controls: [one('here', '10.9.1.1')] };
      const { result } = await scanInNamespace(routed.commands, {
        request,
        settings: { timeoutMs: 5_000, ...settings },
        listeners: [{ address: '10.9.1.1', port: 22 }],
      });
      expect(result.outcome).toBe('seen');
      return Object.fromEntries(
        Object.entries(result.targets).map(([n, f]) => [n, `${f.state}: ${f.detail}`]),
      );
    };
    const asked = [
      one('prohibited by the host', routed.host),
      one('prohibited by the host in IPv6', routed.host6),
      one('refused', routed.refusing),
      one('nobody there, behind the router', '10.9.2.66'),
      one('nobody there, on the own segment', '10.9.1.99'),
      one('no way to it', '10.9.3.1'),
      one('no way to it in IPv6', 'fd00:3::1'),
      one('prohibited by the router in IPv6', 'fd00:4::1'),
      one("this machine's packet filter", routed.filtered),
    ];
    expect(await findings(asked)).toEqual({
      'prohibited by the host': 'answers: 10.9.2.1:22 prohibited by the host itself',
      'prohibited by the host in IPv6': 'answers: [fd00:2::1]:22 prohibited by the host itself',
      refused: 'answers: 10.9.2.2:22 refused',
      'nobody there, behind the router': 'silent: 10.9.2.66:22 silent (EHOSTUNREACH)',
      'nobody there, on the own segment': 'silent: 10.9.1.99:22 silent (EHOSTUNREACH)',
      'no way to it': 'silent: 10.9.3.1:22 silent (EHOSTUNREACH from 10.9.1.254)',
      'no way to it in IPv6': 'silent: [fd00:3::1]:22 silent (ENETUNREACH from fd00:1::fe)',
      'prohibited by the router in IPv6': 'unknown: EACCES from fd00:1::fe at [fd00:4::1]:22',
      "this machine's packet filter": 'unknown: EHOSTUNREACH from this machine at 10.9.2.77:22',
    });
    // A Linux router sends few errors to one machine: by itself, and the other way round.
    expect(await findings([one('prohibited by the router', '10.9.4.1')])).toEqual({
      'prohibited by the router': 'unknown: EHOSTUNREACH from 10.9.1.254 at 10.9.4.1:22',
    });
    expect(await findings([one('the host', routed.host)], { refusedMeans: 'silent' })).toEqual({
      'the host': 'silent: 10.9.2.1:22 silent (prohibited)',
    });
  }, 60_000);

  it("takes no error in a guest's name for its answer: a router of floating addresses sends them", async () => {
    const guest = (name: string, address: string, ...ports: number[]): ScanTarget => ({
      ...{
        name,
        kind: 'guest',
        endpoints: (ports.length > 0 ? ports : [22]).map((port) => ({ address, port })),
      },
    });
    const { result, heard } = await scanInNamespace(floating.commands, {
      request: {
        targets: [
          guest('nobody there', floating.dead),
          guest('nobody there, at once', floating.deadAtOnce),
          guest('prohibited on the way', floating.prohibited),
          guest('rejected on the way', floating.rejected),
          guest('refused', floating.refusing),
          guest('one port is rejected on the way', floating.rejectedInPart, 22, 23),
        ],
        controls: [{ name: 'here', endpoints: [{ address: '10.9.1.1', port: 22 }] }],
      },
      settings: { timeoutMs: 4_000 },
      listeners: [{ address: '10.9.1.1', port: 22 }],
    });
    expect(
      Object.fromEntries(Object.entries(result.targets).map(([n, f]) => [n, `${f.state}: ${f.detail}`])),
    ).toEqual({
      // After the router's three seconds it is known for what it is without asking.
      'nobody there': expect.stringMatching(
        /^silent: 10\.9\.8\.55:22 silent \(EHOSTUNREACH( in its own name)?\)$/,
      ),
      'nobody there, at once': 'silent: 10.9.8.56:22 silent (EHOSTUNREACH in its own name)',
      'prohibited on the way': 'unknown: EHOSTUNREACH in its own name at 10.9.8.57:22',
      'rejected on the way': 'unknown: ECONNREFUSED in its own name at 10.9.8.58:22',
      refused: 'answers: 10.9.8.2:22 refused',
      'one port is rejected on the way': 'answers: 10.9.8.3:23 refused',
    });
    expect(heard).toEqual(['10.9.1.1', floating.refusing, floating.rejectedInPart].sort());
  }, 30_000);

  it('hears the network card of a host on the segment that drops everything', async () => {
    const one = (name: string, address: string, kind: 'host' | 'guest' = 'host'): ScanTarget => ({
      ...{ name, kind, endpoints: [{ address, port: 22 }] },
    });
    const { result } = await scanInNamespace(onSegment, {
      request: {
        targets: [
          one('never talked to', '10.9.1.2'),
          one('talked to before', '10.9.5.2'),
          one('talked to before, and gone since', '10.9.6.2'),
          one('talked to before, in IPv6', 'fd00:1::2'),
          one('nobody', '10.9.1.9'),
          one('a router answers in its name', '10.9.7.3'),
          one('a guest, in whose name a network node answers', '10.9.5.2', 'guest'),
        ],
        controls: [one('here', '10.9.1.1')],
      },
      settings: { timeoutMs: 1_200 },
      listeners: [{ address: '10.9.1.1', port: 22 }],
    });
    const card = (address: string) => `answers: the network card of ${address} answers, though no port does`;
    expect(
      Object.fromEntries(Object.entries(result.targets).map(([n, f]) => [n, `${f.state}: ${f.detail}`])),
    ).toEqual({
      'never talked to': card('10.9.1.2'),
      'talked to before': card('10.9.5.2'),
      'talked to before, and gone since': 'silent: 10.9.6.2:22 silent',
      'talked to before, in IPv6': card('fd00:1::2'),
      nobody: 'silent: 10.9.1.9:22 silent',
      'a router answers in its name': 'silent: 10.9.7.3:22 silent',
      'a guest, in whose name a network node answers': 'silent: 10.9.5.2:22 silent',
    });
  }, 30_000);

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
