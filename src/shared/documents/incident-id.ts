// The name of an incident: one recovery of one dead hypervisor. Pure.

/**
 * For people and for keys: time first, so that a list of incidents sorts by it, then the dead hypervisor. Without ":",
 * which BullMQ refuses in the ids of jobs that carry this name.
 */
export function incidentId(nowMs: number, host: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}-${host.replaceAll(':', '_')}`;
}
