// A scenario as people write it: a cloud, the rules, and what happens when. Everything left out is as in most clouds.
import { parse } from 'yaml';
import { z } from 'zod';

const hostSchema = z.strictObject({
  zone: z.string().default('az1'),
  /** Nova's cell. */
  cell: z.string().default('cell1'),
  /** Names of its instances, with how Nova shows them. */
  instances: z.record(z.string(), z.enum(['active', 'stopped', 'paused', 'error'])).optional(),
  /** False: on no external network, so nobody of them can testify. */
  external: z.boolean().default(true),
  address: z.boolean().default(true),
  /** Of its instances those that never answer: a firewall, as many have. */
  mute: z.array(z.string()).default([]),
  /** Those on a project's own network that bears the external one's name, at an address that somebody else has. */
  lookalike: z.array(z.string()).default([]),
});

const scenarioSchema = z.strictObject({
  /** What an operator is to learn from it. */
  story: z.string(),
  rules: z
    .strictObject({
      monitor_period: z.number().default(60),
      suspicious_backoff: z.number().default(5),
      dead_backoff: z.number().default(1),
      cooldown_period: z.number().default(86_400),
      /** Of [SCAN]: so many ns4 must agree that a host is silent. */
      quorum: z.number().default(1),
      fencing: z.enum(['none', 'required']).default('none'),
    })
    .prefault({}),
  /** ovn: agents beat when somebody lists them; ovn-of-old: they are stamped with the moment of the list. */
  network: z.enum(['ovs', 'ovn', 'ovn-of-old', 'none']).default('ovs'),
  /** With it, the agents of hv1 call it hv1.DOMAIN. */
  agent_domain: z.string().optional(),
  monitors: z.number().default(1),
  workers: z.number().default(1),
  evacuate: z.enum(['api', 'database']).default('api'),
  /** Each host with two running instances, unless it says otherwise. */
  hosts: z.record(z.string(), hostSchema.nullable()).default({ hv1: null, hv2: null, hv3: null }),
  spares: z.record(z.string(), hostSchema.nullable()).default({ spare1: null }),
  /** Second -> what happens then; in the sentences of catalogue.ts. */
  events: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  /** Seconds. */
  until: z.number(),
});
export type Scenario = z.infer<typeof scenarioSchema>;
export type HostSpec = z.infer<typeof hostSchema>;

export const readScenario = (text: string): Scenario => scenarioSchema.parse(parse(text));

export const plainHost: HostSpec = hostSchema.parse({});
