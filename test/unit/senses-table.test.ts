// Every case in which an earlier Sonny was wrong about life and death, with the tests that hold it: none is forgotten
// when a test is renamed or moved. Letters and numbers are those of the review of the senses: A two writers although
// fencing was required, B two writers by one failure, C instances or hosts wrecked, D recoveries lost in silence, E rules
// that were asked for, H public bug reports that were tried on it. What no test can hold, or was judged out of reach, is
// named with the sentence of the documents that says so. The kinds have cases of our own beside those of the review.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** A file below test/ (or docs/), and words that stand in it: a title, a row of a table, a sentence. */
type Held = readonly [file: string, words: string];

const playedOnProof = 'earlier/proof.test.ts';
const playedOnFailure = 'earlier/one-failure.test.ts';
const playedOnWrecked = 'earlier/wrecked.test.ts';
const playedOnLost = 'earlier/lost.test.ts';
const playedOnReports = 'earlier/reports.test.ts';
const agents = 'unit/ns4/jobs/read-agents.test.ts';
const blockedByCeph = 'integration/evacuation-ceph-level.test.ts';
const catalogue = 'unit/ns4/openstack/catalogue-and-login.test.ts';
const client = 'unit/ns4/openstack/client-reads.test.ts';
const claims = 'unit/monitor/claims.test.ts';
const clouds = 'unit/ns4/credentials/clouds-yaml.test.ts';
const controlPlane = 'unit/shared/rules/control-plane.test.ts';
const cutOff = 'unit/ns4/disks/cut-off.test.ts';
const decides = '../docs/how-it-decides.md';
const disks = 'unit/ns4/disks/disks.test.ts';
const emptyHosts = 'unit/monitor/empty-hosts.test.ts';
const facts = '../docs/facts.md';
const feeds = 'unit/ns4/fencing/feeds.test.ts';
const fenced = 'integration/evacuation-fencing.test.ts';
const foci = 'simulation/foci-of-senses.ts';
const fociOfClouds = 'simulation/foci-of-clouds.ts';
const fociOfDisks = 'simulation/foci-of-disks.ts';
const gates = 'unit/ns4/recovery/gates.test.ts';
const halfWay = 'unit/ns4/recovery/half-way.test.ts';
const heartbeats = 'unit/monitor/heartbeats.test.ts';
const incidents = 'unit/monitor/incidents.test.ts';
const lift = 'unit/ns4/commands/lift.test.ts';
const looks = 'unit/ns4/jobs/ovn-looks.test.ts';
const namespace = 'integration/scan-namespace.test.ts';
const offence = 'unit/ns4/scan/offence.test.ts';
const operations = '../docs/operations.md';
const progress = 'unit/ns4/recovery/movers/instance-progress.test.ts';
const readiness = 'unit/ns4/commands/readiness.test.ts';
const redisTls = 'integration/redis-tls.test.ts';
const redisTroubles = 'integration/redis-troubles.test.ts';
const refreshed = 'unit/ns4/jobs/refresh-inventory.test.ts';
const report = 'unit/shared/documents/report-text.test.ts';
const returns = 'unit/monitor/returns.test.ts';
const roundTroubles = 'unit/ns4/commands/round-troubles.test.ts';
const scan = 'integration/scan.test.ts';
const signs = 'integration/evacuation-signs-of-life.test.ts';
const stillSilent = 'unit/ns4/recovery/still-silent.test.ts';
const stories = 'unit/monitor/stories.test.ts';
const storage = 'integration/evacuation-storage.test.ts';
const underWay = 'integration/evacuation-under-way.test.ts';
const vouching = 'unit/shared/rules/senses/vouching.test.ts';
const witnesses = 'unit/monitor/witnesses.test.ts';
const wrong = 'support/wrong-configurations.ts';
const wrongDevice = 'integration/evacuation-wrong-device.test.ts';

