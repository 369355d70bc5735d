// The units of deploy/systemd, as systemd-analyze judges them without running them: what a service may do that it need not.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../../deploy/systemd');
const units = ['sonny-ns4', 'sonny-monitor', 'sonny'] as const;
const processes = { 'sonny-ns4': 'ns4', 'sonny-monitor': 'monitor', sonny: 'sonny' } as const;

describe.each(units)('%s.service', (unit) => {
  const text = readFileSync(join(folder, `${unit}.service`), 'utf8');
  const settings = text.split('\n').filter((line) => /^[A-Z]\w*=/.test(line));

  test('is exposed less than 2.0 of 10', () => {
    const file = join(folder, `${unit}.service`);
    const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=19', file], {
      encoding: 'utf8',
    });
    expect(judged.error, 'systemd-analyze is missing: scripts/setup --tests installs it').toBeUndefined();
    expect(judged.stdout).toMatch(/Overall exposure level for \S+: [01]\.\d/);
    expect(judged.status, judged.stdout).toBe(0);
  });

  // What no figure of systemd-analyze counts.
  test.each([
    'Type=notify',
    'DynamicUser=yes',
    'UMask=0077',
    'LimitCORE=0',
    'KillMode=mixed',
    'WatchdogSignal=SIGKILL',
    'Restart=always',
    'RestartPreventExitStatus=2',
    'StartLimitIntervalSec=0',
  ])('%s', (line) => {
    expect(settings).toContain(line);
  });

  test('has a watchdog and bounds, and reads what it needs as credentials alone', () => {
    for (const key of ['WatchdogSec', 'MemoryMax', 'TasksMax', 'LimitNOFILE', 'TimeoutStopSec'])
      expect(settings.filter((line) => line.startsWith(`${key}=`))).toHaveLength(1);
    expect(settings).toContain(`ExecStart=${processes[unit]} -v -c %d/config.ini`);
    expect(settings).toContain(`LoadCredential=config.ini:/etc/sonny/${processes[unit]}.ini`);
    // systemd would hand an environment to whoever asks for it.
    expect(settings.filter((line) => /^Environment/.test(line) && !/=%d\/[\w.]+$/.test(line))).toEqual([]);
  });

  test('V8 has to run what it compiled', () => {
    expect(settings.join('\n')).not.toContain('MemoryDenyWriteExecute=');
  });
});
