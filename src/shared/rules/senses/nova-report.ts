// Sense: nova-compute's report (`updated_at` of the compute service, every 10 s in stock). Whoever changes the service
// moves it as well (docs/facts.md#compute-services): then a host is called alive for a moment too long. Pure.
import { agentsSense } from './agents.ts';
import { ovnSense } from './ovn.ts';
import { ago, type Reading, type Sense, type SenseCase } from './sense.ts';

export const novaReportSense: Sense = {
  name: 'nova-report',
  kind: 'control-plane',
  title: "nova-compute's report",
  help: 'a nova-compute that reports (report_interval) more often than heartbeat_period',
  speak,
};

/**
 * Where an agent of the host can tell as well, both have to be silent, and half of the period is enough for the one that
 * reports three times as often: a host is found no later than by its agents alone.
 */
function novaLimitMs(about: SenseCase): number {
  const { heartbeatPeriodMs } = about.rules;
  const agentsTell = [agentsSense, ovnSense].some((sense) => sense.speak(about).says !== 'cannot-tell');
  return agentsTell ? heartbeatPeriodMs / 2 : heartbeatPeriodMs;
}

function speak(about: SenseCase): Reading {
  const { host, picture, nowMs } = about;
  const heardAtMs = picture.hypervisor(host)?.reportedAtMs ?? null;
  if (heardAtMs === null)
    return { says: 'cannot-tell', why: 'its nova-compute has never reported', heardAtMs: null };
  const limitMs = novaLimitMs(about);
  const why = `its nova-compute reported ${ago(heardAtMs, nowMs)}`;
  if (nowMs - heardAtMs > limitMs) return { says: 'silent', why, heardAtMs };
  return { says: 'alive', why, heardAtMs, runsOutAtMs: heardAtMs + limitMs + 1 };
}