const cases: Readonly<Record<string, readonly Held[]>> = {
  'A1 an instance in mid live migration': [
    [underWay, 'a live migration, a cold one, a rebuild, a start: left alone'],
    [underWay, 'a migration that begins while the request is prepared'],
    [witnesses, 'A1: one in a live migration answers from its destination'],
    ['ceph/migrating.test.ts', "cephStories('an instance in live migration'"],
    [playedOnProof, 'A1, H5: drained when it dies'],
  ],
  'A2 a rebuild that failed after the guest had started': [
    [underWay, 'A2: it runs on the first spare, so no other one gets it'],
    ['simulation/foci.ts', "'failed half-way, then by hand'"],
    [playedOnProof, 'A2: failed after its guest had started'],
  ],
  'A3 a device that is another host’s': [
    [wrong, 'with the same options as in line 5, which is a device of "hv01"'],
    [wrongDevice, 'somebody else falls silent: nothing moves'],
    [wrongDevice, 'a failed shot that hit somebody'],
    [gates, 'two ns4 with different plans of fencing'],
    [fenced, 'since the first level was tried: the second one is not'],
    [foci, "'the device hits another host'"],
    [playedOnProof, 'A3: two hosts with the same device'],
    [playedOnProof, 'A3: the device is that of another host'],
  ],
  'A3 one of two power feeds': [
    [feeds, 'both are told, at once and with one permission; both say off'],
    [feeds, 'the second one %s: %s, whatever the first says'],
    ['ceph/fenced.test.ts', 'two feeds, one of which stays on: no proof'],
    [playedOnProof, 'A3, H17: one of two feeds stays on'],
  ],
  'A4 power that returns after the proof': [
    [signs, 'regression A4: the host gets power again, and only its device shows it'],
    [signs, 'it comes on while the last ones move'],
    [stillSilent, 'the device says on'],
    [foci, "'power returns, and its guests soon'"],
    [playedOnProof, 'A4: power returns after the proof'],
  ],
  'A5 orders that wait in the queue of the dead host': [
    [underWay, 'a live migration, a cold one, a rebuild, a start: left alone'],
    [report, 'an order of a user that waits for the dead host is named with its queue'],
    [operations, 'rabbitmqctl purge_queue compute.HOST'],
    [playedOnProof, 'A5: a start of its user waits for the dead host'],
  ],
  'A5 libvirt-guests starts the old copies': [[operations, 'systemctl disable libvirt-guests']],
  'A5 a blocklist entry that is lifted from who never rebooted': [
    [lift, 'it runs since before'],
    [lift, 'nobody can tell: its name has to be typed'],
    [operations, 'Not before: until here whatever is left of the old copies writes nowhere'],
  ],
  'A5 the database method leaves no record to destroy by': [
    [returns, 'and those that it has no record of (the database method)'],
    [operations, 'nova-compute destroys nothing, also after a restart'],
  ],

  'B1 a nova-compute that reports': [
    [heartbeats, 'B1: its agent is dead and it answers nothing, but nova-compute reports'],
    [heartbeats, 'B1: a report between the scan of the host and the verdict saves it'],
    [gates, 'by hand, where nobody judged it before: a nova-compute that reports'],
    [foci, "'nova-compute reports, and nothing else is heard'"],
    [playedOnFailure, 'B1: the agents are dead, nothing answers'],
  ],
  'B2 witnesses that never spoke': [
    [witnesses, 'B2: witnesses that never spoke'],
    [witnesses, 'ERROR (table H)'],
    ['unit/shared/rules/senses/baseline.test.ts', 'a guest heard since its launch'],
    [foci, "'guests that never spoke'"],
    [playedOnFailure, 'B2: guests that never spoke'],
  ],
  'B3 a firewall that says no': [
    [offence, 'administratively prohibited by the host itself'],
    [offence, 'net unreachable, says a router'],
    [namespace, 'asks who sent an error: the host itself, a router, or this machine'],
    [namespace, 'hears the network card of a host on the segment that drops everything'],
    [foci, "'its firewall says no'"],
  ],
  'B4 by hand, the guests are asked': [
    [signs, 'regression B4: by hand against answering instances'],
    [gates, 'regression B4: before the first change they end it, by verdict, by order and by hand'],
    ['simulation/foci.ts', "'ordered although its guests answer'"],
    [playedOnFailure, 'B4: by hand, although its guests answer'],
  ],
  'B5 guests that answer again in mid-evacuation': [
    [signs, 'regression B5: an instance that is still to be moved answers'],
    ['simulation/foci.ts', "'guests answer during a recovery'"],
    [playedOnFailure, 'B5: guests answer again in mid-evacuation'],
  ],
  'B6 a recovered host that comes back': [
    [returns, 'regression B6: a host recovered on silence alone comes back'],
    [report, 'stopped by a sign of life: those that were moved, or may yet be, are named'],
    [foci, "'back as it was, and recovered'"],
    [playedOnFailure, 'B6: recovered on silence alone'],
  ],
  'B7 a gateway that makes a blind scanner sighted': [
    [scan, 'a gateway does not vouch for a scanner that hears no hypervisor'],
    [vouching, 'only the gateway answers, hypervisors do not'],
    [playedOnFailure, 'B7: a gateway answers, no hypervisor does'],
  ],

  'C1 a hypervisor that was never heard': [
    [witnesses, 'C1: a host that was never heard'],
    [gates, 'C1: a host that nobody ever heard'],
    [readiness, 'one that lives and does not answer the scan'],
    ['unit/monitor/senses.test.ts', 'a host that nobody could tell dead is named once'],
    [foci, "'a host that never answered'"],
    [playedOnWrecked, 'C1: a hypervisor that never answered'],
  ],
  'C2 two Sonnys with a Redis each': [
    ['unit/ns4/recovery/two-sonnys.test.ts', 'C2: one dead host, two Sonnys that know nothing of each other'],
    [gates, 'C2: forced down by another Sonny'],
    [claims, 'C2: where another Sonny works'],
    [foci, "'two Sonnys at one cloud'"],
    [playedOnWrecked, 'C2: two Sonnys with a Redis each'],
  ],
  'C3 a spare in another cell': [
    [underWay, 'C3, a spare of another cell: one instance is wedged'],
    [underWay, 'a spare that the scheduler passes over: three are asked for'],
    [playedOnWrecked, 'C3: a spare of another cell'],
  ],
  'C4 reasons that merely name a spare': [
    ['unit/shared/rules/spares.test.ts', 'C4: a host that waits for a spare part is no spare'],
    ['unit/shared/documents/terms/disabled-reason.test.ts', 'fan broken, waiting for spare part'],
    [foci, "'reasons that merely name a spare'"],
    [playedOnWrecked, 'fan broken, waiting for spare part'],
  ],
  'C5 planned work': [
    [claims, 'C5: a host that an operator disabled'],
    [gates, 'C5: disabled by an operator'],
    [fenced, 'an operator sets the host aside between the facts and the shot'],
    [foci, "'a host under maintenance'"],
    [playedOnWrecked, 'C5: planned work'],
  ],
  'C6 a host that boots is shot each round': [
    [fenced, 'C6: nobody is shot while he boots'],
    [fenced, 'seen off and on again: switched on since, and not shot'],
    [foci, "'switched on while it is fenced'"],
    [playedOnProof, 'C6: a device that does it and never shows it'],
  ],
  'C7 two recoveries onto one spare': [
    ['integration/lease.test.ts', 'C7: a target belongs to the recovery whose journal is open'],
    ['unit/ns4/recovery/targets.test.ts', 'C7: a second order onto a spare that a recovery has'],
    [foci, "'two recoveries onto one spare'"],
    [playedOnProof, 'C7: two dead hosts onto one spare'],
  ],
  'C8 a machine that was paused': [
    [underWay, 'a process that stood still before its request looks again first'],
    [foci, "'machines of ns4 are paused'"],
  ],
  'C9 stopped and broken instances that are started': [
    [progress, 'in ERROR, and it never ran'],
    [witnesses, "['in ERROR', { vmState: 'error', powerState: 0 }]"],
    [decides, 'in ERROR, and it did not run (power state other than 1)'],
    [facts, 'A stopped one goes through ACTIVE and `powering-off`'],
    [playedOnWrecked, 'C9: one in ERROR that never ran'],
  ],

  'D1 clouds with OVN': [
    [looks, 'the first refresh: who moves between the looks lives'],
    [looks, 'stamps that follow the request are no beats'],
    ['unit/ns4/commands/heartbeat-checks.test.ts', 'kinds of agents, whom each sense hears'],
    ['cloud/ovn.test.ts', 'hv01 dies: recovered'],
    [fociOfClouds, "'OVN beats, and nothing else is heard'"],
    [playedOnLost, 'D1, H1: with OVN a hypervisor dies'],
  ],
  'D2 one stale fact half-way': [
    [halfWay, 'D2: a target in trouble is waited for'],
    [halfWay, "D2: a report against a device's proof"],
    [foci, "'late reports against a proof'"],
    [playedOnLost, 'D2: a late report against a proof'],
    [playedOnLost, 'D2: the agent of the spare is late'],
  ],
  'D3 no way on after it': [
    [halfWay, 'D3: what ended short is gone on with by hand'],
    [claims, 'D3: what ended short is gone on with by hand, on the same spare'],
    [gates, 'D3: the target of an earlier recovery is fit though it is in use'],
    [playedOnLost, 'D3: one ended in ERROR'],
  ],
  'D4 hosts without agents': [
    [heartbeats, 'D4: a host without agents, on a cloud without any'],
    [heartbeats, 'D4: the agents of a dead host are deleted'],
    [heartbeats, 'D4: nobody can tell of it any more'],
    [foci, "'hosts without agents'"],
    [playedOnLost, 'D4: its agents were deleted, and it dies'],
    [playedOnLost, 'D4: the agents of a dead host are deleted'],
  ],
  'D5 one cell is down': [
    [heartbeats, 'D5: the cell of a suspect goes down'],
    [refreshed, 'is left out and told; the rest of the cloud is read'],
    [client, 'a cell that does not answer'],
    [fociOfClouds, "'a cell stays away'"],
    [playedOnLost, 'D5, H10: another cell is down'],
  ],
  'D5 a rebuild of its user on the dead host': [
    [underWay, 'a live migration, a cold one, a rebuild, a start: left alone'],
    [progress, 'the rebuild of its user'],
    [playedOnLost, 'D5: its user has one rebuilt'],
  ],
  'D5 one answering guest, with fencing required': [
    [stories, 'required: instances that answer are a veto all the same'],
    [gates, 'D5: one that answers is a veto for all before the first change'],
    [signs, 'although its host is proven off one answers: it is left alone, aloud'],
  ],
  'D5 an instance that is younger than Nova’s count': [
    [emptyHosts, 'regression: an instance that was made shortly before its host died is recovered'],
    [playedOnLost, 'D5: an instance that Nova did not count yet'],
  ],
  'D5 recovered means that it answers': [
    [underWay, 'one does, one does not in time, one never did, one is stopped'],
    [progress, 'its port is not wired yet'],
    [playedOnLost, 'D5: one runs on the spare and does not answer'],
  ],

  'E no evacuation while the disk has a watcher': [
    [storage, 'right before its request (%s): stopped, nothing was started'],
    [storage, 'one is open on another hypervisor: it is left alone'],
    ['unit/monitor/disks.test.ts', 'open: a veto, though host and guests are silent'],
    [blockedByCeph, 'cut off is the proof'],
    [fociOfDisks, "'cut off from all but storage'"],
  ],
  'E silence of senses that share a cable': [
    ['../README.md', 'looks dead and is not'],
    ['../docs/fencing.md', '`mode = none` is the default: silence is the only proof'],
    ['ceph/cut-off.test.ts', 'hv01 is cut off from all but its storage'],
  ],
  'E vantage points that share the fate of the control network': [[operations, 'machines that fail apart']],
  'E what is called recovered': [
    [progress, 'ACTIVE on the spare, but nothing runs'],
    ['integration/evacuation.test.ts', 'a guest without network on the spare is no success'],
  ],
  'E IPv6': [
    [offence, 'prohibited by the host itself in IPv6'],
    [offence, 'no route, says a router in IPv6'],
    [cutOff, "test('IPv6'"],
  ],
  'E a renamed host at a new address': [
    ['unit/shared/rules/senses/baseline.test.ts', 'a host never heard'],
    [gates, 'C1: a host that nobody ever heard'],
  ],

  'H1 OVN beats only when somebody lists agents': [
    [looks, 'nobody asked: what was said stays'],
    [agents, 'twice where OVN rows are, and at five seconds for one that is late'],
    ['unit/simulator/ovn.test.ts', 'the list is the ping, once in 37 s'],
    [playedOnLost, 'D1, H1: with OVN a hypervisor dies'],
  ],
  'H2 another reader keeps beats young': [
    [looks, 'the list that pings shows some of the new beats already'],
    [gates, 'the beat before it died, however young its stamp is'],
    [playedOnLost, 'H2: with OVN and another reader'],
  ],
  'H3 stamps that are the moment of the request': [
    [looks, 'stamps that follow the request are no beats'],
    [gates, 'a stamp of the request'],
    [fociOfClouds, "'OVN stamps the request'"],
    [playedOnLost, 'H3: with OVN of old'],
  ],
  'H4 by hand while all stamps are old': [
    [controlPlane, 'on an OVN cloud whose stamps are old for all, %s: there are controls, by hand too'],
    [gates, 'a movement of long ago'],
  ],
  'H5 migrated in libvirt, not yet in Nova': [
    [witnesses, 'A1: one in a live migration answers from its destination'],
    [underWay, 'where Ceph has the disks, it is told where those of one that is left alone are open'],
    [playedOnProof, 'A1, H5: drained when it dies'],
  ],
  'H6 instances in ERROR that never ran': [
    [witnesses, 'ERROR (table H)'],
    [playedOnFailure, 'H6: one in ERROR that never ran is silent'],
  ],
  'H7 a default security group that lets nobody in': [
    [witnesses, 'a guest behind a firewall is silent while it lives'],
    [foci, "'guests that never spoke'"],
    [playedOnFailure, 'B2: guests that never spoke'],
  ],
  'H8 an agent hangs, nova-compute reports': [
    [heartbeats, 'B1: its agent is dead and it answers nothing, but nova-compute reports'],
    [playedOnFailure, 'H8: an agent hangs, nova-compute reports'],
  ],
  'H9 full names against short ones': [
    [agents, 'full name against short'],
    [agents, 'short name against full'],
    ['unit/ns4/recovery/agents-of-the-dead.test.ts', 'FQDN: asked for under the name that Neutron has'],
    [playedOnReports, 'H9: agents by full names'],
  ],
  'H10 services of a cell that is down': [
    [client, 'a cell that does not answer'],
    [
      'integration/simulator-skins.test.ts',
      'a cell that does not answer: its services and servers are told alike',
    ],
    [playedOnLost, 'D5, H10: another cell is down'],
  ],
  'H11 nulls of a compute node that was never counted': [
    [client, 'a compute node that was never counted has nulls'],
    ['unit/ns4/openstack/odd-records.test.ts', '%s, field %s: %s'],
    [playedOnReports, 'H11: nulls of a compute node'],
  ],
  'H12 the list of servers alone fails': [
    [
      incidents,
      'servers-unavailable is not cleared by a picture of the hosts, and said once while they fail',
    ],
    ['integration/inventory.test.ts', "'/servers/detail'"],
    [playedOnReports, 'H12: the list of servers alone fails'],
  ],
  'H13 READONLY for ever after a fail-over behind one address': [
    [redisTls, 'behind which the master became a replica: the command is asked again'],
  ],
  'H14 a user of Redis without all rights': [
    [
      'attacks/access-control.test.ts',
      'a host is recovered; each process was let do all it did, and no more',
    ],
    [redisTroubles, 'a Redis that answers reads and takes no writes'],
    ['../docs/security.md', '-@dangerous +info'],
  ],
  'H15 commands that wait for Redis without end': [
    [redisTroubles, 'limitMs = 10_000'],
    [redisTroubles, 'name servers that do not answer'],
    [playedOnReports, 'H15: monitor --check without Redis'],
  ],
  'H16 Redis by a private CA': [[redisTls, 'the CA, the name and what the server asks for']],
  'H17 two feeds, one level': [
    [feeds, 'both are told, at once and with one permission; both say off'],
    [playedOnProof, 'A3, H17: one of two feeds stays on'],
  ],
  'H18 blanks and quotes that fence agents strip': [
    [wrong, 'found blanks at its begin or end, which agents strip'],
    [wrong, 'found double quotes around it, which agents strip'],
    [playedOnProof, 'H18: a value that fence agents strip'],
  ],
  'H19 mentions with a subtype': [
    ['unit/sonny/talk/mentions.test.ts', 'with a file, as a mention'],
    ['unit/sonny/talk/mentions.test.ts', 'out of a thread, as a mention'],
  ],
  'H20 endpoints that clouds.yaml overrides': [
    [clouds, 'what holds for one service alone'],
    [catalogue, 'is what clouds.yaml says of one service, before what it says of all'],
    [playedOnReports, 'H20: an endpoint that clouds.yaml overrides'],
  ],
  'H21 the CA as verify: PATH, and in Latin-1': [
    [clouds, 'a CA in place of the truth'],
    [clouds, 'a CA bundle whose remarks are in Latin-1: its certificates count'],
    [playedOnReports, 'H21: the CA as verify'],
    [playedOnReports, 'H21: a CA bundle with remarks in Latin-1'],
  ],
  'H22 odd catalogues': [
    [catalogue, 'takes a catalogue with an entry %s, which is none of ours'],
    [catalogue, 'takes an old name and an old interface'],
    [facts, 'An endpoint of Nova without its version is not discovered'],
    [playedOnReports, 'H22: an entry of the catalogue'],
  ],
  'H23 Keystone sends http on to https': [
    [client, 'sent on %s: not followed, and the new address is named'],
    [playedOnReports, 'H23: Keystone sends on'],
  ],
  'H24 a record of an evacuation that nobody ended': [
    [underWay, 'a record of an evacuation that nobody ended, of last year: history'],
    [playedOnReports, 'H24: a record of an evacuation'],
  ],
  'H25 a tenant’s network of the same name': [
    [witnesses, "a project's own network with the name of the external one (table H)"],
    ['unit/ns4/jobs/read-servers.test.ts', "on a project's own network of the same name"],
    [playedOnReports, 'H25: a tenant'],
  ],
  'H26 NOT a spare: BMC dead': [
    ['unit/shared/documents/terms/disabled-reason.test.ts', 'NOT a spare: BMC dead'],
    [refreshed, 'names a spare that is none'],
    [playedOnWrecked, 'NOT a spare: BMC dead'],
  ],
  'H27 rows of agents that were replaced': [
    [agents, 'rows silent for more than a day are ignored and named'],
    [agents, 'a dead OVN row left by an earlier system-id is ignored after a day, too'],
    [readiness, 'the spare has a silent agent'],
    [playedOnReports, 'H27: the row of an agent'],
  ],
  'H28 --check is green although nobody could be judged': [
    ['integration/readiness.test.ts', 'before anything runs: whoever answers could be recovered'],
    [readiness, 'no scan can be believed'],
    [roundTroubles, 'the second of two is void'],
    [playedOnReports, 'H28: --check where no hypervisor'],
  ],
  'H29 disks that are local to their host': [
    [disks, 'a disk on its host'],
    [disks, 'a pool that cannot be asked: that is no absence'],
    [storage, 'one has its disk on none of the pools (%s): left alone, the others move'],
    ['../README.md', '**Local disks are lost.**'],
  ],
  'H30 server groups with affinity': [
    [progress, 'no spare fits, as by the affinity of its server group'],
    [report, "as by the affinity of its server group, is named with Nova's own words"],
    [decides, '**Server groups.**'],
    [operations, 'openstack server group delete GROUP'],
  ],
  'H31 two rows of one compute service': [
    [refreshed, 'leaves out a host whose service is there twice'],
    [playedOnReports, 'H31: two rows of one compute service'],
  ],
};

