// What fencing.yaml means: whose options count, what "{host}" becomes, which hosts have levels, what is a secret.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFencingFile } from '../../../../src/ns4/fencing/fencing-file.ts';
import { agentsOf, isSecretOption, levelsOf, planGaps } from '../../../../src/ns4/fencing/plan.ts';
import { hypervisor } from '../../../support/inventories.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sonny-plan-'));
  for (const agent of ['fence_ipmilan', 'fence_redfish', 'fence_kdump', 'own'])
    writeFileSync(join(dir, agent), '#!/bin/sh\n', { mode: 0o755 });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function read(text: string, mode = 0o600, hasCeph = true) {
  const file = join(dir, 'fencing.yaml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return readFencingFile(file, { path: dir, hasCeph });
}

const many = `
defaults:
  options:
    fence_ipmilan: {username: sonny, password: "0123", lanplus: 1, cipher: 3}
  levels:
    - agent: fence_ipmilan
      options: {ip: "{host}-bmc.example", cipher: 17}
    - agent: ${'$DIR'}/own
      options: {plug: "{host}", token: "for {host}"}
hosts:
  hv01:
  hv02: {options: {fence_ipmilan: {ip: 10.1.0.2, password: other}}}
  hv03:
    levels: [{agent: fence_redfish, options: {ip: 10.1.0.3}}]
`;
const plan = () => read(many.replace('$DIR', dir));

describe('levels', () => {
  test("defaults, the level's options over them, the host's over both; texts stay as written", () => {
    const [first, second, ...more] = levelsOf(plan(), 'hv01');
    expect(first).toEqual({
      number: 1,
      devices: [
        {
          agent: 'fence_ipmilan',
          program: join(dir, 'fence_ipmilan'),
          options: {
            ...{ username: 'sonny', password: '0123', lanplus: '1', cipher: '17' },
            ip: 'hv01-bmc.example',
          },
        },
      ],
    });
    // Within a secret nothing is replaced: it may look like anything.
    expect(second).toMatchObject({
      number: 2,
      devices: [{ options: { plug: 'hv01', token: 'for {host}' } }],
    });
    expect(more).toEqual([]);
    expect(levelsOf(plan(), 'hv02')[0]?.devices[0]?.options).toMatchObject({
      ip: '10.1.0.2',
      password: 'other',
    });
    expect(levelsOf(plan(), 'hv03')).toMatchObject([
      { devices: [{ agent: 'fence_redfish', options: { ip: '10.1.0.3' } }] },
    ]);
  });

  test('a host that is not named has none, unless "*" stands for it', () => {
    expect(levelsOf(plan(), 'hv09')).toEqual([]);
    const star = read(`${many.replace('$DIR', dir)}  "*":\n`);
    expect(levelsOf(star, 'hv09')[0]?.devices[0]?.options.ip).toBe('hv09-bmc.example');
    expect(levelsOf(star, 'hv03')).toHaveLength(1);
  });

  test('a level of several devices, each with its own options; the defaults count for each', () => {
    const feeds = read(`
defaults: {options: {fence_redfish: {username: sonny}}}
hosts:
  hv01:
    levels:
      - devices:
          - {agent: fence_redfish, options: {ip: pdu-a, plug: 7}}
          - {agent: fence_redfish, options: {ip: pdu-b, plug: 7}}
      - agent: own
`);
    expect(levelsOf(feeds, 'hv01')).toMatchObject([
      {
        number: 1,
        devices: [
          { agent: 'fence_redfish', options: { username: 'sonny', ip: 'pdu-a' } },
          { agent: 'fence_redfish', options: { username: 'sonny', ip: 'pdu-b' } },
        ],
      },
      { number: 2, devices: [{ agent: 'own', options: {} }] },
    ]);
  });

  test('a host of Nova whose name would add a line has none by "*"', () => {
    const star = read('hosts: {"*": {levels: [{agent: own, options: {plug: "{host}"}}]}}');
    expect(levelsOf(star, 'hv09')).toHaveLength(1);
    for (const name of ['hv09\nplug=hv01', 'hv09\u0000', ' hv09', 'hv09 '])
      expect(levelsOf(star, name)).toEqual([]);
  });

  test('the secrets of all, for the log', () => {
    expect([...plan().secrets].sort()).toEqual(['0123', 'for {host}', 'other']);
  });
});

test('fence_kdump only listens: alone, as the first level, for a host that it knows', () => {
  const host = (levels: string) => `hosts: {hv01: {levels: [${levels}]}}`;
  const kdump = '{agent: fence_kdump, options: {nodename: 10.1.0.1}}';
  expect(() => read(host(`${kdump}, {agent: own}`))).not.toThrow();
  expect(() => read(host('{agent: fence_kdump}'))).toThrow(
    /levels\[0\]: options.nodename: missing, expected the address that its crash kernel sends from/,
  );
  expect(() => read(host(`{agent: own}, ${kdump}`))).toThrow(
    /levels\[1\]: fence_kdump listens for a kernel that the levels before it ended, expected it as the first level/,
  );
  expect(() => read(host(`{devices: [${kdump}, {agent: own}]}`))).toThrow(
    /levels\[0\].devices\[0\]: fence_kdump only listens, expected it in a level of its own/,
  );
});

describe('the level ceph', () => {
  const host = (levels: string) => `hosts: {hv01: {levels: [${levels}]}}`;

  test('before or after others, and the same for every host', () => {
    const text = `
defaults: {levels: [{agent: ${join(dir, 'own')}, options: {plug: "{host}"}}, {agent: ceph}]}
hosts: {hv01: , hv02: {levels: [{agent: ceph}, {agent: fence_ipmilan, options: {ip: 10.1.0.2}}]}, "*": }
`;
    const found = read(text);
    expect(levelsOf(found, 'hv01').map(agentsOf)).toEqual([join(dir, 'own'), 'ceph']);
    expect(levelsOf(found, 'hv02').map(agentsOf)).toEqual(['ceph', 'fence_ipmilan']);
    expect(levelsOf(found, 'hv09')[1]).toEqual({ number: 2, kind: 'ceph', devices: [] });
  });

  test.each([
    [
      'with options',
      host('{agent: ceph, options: {plug: x}}'),
      /levels\[0\].options: the level ceph takes no options/,
    ],
    [
      'twice',
      host('{agent: ceph}, {agent: ceph}'),
      /levels\[1\]: found ceph a second time, expected it once/,
    ],
    [
      'as one of several devices',
      host('{devices: [{agent: own}, {agent: ceph}]}'),
      /levels\[0\].devices: found ceph among them, expected it in a level of its own/,
    ],
    [
      'options of a host for it',
      'hosts: {hv01: {options: {ceph: {plug: x}}, levels: [{agent: ceph}]}}',
      /hosts.hv01.options.ceph: the level ceph takes no options/,
    ],
    [
      'a listener after it',
      host('{agent: ceph}, {agent: fence_kdump, options: {nodename: 10.1.0.1}}'),
      /levels\[1\]: fence_kdump listens/,
    ],
  ])('refused: %s', (_, text, expected) => {
    expect(() => read(text.replaceAll('agent: own', `agent: ${join(dir, 'own')}`))).toThrow(expected);
  });

  test('without [CEPH] it is a mistake, with its line', () => {
    expect(() => read(host('{agent: ceph}'), 0o600, false)).toThrow(
      /:1: hosts.hv01.levels\[0\].agent: found ceph, expected \[CEPH\] in config.ini/,
    );
  });
});

test('permissions matter where there are secrets', () => {
  const without = 'hosts: {hv01: {levels: [{agent: own, options: {ip: 10.1.0.1, password_script: /x}}]}}';
  expect(() => read(without, 0o644)).not.toThrow();
  expect(() => read(without.replace('_script', ''), 0o640)).toThrow(/found mode 0640/);
  expect(() => read(without, 0o620)).toThrow(/may write it/);
});

test.each([
  ['password', true],
  ['passwd', true],
  ['snmp_auth_prot', false],
  ['snmp_priv_passwd', true],
  ['community', true],
  ['hexadecimal_kg', true],
  ['secret_key', true],
  ['token', true],
  ['password_script', false],
  ['identity_file', false],
  ['ip', false],
  ['username', false],
])('is %s a secret: %s', (key, expected) => {
  expect(isSecretOption(key)).toBe(expected);
});

describe('against the hypervisors that Nova knows', () => {
  const hypervisors = (...names: string[]) => ({ hypervisors: names.map((name) => hypervisor(name)) });
  test('all fits', () => {
    expect(planGaps(plan(), hypervisors('hv01', 'hv02', 'hv03'))).toEqual([]);
  });
  test('hypervisors without levels, and hosts that Nova does not know', () => {
    const gaps = planGaps(plan(), hypervisors('hv01', 'hv02', 'hv04', 'hv05'));
    expect(gaps).toHaveLength(2);
    expect(gaps[0]).toMatch(/^no fence level for hv04, hv05 in .*fencing\.yaml: only an operator's word/);
    expect(gaps[1]).toMatch(/fencing\.yaml has hv03, which Nova does not know/);
  });
});
