// Nova's migration records, of which evacuations are one type.
import type { Migration } from '../world/model.ts';
import type { World } from '../world/world.ts';
import { type Answer, type Call, isoSeconds, type Route } from './call.ts';
import { novaVersion } from './nova-version.ts';
import { cutPage } from './paging.ts';

/** GET /os-migrations, newest first. */
export function migrationRoutes(world: World): Route[] {
  return [{ method: 'GET', path: /^\/os-migrations$/, handle: (call) => list(world, call) }];
}

function list(world: World, call: Call): Answer {
  const { query } = call;
  const version = novaVersion(call);
  const is = (name: string, value: string): boolean => (query.get(name) ?? value) === value;
  const wanted = world.migrations
    .filter(
      (m) =>
        is('migration_type', m.type) &&
        is('source_compute', m.source) &&
        is('instance_uuid', m.instance.id) &&
        is('status', m.status) &&
        (!query.has('host') || [m.source, m.target].includes(query.get('host'))),
    )
    .reverse();
  // Paged from 2.59, where records have a UUID.
  const page =
    version >= 59
      ? cutPage(
          call,
          wanted,
          (m) => m.id,
          (marker) => `Marker ${marker} could not be found.`,
        )
      : { items: wanted, links: null };
  const migrations = page.items.map((migration) => view(world, migration, version));
  return {
    status: 200,
    body: { migrations, ...(page.links === null ? {} : { migrations_links: page.links }) },
  };
}

function view(world: World, migration: Migration, version: number): object {
  // The target's own fields are filled when its nova-compute has taken the work.
  const taken = !['accepted', 'error'].includes(migration.status);
  const target = migration.target === null ? undefined : world.hosts.get(migration.target);
  return {
    id: migration.number,
    ...(version >= 59 ? { uuid: migration.id } : {}),
    source_compute: migration.source,
    dest_compute: migration.target,
    source_node: migration.sourceNode,
    dest_node: taken ? (target?.hypervisorName ?? null) : null,
    dest_host: taken ? (target?.address ?? null) : null,
    old_instance_type_id: null,
    new_instance_type_id: null,
    instance_uuid: migration.instance.id,
    status: migration.status,
    ...(version >= 23 ? { migration_type: migration.type } : {}),
    ...(version >= 80
      ? { user_id: migration.instance.projectId, project_id: migration.instance.projectId }
      : {}),
    created_at: isoSeconds(migration.createdAtMs),
    updated_at: isoSeconds(migration.updatedAtMs),
  };
}