/** What the cases have in common, with cases that the review did not have. */
const ownCases: Readonly<Record<string, readonly Held[]>> = {
  '1 silence of who never spoke is no evidence': [
    ['unit/shared/rules/senses/baseline.test.ts', 'a guest whose address was heard before its launch'],
    ['unit/shared/rules/senses/baseline.test.ts', 'a clock that was set back since'],
    [witnesses, 'guests on other networks do not, where one on the same is silent as well'],
    ['unit/ns4/disks/judge.test.ts', 'others never answered'],
  ],
  '2 a sign of life at hand is looked at': [
    ['unit/ns4/commands/fencing-checks.test.ts', 'off, and heard: both are told'],
    [fenced, 'a message in the name of one that answers: no proof'],
    [returns, 'instances left on it'],
  ],
  '3 heartbeats by their own comparison, and by whose they are': [
    [looks, 'a clock set back by an hour: it lives while its beats grow'],
    [agents, 'a row whose chassis was deleted is that of the host it had before'],
    [agents, 'full names of two domains are two machines'],
  ],
  '4 whatever might be under way counts as under way': [
    [underWay, "somebody else's evacuation that does not end takes no place"],
    [foci, "'an operator evacuates as well'"],
  ],
  '5 one odd record stops nothing else': [
    ['unit/ns4/openstack/odd-records.test.ts', 'a record that is %j is left out and told'],
    ['attacks/openstack-answers.test.ts', 'every call'],
    [catalogue, 'of our own service without a usable endpoint names that service'],
  ],
  '6 identity, not a label': [
    ['unit/ns4/recovery/stages/own-controls.test.ts', 'of a known name at another address'],
    ['unit/ns4/scan/strangers.test.ts', 'an address that is nobody’s is not asked'],
    ['attacks/names.test.ts', 'a compute service called like options'],
  ],
  '7 --check does what a round does, and ends': [
    [roundTroubles, 'no monitor leads now'],
    [readiness, 'its address is that of another'],
    [redisTroubles, 'works all the same'],
  ],
  '8 a useless connection is given up': [
    [redisTls, 'behind which the server hangs: the connection is dropped'],
    ['integration/redis-fail-over.test.ts', 'connections to a master that hangs go over to the new one'],
  ],
  '9 no key is passed over in silence': [
    ['unit/shared/config/load.test.ts', 'unknown key, ignored; did you mean host?'],
    ['unit/shared/config/yaml-file.test.ts', 'each unknown key one'],
  ],
  '10 a proof says no more than was seen': [
    ['unit/ns4/fencing/proof.test.ts', 'one of the future: nobody saw that yet'],
    [wrongDevice, 'a device that obeys late: who fell silent since the failed shot is missed'],
    [blockedByCeph, 'its entries are taken away while instances move: it stops'],
  ],
  '11 a refusal is gone with its own reason only': [
    [incidents, 'worker-silent about scans is not over because a refresh went well'],
    [heartbeats, '"no longer suspicious" is not said before it is heard'],
  ],
};

