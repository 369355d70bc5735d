// Refusals because the picture of the cloud is missing, old, or looks like an outage of the control plane.
import { z } from 'zod';
import { leftOutKey, leftOutSchema, leftOutText } from '../terms/left-out.ts';
import { type PartScope, partScopeSchema, scopeText } from '../terms/scope.ts';
import { shortened } from '../terms/shortened.ts';
import { refusal, theHosts, wholeCloud } from './entry.ts';
import { list, seconds } from './words.ts';

const seenAgain = () => 'I can see the cloud again.';

const inventoryUnavailable = refusal(
  'inventory-unavailable',
  { detail: z.string() },
  {
    stage: 'picture',
    by: ['monitor'],
    level: 'warning',
    about: wholeCloud,
    condition: () => 'sight',
    over: seenAgain,
    says: ({ detail }) => `I cannot see the cloud: ${detail}. Nothing is judged until I can.`,
    means: 'Nova, Neutron or Keystone did not answer, so nobody is judged',
    remedy: 'look at the control plane; `ns4 --check`',
  },
);

const inventoryStale = refusal(
  'inventory-stale',
  { ageMs: z.number(), limitMs: z.number() },
  {
    stage: 'picture',
    by: ['monitor'],
    level: 'warning',
    about: wholeCloud,
    condition: () => 'sight',
    over: seenAgain,
    says: ({ ageMs, limitMs }) =>
      `What I know of the cloud is ${seconds(ageMs)} old (limit ${seconds(limitMs)}; do the clocks of ns4 and monitor agree?). Nothing is judged on it.`,
    means: "the inventory is more than 60 s off the monitor's clock",
    remedy: 'compare the clocks of ns4 and monitor (NTP)',
  },
);

const workerSilent = refusal(
  'worker-silent',
  { job: z.string(), waitedMs: z.number() },
  {
    stage: 'picture',
    by: ['monitor'],
    level: 'warning',
    about: wholeCloud,
    condition: ({ job }) => `worker ${job}`,
    over: () => 'ns4 finishes its jobs again.',
    says: ({ job, waitedMs }) =>
      `No ns4 worker finished "${job}" within ${seconds(waitedMs)}. Is ns4 running? Nothing is judged meanwhile.`,
    means: 'no ns4 finished the job in time',
    remedy: 'is ns4 running, on the same Redis?',
  },
);

const serversUnavailable = refusal(
  'servers-unavailable',
  {
    detail: z.string(),
    /** The refresh failed, or by the time of the verdict the list was old. */
    of: z.enum(['refresh', 'verdict']),
  },
  {
    stage: 'picture',
    by: ['monitor'],
    level: 'warning',
    about: wholeCloud,
    condition: ({ of }) => `servers ${of}`,
    over: () => 'The list of instances is fresh again.',
    says: ({ detail }) =>
      `The list of instances could not be refreshed: ${detail}. Old ones do not judge; nothing done.`,
    means: 'the list of instances could not be refreshed',
    remedy: 'as `inventory-unavailable`; Neutron too',
  },
);

/** Most agents or compute services of the cloud, a zone or an aggregate are stale together. */
const controlPlaneSuspect = refusal(
  'control-plane-suspect',
  {
    scope: partScopeSchema,
    of: z.enum(['agents', 'compute services', 'hypervisors']),
    stale: z.array(z.string()),
    total: z.number(),
    /** most are stale; or many, and nobody is left who could answer a scan, or none of those left answered it. */
    why: z.enum(['most', 'nobody-to-ask', 'no-answer']),
    /** Kept from being judged by this; none: the whole cloud. */
    hosts: z.array(z.string()),
  },
  {
    stage: 'picture',
    by: ['monitor', 'ns4'],
    level: 'error',
    about: theHosts,
    condition: () => 'sight',
    over: (scope) =>
      `Agents and compute services of ${scope === 'cloud' ? 'the cloud' : scope} report again.`,
    sameWhen: ({ scope, why }) => `${scopeText(scope)} ${why}`,
    says: outageSentence,
    means:
      'most agents or compute services of the cloud, a zone or an aggregate are stale together, or many are and nobody else there answers',
    remedy:
      "RabbitMQ, nova-conductor, a cell, a rack's network. Hosts that are off on purpose count no more once disabled and empty, or forced down (`openstack compute service set --down HOST nova-compute`)",
  },
);

interface OutageEvidence {
  readonly scope: PartScope;
  readonly of: 'agents' | 'compute services' | 'hypervisors';
  readonly stale: readonly string[];
  readonly total: number;
  readonly why: 'most' | 'nobody-to-ask' | 'no-answer';
  readonly hosts: readonly string[];
}

const staleWords: Readonly<Record<OutageEvidence['of'], string>> = {
  agents: 'hypervisors have silent agents',
  'compute services': 'compute services are down',
  hypervisors: 'hypervisors are not heard',
};

