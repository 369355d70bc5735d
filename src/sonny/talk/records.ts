// Records of the inventory as people read them: found by name, shown as YAML. Only what the inventory's schema holds,
// which is public facts. Servers are searched a piece at a time, as there may be more than should be held at once.
import { stringify } from 'yaml';
import type { Server } from '../../shared/documents/inventory.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { nearestNames } from './nearest.ts';

/** Records of one name that are shown; the others are counted. */
export const mostRecords = 5;

/** A record that was found. */
export interface Found {
  readonly cloud: string;
  readonly collectedAtMs: number;
  readonly yaml: string;
}

/** Hypervisors by hypervisor name or service host; letters' case does not matter. */
export function findHypervisors(picture: Picture, name: string): Found[] {
  const { cloud, collectedAtMs } = picture;
  return picture.hypervisors
    .filter((hypervisor) => same(hypervisor.name, name) || same(hypervisor.host, name))
    .map((hypervisor) => {
      const agents = picture
        .agentsOf(hypervisor.host)
        .map(({ binary, alive, heartbeatAtMs }) => ({ binary, alive, heartbeatAtMs }));
      return { cloud, collectedAtMs, yaml: toYaml({ cloud, ...hypervisor, agents }) };
    });
}

/** Servers of one cloud that have the name or UUID asked for. */
export interface ServersFound {
  /** `mostRecords` at most. */
  readonly shown: readonly Found[];
  /** How many there are. */
  readonly count: number;
  /** Names and UUIDs that come near, when there is none. */
  readonly near: readonly string[];
}

/** Searches the servers of one picture, by UUID or name. */
export class ServerSearch {
  readonly #picture: Picture;
  readonly #name: string;
  readonly #projects: ReadonlyMap<string, string>;
  readonly #shown: Found[] = [];
  #count = 0;
  #near: string[] = [];

  constructor(picture: Picture, name: string) {
    this.#picture = picture;
    this.#name = name;
    this.#projects = new Map(picture.projects.map((project) => [project.id, project.name]));
  }

  look(servers: readonly Server[]): void {
    for (const server of servers)
      if (same(server.id, this.#name) || same(server.name, this.#name)) this.#take(server);
    if (this.#count > 0) return;
    const names = servers.flatMap(({ name, id }) => [name, id]);
    this.#near = nearestNames(this.#name, [...this.#near, ...names]);
  }

  get found(): ServersFound {
    return { shown: this.#shown, count: this.#count, near: this.#near };
  }

  #take(server: Server): void {
    this.#count += 1;
    if (this.#shown.length >= mostRecords) return;
    const { cloud, collectedAtMs, serversCollectedAtMs } = this.#picture;
    const project = this.#projects.get(server.projectId) ?? null;
    this.#shown.push({
      cloud,
      collectedAtMs: serversCollectedAtMs ?? collectedAtMs,
      yaml: toYaml({ cloud, ...server, project }),
    });
  }
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
