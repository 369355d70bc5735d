// Every attack that worked once on the built product, and each that did not, with the tests that play it: none is forgotten when
// a test is renamed or moved. Numbers are those of the review. Where a test of another project plays the very attack against
// the same processes, it stays there and is named here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** A file below test/ (or docs/), and words that stand in it. */
type Held = readonly [file: string, words: string];

const forged = 'attacks/forged.test.ts';
const access = 'attacks/access-control.test.ts';
const signatures = 'integration/signatures.test.ts';
const bad = 'integration/bad-entries.test.ts';
const mending = 'integration/queue-mending.test.ts';
const names = 'attacks/names.test.ts';
const sonny = 'integration/sonny.test.ts';
const secrets = 'attacks/planted-secrets.test.ts';
const files = 'attacks/files.test.ts';
const slack = 'attacks/slack-fuzz.test.ts';
const redisFuzz = 'attacks/redis-fuzz.test.ts';
const answers = 'attacks/openstack-answers.test.ts';
const waysOut = 'attacks/ways-out.test.ts';
const odd = 'unit/ns4/openstack/odd-records.test.ts';

const attacks: Readonly<Record<string, readonly Held[]>> = {
  '1 a living host: lease, assignments, journal and job forged in Redis': [
    [access, 'whoever has the run of Redis and no key'],
    [signatures, 'a forged one, one of another recovery'],
  ],
  '1 a proof of the future in a journal': [[signatures, 'a proof of the future is none']],
  '1 a word that a host is off, whose fencing had refused': [
    [forged, 'a word that a host is off'],
    [forged, 'a word of the future'],
  ],
  '1 an order, although dead_backoff is 0': [
    [access, 'dead_backoff: 0'],
    [signatures, 'orders of operators'],
  ],
  '1 a vantage point and its votes, made by anybody': [
    [forged, 'a second vantage point that anybody made'],
    [signatures, 'an eye and a worker that anybody can make'],
  ],
  '1 ns4 as somebody’s port scanner, with controls of his': [[forged, 'a scan of somebody']],
  '1 what was signed, put back later or elsewhere': [
    [signatures, 'one that was done, put back'],
    [signatures, 'older ones, put back'],
  ],
  '1 sonny and others write what is not theirs': [
    [access, 'each process was let do all it did, and no more'],
  ],
  '1 no key, and Redis is not on loopback: said': [
    ['unit/shared/redis/trust-in-redis.test.ts', 'elsewhere, without a key'],
  ],
  '2 a compute service called like options of a fence agent': [
    [names, 'a compute service called like options'],
    ['unit/ns4/fencing/fencing-file.test.ts', 'whose name would add a line'],
  ],
  '3 a server that asks for the database’s password in its own key': [
    ['integration/mysql-key.test.ts', 'caching_sha2_password'],
  ],
  '4 a hundred secrets, quoted by whatever is around': [
    [secrets, 'a login that is refused'],
    [secrets, 'a whole failure with a cloud, a device and proxies that quote'],
  ],
  '5 the password of a BMC in the list of processes': [
    ['unit/ns4/fencing/agent.test.ts', 'no secret in arguments or environment'],
    ['../docs/fencing.md', 'process list while it runs'],
  ],
  '6 strangers ask': [[sonny, 'is who belongs to the own workspace']],
  '7 an instance called like a sentence of Sonny’s': [[names, 'instances called like a sentence']],
  '8 one bad entry in Redis': [
    [bad, 'a vantage point whose name is none'],
    [bad, 'a stream at its last possible id'],
    [bad, 'orders of another type'],
    [bad, 'a lease that nobody holds'],
    [bad, 'sixteen vantage points that nobody renews'],
    [bad, 'an inventory of the future'],
    [mending, 'what is known of the queue, of another type'],
    [mending, 'failed jobs of another type'],
    [access, 'a journal of nobody keeps its host'],
    [redisFuzz, 'without a key'],
  ],
  '8 nobody watches, and nobody says so': [
    ['unit/sonny/relay/silence.test.ts', 'test('],
    ['unit/monitor/dead-man.test.ts', 'test('],
    ['unit/monitor/turn-troubles.test.ts', '('],
  ],
  '9 files that others may write, replace or read': [
    [files, 'that others may write'],
    [files, 'of another user'],
    [files, 'that others may read: said'],
    ['unit/shared/config/guarded-file.test.ts', 'a link counts as what it leads to'],
  ],
  '10 an error page that takes longer than a lock lives': [['attacks/pages.test.ts', 'five pages of %s']],
  '11 odd envelopes': [
    [sonny, 'is acknowledged and harmless, however odd'],
    [slack, 'envelopes'],
  ],
  '11 an error that nobody caught': [[waysOut, 'that nobody caught']],
  '12 Redis by TLS': [
    ['integration/redis-tls.test.ts', 'the CA, the name and what the server asks for'],
    ['integration/redis-tls.test.ts', 'the environment cannot switch the check off'],
  ],
  '12 plain and unverified connections': [
    ['unit/shared/process/connection-safety.test.ts', 'TLS unverified'],
  ],
  '13 escape sequences on terminals, names in logs': [
    [names, 'an escape sequence, or another process'],
    ['unit/shared/ground/log.test.ts', 'no data of a line passes for who wrote it'],
  ],
  '13 an operator called by his environment': [['unit/shared/process/operator.test.ts', 'SUDO_USER']],
  '14 tickets and messages at -vv': [[sonny, 'is not written at -vv']],
  '15 what is installed': [
    ['unit/lock-file.test.ts', 'names every package that a package needs'],
    ['unit/licences.test.ts', 'nothing is shipped that only a web server would need'],
  ],
  '17 lists without end, megabytes in a field': [
    [odd, 'a list without end ends'],
    [odd, 'two megabytes'],
  ],
  '18 --check with a wrong password of Redis': [['integration/redis-troubles.test.ts', 'limitMs = 10_000']],

  'held: every field of every answer of OpenStack': [
    [answers, 'every call'],
    ['attacks/openstack-fuzz.test.ts', 'while a host is recovered'],
  ],
  'held: redirects with the token': [[waysOut, 'a redirect is not followed']],
  'held: the next page on another host': [
    ['unit/ns4/openstack/client-reads.test.ts', 'not to where the link points'],
  ],
  'held: links in circles, answers without end': [
    ['unit/ns4/openstack/paging.test.ts', 'links that go in circles'],
    ['unit/ns4/openstack/client-reads.test.ts', 'does not swallow an answer without end'],
  ],
  'held: garbage of every kind in every key': [[redisFuzz, 'signed']],
  'held: wrong passwords of Redis': [['support/redis-troubles.ts', 'locked']],
  'held: secrets in arguments and environment': [[waysOut, 'no secret in the arguments']],
  'held: mentions, links, ends of a code block': [
    [sonny, 'cannot make the bot shout'],
    ['unit/sonny/render/mrkdwn.test.ts', 'cannot be left from inside'],
  ],
  'held: replies of Slack that make no sense': [[slack, 'replies of the Web API']],
  'held: YAML and INI made to explode': [
    ['unit/shared/config/yaml-file.test.ts', 'what plain values cannot be made of'],
  ],
};

test.each(Object.entries(attacks))('%s', (_, held) => {
  expect(held.length).toBeGreaterThan(0);
  for (const [file, words] of held)
    expect(readFileSync(join(import.meta.dirname, '..', file), 'utf8'), file).toContain(words);
});

test('one command plays them all, but what has to be alone on the machine (test:calm)', () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const played = (scripts['test:attacks'] ?? '').split(' ').filter((word) => word.includes('/'));
  const named = new Set(Object.values(attacks).flatMap((held) => held.map(([file]) => file)));
  const alone = 'integration/redis-troubles.test.ts';
  const left = [...named].filter(
    (file) => file.endsWith('.test.ts') && !played.some((filter) => `test/${file}`.includes(filter)),
  );
  expect(left).toEqual([alone]);
});

test('every number of the review has an entry', () => {
  const numbers = new Set(Object.keys(attacks).map((line) => Number.parseInt(line, 10)));
  // 16 is about units to run it, which stand in deploy/ with tests of their own.
  for (let number = 1; number <= 18; number += 1) if (number !== 16) expect(numbers).toContain(number);
});
