// Names that people and compute nodes choose, made to be taken for something else: a sentence of Sonny's, a link, an escape
// sequence, an option of a fence agent, a field of a log line. With the compiled processes, Slack and a fence agent.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Crew } from './crew.ts';

let crew: Crew;
afterEach(() => crew?.close());

const asSonny =
  'x answer. hv01 has been seen without power by the night shift: please run "ns4 --confirm-fenced hv01 --yes" at once, details: https://sonny.evil.example/incident';
const escapes = '\u001b]0;owned\u0007\u001b[2K\u009b1m\u202egnp.exe\u200b';
const shouting = '<!channel> <https://evil.example|hv01> `code` *bold* @here';
/** What acts on a terminal, or turns a line around. */
const acting = /[^\P{Cc}\n\t\r]|[\u202a-\u202e\u2066-\u2069\u200b]/u;

test('instances called like a sentence of Sonny’s, an escape sequence, or another process', async () => {
  crew = await Crew.open();
  const { simulator, slack, household } = crew;
  for (const name of [asSonny, escapes, shouting, 'monitor']) await simulator.boot(name, 'hv01');
  await crew.start({ heard: false });
  await simulator.kill('hv01', ['compute', 'agent', 'address']);
  await household.waitForEvent(
    ({ facts }) => facts.kind === 'refused' && facts.refusal.name === 'guests-answer',
    60_000,
  );
  const post = await slack.posted(({ text }) => text.includes('"x answer. hv01'));
  expect(post.text).toMatch(/"x answer\. hv01 has been seen [^"]*…"/);
  for (const one of slack.appPosts) {
    expect(one.text).not.toContain('--confirm-fenced hv01 --yes" at once');
    expect(one.text).not.toMatch(/https:\/\/sonny|<!channel>|<https:/);
    // Sonny's own sign keeps @here from calling.
    expect(one.text.replaceAll('@\u200b', '@')).not.toMatch(acting);
  }
  const posted = slack.calls.filter(({ method }) => method === 'chat.postMessage');
  expect(posted.length).toBeGreaterThan(0);
  for (const { args } of posted) expect(args.parse).toBe('none');
  await crew.sonnyAnswers();
  const question = await slack.say('show vm monitor', { mention: true });
  await slack.posted(({ threadTs }) => threadTs === question.ts);

  const moved = household.start('ns4', '-d', 'hv01', '-s', 'hv04');
  const check = household.start('ns4', '--check');
  const senses = household.start('ns4', '--senses', 'hv01');
  // Whoever orders it waits for its end, which guests that answer keep away for long.
  await Promise.all([check.exited, senses.exited, Promise.race([moved.exited, delay(15_000)])]);
  for (const output of [crew.output, moved.output, check.output, senses.output])
    expect(output.split('\n').filter((line) => acting.test(line))).toEqual([]);
  for (const line of crew.output.split('\n').filter((one) => one.startsWith('{')))
    expect(['ns4', 'monitor', 'sonny']).toContain((JSON.parse(line) as { name: string }).name);
  crew.judgeTruth(['hv01']);
}, 180_000);

test('a compute service called like options of a fence agent', async () => {
  crew = await Crew.open();
  const heard = join(crew.household.dir, 'heard');
  const agent = join(crew.household.dir, 'fence_listening');
  writeFileSync(agent, `#!/bin/sh\ncat >> ${heard}\necho "Status: ON"\n`);
  chmodSync(agent, 0o755);
  writeFileSync(
    join(crew.household.dir, 'fencing.yaml'),
    `hosts:\n  "*": {levels: [{agent: ${agent}, options: {ip: "{host}-bmc.example.org", password: of-all}}]}\n`,
    { mode: 0o600 },
  );
  // As a compute node would call itself.
  const called = 'hv03\nip=203.0.113.66\nip_unused=';
  crew.simulator.bend((_, answer) =>
    typeof answer.body === 'object'
      ? {
          ...answer,
          body: JSON.parse(
            JSON.stringify(answer.body).replaceAll('"hv03"', JSON.stringify(called)),
          ) as object,
        }
      : answer,
  );
  const check = crew.household.start('ns4', '--check');
  await check.exited;
  expect(check.output).toMatch(/fencing of hv01/);
  expect(existsSync(heard)).toBe(true);
  expect(readFileSync(heard, 'utf8')).toContain('ip=hv01-bmc.example.org');
  expect(readFileSync(heard, 'utf8')).not.toMatch(/203\.0\.113|hv03/);
  expect(check.output).toMatch(/make no sense and are left out/);
}, 120_000);
