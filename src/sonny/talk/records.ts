// Records of the inventory as people read them: found by name, shown as YAML. Only what the inventory's schema holds,
// which is public facts.
import { stringify } from 'yaml';
import type { FencingMode } from '../../shared/documents/fencing-mode.ts';
import type { Hypervisor, Inventory, Server } from '../../shared/documents/inventory.ts';

/** What sonny can see of one cloud. */
export interface CloudView {
  readonly cloud: string;
  readonly inventory: Inventory;
  /** Does its monitor demand proof? Null: it never said. */
  readonly fencing: FencingMode | null;
  /** The monitor that leads; null: none does. */
  readonly leader: string | null;
  /** Why it recovers nothing until an operator accepts it; null: it recovers. */
  readonly hold: string | null;
  /** Names of the vantage points that are alive, sorted. */
  readonly eyes: readonly string[];
  /** Why the inventory could not be read; null when it was. */
  readonly trouble: string | null;
}

/** A record that was found. */
export interface Found {
  readonly cloud: string;
  readonly collectedAtMs: number;
  readonly yaml: string;
}

/** Hypervisors by hypervisor name or service host; letters' case does not matter. */
export function findHypervisors({ cloud, inventory: { hosts } }: CloudView, name: string): Found[] {
  if (hosts === null) return [];
  return hosts.hypervisors
    .filter((hypervisor) => same(hypervisor.name, name) || same(hypervisor.host, name))
    .map((hypervisor) => {
      const agents = hosts.agents
        .filter((agent) => agent.host === hypervisor.host)
        .map(({ binary, alive, heartbeatAtMs }) => ({ binary, alive, heartbeatAtMs }));
      return {
        cloud,
        collectedAtMs: hosts.collectedAtMs,
        yaml: toYaml({ cloud, ...hypervisor, agents }),
      };
    });
}

/** Servers by UUID or name. */
export function findServers({ cloud, inventory: { hosts, servers } }: CloudView, name: string): Found[] {
  if (servers === null) return [];
  const projects = new Map(hosts?.projects.map((project) => [project.id, project.name]));
  return servers.servers
    .filter((server) => same(server.id, name) || same(server.name, name))
    .map((server) => ({
      cloud,
      collectedAtMs: servers.collectedAtMs,
      yaml: toYaml({ cloud, ...server, project: projects.get(server.projectId) ?? null }),
    }));
}

/** All names a hypervisor or a server of this cloud can be asked for by. */
export function namesOf({ inventory }: CloudView, kind: 'hv' | 'vm'): string[] {
  if (kind === 'hv')
    return (inventory.hosts?.hypervisors ?? []).map((hypervisor: Hypervisor) => hypervisor.name);
  return (inventory.servers?.servers ?? []).flatMap((server: Server) => [server.name, server.id]);
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Moments (`…AtMs`) are written as people read them, in UTC. */
function toYaml(record: object): string {
  const readable = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(readable);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) =>
        key.endsWith('AtMs') ? [key.slice(0, -2), moment(inner)] : [key, readable(inner)],
      ),
    );
  };
  return stringify(readable(record), { lineWidth: 0 });
}

function moment(value: unknown): string | null {
  if (typeof value !== 'number') return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
