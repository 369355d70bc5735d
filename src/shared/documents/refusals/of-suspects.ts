// Refusals because a suspect was not found dead.
import { z } from 'zod';
import { refusal, theHost, theHosts } from './entry.ts';
import { list } from './words.ts';

const scanned = { hosts: 'host', guests: 'guest' } as const;
const scanOf = z.enum(['hosts', 'guests']);
const hosts = z.array(z.string());
const host = z.string();

const tooManySuspects = refusal(
  'too-many-suspects',
  { suspects: hosts, limit: z.number() },
  {
    stage: 'suspicion',
    by: ['monitor'],
    level: 'warning',
    ofCloud: true,
    about: ({ suspects }) => suspects,
    says: ({ suspects, limit }) =>
      `${suspects.length} hypervisors are suspicious at once (limit ${limit}): ${list(suspects)}. Backing off, none is inspected.`,
    means: 'more suspects than `suspicious_backoff`',
    remedy: 'a rack, RabbitMQ, or Neutron: look there first',
  },
);

const noAddress = refusal(
  'no-address',
  { host },
  {
    stage: 'suspicion',
    by: ['monitor'],
    level: 'warning',
    about: theHost,
    says: (r) => `${r.host} is suspicious, but Nova knows no address (host_ip) to scan it on. Nothing done.`,
    means: 'Nova knows no host_ip of the suspect',
    remedy: 'fix `my_ip` of that nova-compute',
  },
);

const hostAnswers = refusal(
  'host-answers',
  { host, on: z.string() },
  {
    stage: 'suspicion',
    by: ['monitor'],
    level: 'warning',
    about: theHost,
    says: (r) => `${r.host}: its agents are silent, but the host answers (${r.on}). Nothing done.`,
    means: 'agents silent, host alive',
    remedy: 'restart the agents on it',
  },
);

const scanFailed = refusal(
  'scan-failed',
  { of: scanOf, hosts, detail: z.string() },
  {
    stage: 'suspicion',
    by: ['monitor', 'ns4'],
    level: 'warning',
    doubt: true,
    about: theHosts,
    says: (r) => `The ${scanned[r.of]} scan for ${list(r.hosts)} failed: ${r.detail}. Nothing done.`,
    means: 'the scan job failed',
    remedy: "ns4's log",
  },
);

const scannerBlind = refusal(
  'scanner-blind',
  { of: scanOf, hosts, controls: z.array(z.string()) },
  {
    stage: 'suspicion',
    by: ['monitor', 'ns4'],
    level: 'warning',
    doubt: true,
    about: theHosts,
    says: (r) =>
      r.controls.length === 0
        ? `The ${scanned[r.of]} scan for ${list(r.hosts)} is void: there was no control host to tell a silent host from a blind scanner. Nothing done.`
        : `The ${scanned[r.of]} scan for ${list(r.hosts)} is void: the controls (${list(r.controls)}) are silent too, so the scanner is blind. Nothing done.`,
    means: 'controls are silent too, or there was none',
    remedy: "ns4's own network; set `controls`",
  },
);

/** Fewer vantage points scanned than must agree. */
const tooFewVantagePoints = refusal(
  'too-few-vantage-points',
  {
    hosts,
    /** Those that scanned, and those that were asked and did not. */
    vantagePoints: z.array(z.string()),
    missing: z.array(z.string()),
    quorum: z.number(),
  },
  {
    stage: 'suspicion',
    by: ['monitor', 'ns4'],
    level: 'error',
    doubt: true,
    about: theHosts,
    says: (r) => {
      const looked = r.vantagePoints.length === 0 ? 'no ns4' : `only ${list(r.vantagePoints)}`;
      const others = r.missing.length === 0 ? '' : `; ${list(r.missing)} did not answer`;
      const needed = r.quorum === 1 ? 'a vantage point is needed' : `${r.quorum} vantage points must agree`;
      return `The silence of ${list(r.hosts)} is not proven: ${needed}, and ${looked} scanned${others}. Nothing done: are enough ns4 running?`;
    },
    means: 'fewer vantage points scanned than `quorum`',
    remedy: 'the sentence names who scanned and who did not: start those ns4',
  },
);

const scanUnknown = refusal(
  'scan-unknown',
  { host, detail: z.string() },
  {
    stage: 'suspicion',
    by: ['monitor', 'ns4'],
    level: 'warning',
    doubt: true,
    about: theHost,
    says: (r) =>
      `${r.host} could not be scanned: ${r.detail}. That says nothing about the host; nothing done.`,
    means: 'the scanner had trouble of its own',
    remedy: "ns4's log: descriptors, routes",
  },
);

const noWitness = refusal(
  'no-witness',
  {
    host,
    servers: z.number(),
    /** Those with an address on an external network, each with the reason why it cannot testify. */
    others: z.array(z.string()).default([]),
  },
  {
    stage: 'suspicion',
    by: ['monitor'],
    level: 'error',
    about: theHost,
    says: (r) =>
      r.others.length === 0
        ? `${r.host} is silent, but none of its ${r.servers} instances could testify (none runs with an address on an external network). Nothing done: please look.`
        : `${r.host} is silent, but none of its ${r.servers} instances could testify: ${list(r.others)}${r.others.length < r.servers ? '; no other runs with an address on an external network' : ''}. Nothing done: please look.`,
    means: 'no running instance that ever answered has an external address, and nothing is fenced',
    remedy: 'make sure yourself, then `ns4 -d HOST -s SPARE`; or fence',
  },
);