const texts = new Map<string, string>();

/** The whole file in one line, as a sentence may go on in the next one. */
function textOf(file: string): string {
  const read = () => readFileSync(join(import.meta.dirname, '..', file), 'utf8').replaceAll(/\s*\n\s*/g, ' ');
  const text = texts.get(file) ?? read();
  texts.set(file, text);
  return text;
}

const holds = (held: readonly Held[]): void => {
  expect(held.length).toBeGreaterThan(0);
  for (const [file, words] of held) expect(textOf(file), file).toContain(words);
};

describe('the case', () => {
  test.each(Object.entries(cases))('%s', (_, held) => holds(held));
});

describe('of the kind', () => {
  test.each(Object.entries(ownCases))('%s', (_, held) => holds(held));
});

test('every case and every kind of the review has an entry', () => {
  const numbersOf = (letter: string, lines: Readonly<Record<string, unknown>> = cases): number[] => {
    const found = Object.keys(lines).filter((line) => line.startsWith(letter));
    return [...new Set(found.map((line) => Number.parseInt(line.slice(letter.length), 10)))];
  };
  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
  const lengths = { A: 5, B: 7, C: 9, D: 5, H: 31 };
  for (const [letter, last] of Object.entries(lengths)) expect(numbersOf(letter), letter).toEqual(upTo(last));
  expect(numbersOf('', ownCases)).toEqual(upTo(11));
  expect(Object.keys(cases).filter((line) => line.startsWith('E ')).length).toBe(6);
});
