// The status document that follows from a state. Pure.

import { mayRunTwiceText } from '../../shared/documents/events/twice-text.ts';
import { refusalSentence } from '../../shared/documents/refusals/refusals.ts';
import type { Status } from '../../shared/documents/status.ts';
import { targetsOf } from '../../shared/documents/terms/plan.ts';
import type { Rules } from './state/rules.ts';
import type { Incident, Raised, State } from './state/state.ts';
import { watches } from './watches/watches.ts';

/** Who publishes it, and when. */
interface Publisher {
  readonly cloud: string;
  readonly who: string;
  readonly nowMs: number;
  readonly rules: Rules;
}

export function statusOf(state: State, { cloud, who, nowMs, rules }: Publisher): Status {
  const { fencing, deadBackoff, suspiciousBackoff, cooldownMs, heartbeatPeriodMs, monitorPeriodMs } = rules;
  const { cooldown } = state;
  return {
    version: 1,
    cloud,
    atMs: nowMs,
    leader: { who, epoch: state.epoch },
    policy: { fencing, deadBackoff, suspiciousBackoff, cooldownMs, heartbeatPeriodMs, monitorPeriodMs },
    safeMode: state.safeMode,
    cooldown:
      cooldown === null ? null : { sinceMs: cooldown.sinceMs, untilMs: cooldown.sinceMs + cooldownMs },
    raised: state.raised.map((raised) => ({ scope: raised.scope, ...standing(raised) })),
    watches: watches.map((watch) => ({
      name: watch.name,
      phase: state.watches[watch.name].kind,
      dueAtMs: watch.dueAtMs(state),
    })),
    incidents: state.incidents.map(incidentStatus),
    runningTwice: state.watches.returns.hosts.flatMap(({ host, alarm }) =>
      alarm === null ? [] : [{ host, sinceMs: alarm.sinceMs, text: mayRunTwiceText(host, alarm.instances) }],
    ),
    reports: state.reports,
  };
}

const standing = ({ refusal, sinceMs }: Raised) => ({
  name: refusal.name,
  sinceMs,
  text: refusalSentence(refusal),
});

function incidentStatus(incident: Incident): Status['incidents'][number] {
  const { id, subject, stage, openedAtMs, raised, recoveries, recovery } = incident;
  return {
    id,
    subject,
    stage,
    openedAtMs,
    raised: raised === null ? null : standing(raised),
    recoveries,
    recovery:
      recovery === null
        ? null
        : {
            id: recovery.id,
            targets: targetsOf(recovery.plan),
            sinceMs: recovery.sinceMs,
            attempt: recovery.job.data.attempt,
          },
  };
}