function outageSentence(r: OutageEvidence): string {
  const where = r.scope.kind === 'cloud' ? 'the cloud' : scopeText(r.scope);
  const seen = `${r.stale.length} of ${r.total} ${staleWords[r.of]} in ${where} (${list(r.stale)})`;
  switch (r.why) {
    case 'most':
      return `${seen}: that looks like the control plane or the network, not like dead hosts. ${
        r.scope.kind === 'cloud' ? 'Nobody is judged' : 'None of its hosts is judged'
      } meanwhile.`;
    case 'nobody-to-ask':
      return `${seen}, and nobody is left there to tell dead hosts from a network that is cut. None of them is judged.`;
    case 'no-answer':
      return `No answer from ${list(r.hosts)}; but ${seen}, and nobody else there answers either: that looks like a network that is cut, not like dead hosts. Nothing done.`;
  }
}

/** Hypervisors that nobody could tell dead, while they are well. */
const tooFewSenses = refusal(
  'too-few-senses',
  {
    /** Some of them. */
    unjudged: z.array(z.object({ host: z.string(), reason: z.string(), help: z.string() })),
    count: z.number(),
    /** Hypervisors with instances. */
    of: z.number(),
  },
  {
    stage: 'picture',
    by: ['monitor'],
    level: 'warning',
    about: ({ unjudged }) => unjudged.map(({ host }) => host),
    ofCloud: true,
    condition: () => 'senses',
    over: () => 'Every hypervisor with instances can be judged now.',
    says: ({ unjudged, count, of }) =>
      `${count} of ${of} hypervisors with instances could not be told dead if they died now: ${unjudgedText(unjudged, count)}. \`ns4 --senses\` shows what each sense says.`,
    means: 'too few senses can tell of these hosts: if one died, nothing would be recovered',
    remedy: '`ns4 --senses HOST` names the sense that is missing, and what would help',
  },
);

const recordsLeftOut = refusal(
  'records-left-out',
  { lists: z.array(leftOutSchema).min(1) },
  {
    stage: 'picture',
    by: ['monitor'],
    level: 'warning',
    about: wholeCloud,
    condition: () => 'records',
    sameWhen: ({ lists }) => lists.map(leftOutKey).join('\n'),
    over: () => 'All records of OpenStack make sense again.',
    says: ({ lists }) => `In what OpenStack lists, ${lists.map(leftOutText).join('. ')}.`,
    means:
      'OpenStack lists records that make no sense (a host whose name is none, an instance without an id): they are left out, and what they stand for is watched by nobody',
    remedy: 'look at the records that are named, and have them corrected or deleted',
  },
);

/** Cut off by Sonny, and back in service, or cut off so long ago that somebody may have forgotten it. */
const stillCutOff = refusal(
  'still-cut-off',
  { hosts: z.array(z.object({ host: z.string(), sinceMs: z.number(), isBack: z.boolean() })).min(1) },
  {
    stage: 'picture',
    by: ['monitor'],
    level: 'warning',
    about: ({ hosts }) => hosts.map(({ host }) => host),
    ofCloud: true,
    condition: () => 'cut-off',
    sameWhen: ({ hosts }) => hosts.map(({ host, isBack }) => `${host} ${isBack}`).join(','),
    over: () => 'No host that is back in service is cut off from Ceph any more.',
    says: ({ hosts }) => {
      const back = hosts.filter(({ isBack }) => isBack);
      const others = hosts.filter(({ isBack }) => !isBack);
      const named = (some: typeof hosts) => {
        const names = some.map(
          ({ host, sinceMs }) => `${host} (since ${new Date(sinceMs).toISOString().slice(0, 16)}Z)`,
        );
        return `${shortened(names, mostNamed)} ${some.length === 1 ? 'is' : 'are'}`;
      };
      const [first] = hosts;
      return [
        ...(back.length === 0
          ? []
          : [
              `${named(back)} cut off from Ceph, though back in service: no instance there can open its disk.`,
            ]),
        ...(others.length === 0 ? [] : [`${named(others)} still cut off from Ceph.`]),
        `After a reboot: "ns4 --fence ${first?.host ?? 'HOST'} --action on --level ceph".`,
      ].join(' ');
    },
    means:
      'Sonny blocked these hosts in Ceph before it evacuated them, and they are back in service, or it was more than a week ago: their instances cannot open their disks there',
    remedy: 'when the host was rebooted since: `ns4 --fence HOST --action on --level ceph`',
  },
);

/** Named in a sentence. */
const mostNamed = 5;

function unjudgedText(unjudged: readonly { host: string; reason: string }[], count: number): string {
  const reasons = [...new Set(unjudged.map(({ reason }) => reason))];
  const told = reasons.map((reason) => {
    const hosts = unjudged.filter((one) => one.reason === reason).map(({ host }) => host);
    return `${list(hosts)} (${reason})`;
  });
  const left = count - unjudged.length;
  return [...told.slice(0, mostNamed), ...(told.length > mostNamed || left > 0 ? ['…'] : [])].join('; ');
}

export const pictureRefusals = [
  tooFewSenses,
  stillCutOff,
  recordsLeftOut,
  inventoryUnavailable,
  inventoryStale,
  workerSilent,
  serversUnavailable,
  controlPlaneSuspect,
] as const;
