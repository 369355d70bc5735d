// Reports of the job `evacuate`, as version 1 of the monitor's state and of the journals holds them, read as those of
// `recover`. Pure.
import { type RecoveryReport, recoveryReportSchema } from './recover.ts';

/** The report as one of today; null when it is none. */
export function liftReport(old: unknown): RecoveryReport | null {
  if (typeof old !== 'object' || old === null || !('spare' in old) || !('incident' in old)) return null;
  const instances = 'instances' in old && Array.isArray(old.instances) ? old.instances : [];
  const lifted = {
    ...old,
    recovery: old.incident,
    targets: [{ kind: 'host', host: old.spare }],
    instances: instances.map((instance) => ({
      ...instance,
      to: instance?.outcome === 'recovered' ? old.spare : null,
    })),
  };
  return recoveryReportSchema.safeParse(lifted).data ?? null;
}
