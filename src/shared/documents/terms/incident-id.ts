// The names of an incident (one dead or dying host, from its first suspicion to its return) and of its recoveries.
// Pure.

/**
 * For people and for keys: time first, so that a list of incidents sorts by it, then the dead hypervisor. Without ":",
 * which BullMQ refuses in the ids of jobs that carry this name.
 */
export function incidentId(nowMs: number, host: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}-${host.replaceAll(':', '_')}`;
}

/** The name of an incident's recovery; they are numbered from 1, and each owns a journal. */
export const recoveryId = (incident: string, number: number): string => `${incident}.${number}`;