/** Its address never answered anybody, so its silence says nothing, and no guest of it can testify either. */
const neverHeard = refusal(
  'never-heard',
  {
    host,
    /** Null: Nova knows none. */
    address: z.string().nullable(),
    /** Those that scanned it now. */
    vantagePoints: z.array(z.string()),
    /** Its instances with an address on an external network, each with the reason why it cannot testify. */
    others: z.array(z.string()),
  },
  {
    stage: 'suspicion',
    by: ['monitor'],
    level: 'error',
    about: theHost,
    says: (r) => {
      const guests =
        r.others.length === 0 ? 'none of its instances' : `none of its instances (${list(r.others)})`;
      const from = r.vantagePoints.length === 0 ? 'from here' : `from ${list(r.vantagePoints)}`;
      return `${r.host} is suspicious, but ${r.address ?? 'its address'} was never heard ${from}, so its silence says nothing, and ${guests} can testify. Nothing done: please look. It can be judged once one of hypervisor_ports answers there: see its firewall, the ports, and my_ip of its nova-compute.`;
    },
    means: 'the host never answered any vantage point, so its silence is no evidence, and no guest testifies',
    remedy: 'make sure yourself; then open a `hypervisor_ports` port for ns4, or correct `my_ip`',
  },
);

const guestsAnswer = refusal(
  'guests-answer',
  { host, answering: z.array(z.string()), silent: z.number() },
  {
    stage: 'suspicion',
    by: ['monitor', 'ns4'],
    level: 'warning',
    about: theHost,
    says: (r) =>
      `${r.host} is silent, but ${r.answering.length} of its instances answer (${list(r.answering)}); ${r.silent} are silent. It is unreachable, not dead; nothing done.`,
    means: 'the host is cut off, its instances run',
    remedy:
      'repair its management network; do **not** evacuate. Only if you know that they run elsewhere: `ns4 -d HOST -s SPARE --guests-are-elsewhere`',
  },
);

/** `on`: how many disks are open, and by whom. */
const disksOpen = refusal(
  'disks-open',
  { host, on: z.string() },
  {
    stage: 'suspicion',
    by: ['monitor', 'ns4'],
    level: 'error',
    about: theHost,
    says: (r) =>
      `${r.host} is cut off, but its instances run: ${r.on}. An evacuation would give each disk a second writer. Nothing done.`,
    means: 'the disks of its instances are open, by processes that answer Ceph: the host lives',
    remedy: 'repair its networks, or power it off; do **not** evacuate before',
  },
);

/** Ceph was asked by whom the disks are open, and did not say. */
const disksUnknown = refusal(
  'disks-unknown',
  { host, detail: z.string() },
  {
    stage: 'suspicion',
    by: ['monitor', 'ns4'],
    level: 'error',
    doubt: true,
    about: theHost,
    says: (r) =>
      `Whether the disks of the instances of ${r.host} are open could not be asked: ${r.detail}. Nothing done.`,
    means:
      'Ceph does not answer, or no ns4 can ask it; instances could not open their disks elsewhere either',
    remedy: '`ceph -s`, `ns4 --check`',
  },
);

const nothingToRecover = refusal(
  'nothing-to-recover',
  { host },
  {
    stage: 'suspicion',
    by: ['monitor'],
    level: 'warning',
    about: theHost,
    says: (r) => `${r.host} is silent, but Nova has no instance on it. Nothing to do.`,
    means: 'silent, and Nova has nothing on it',
    remedy: 'repair it at leisure',
  },
);

/**
 * `target`: where its recovery went to, as its mark in Nova says; null: it does not. `foreign`: the mark is not of this
 * Sonny, whose Redis may have lost what was known.
 */
const alreadyHandled = refusal(
  'already-handled',
  {
    host,
    servers: z.number(),
    target: z.string().nullable().default(null),
    foreign: z.boolean().default(false),
  },
  {
    stage: 'suspicion',
    by: ['monitor'],
    level: 'error',
    about: theHost,
    says: (r) =>
      `${r.host} is down and was handled by Sonny before, yet Nova still has ${r.servers} instances on it. Nothing done: please look ("ns4 -d ${r.host} -s ${r.target ?? 'SPARE'}${r.foreign ? ' --despite foreign-mark' : ''}" continues by hand${r.foreign ? '; the mark in Nova is not mine, so make sure that no other Sonny works at it' : ''}).`,
    means: 'recovered before, something is left on it',
    remedy: 'the last report names it; `ns4 -d HOST -s SPARE`',
  },
);

export const suspectRefusals = [
  tooManySuspects,
  noAddress,
  hostAnswers,
  scanFailed,
  scannerBlind,
  tooFewVantagePoints,
  scanUnknown,
  noWitness,
  neverHeard,
  guestsAnswer,
  disksOpen,
  disksUnknown,
  nothingToRecover,
  alreadyHandled,
] as const;
