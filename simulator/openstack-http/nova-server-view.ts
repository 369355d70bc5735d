// An instance as servers/detail shows it, by microversion.
import { createHash } from 'node:crypto';
import { isHidden } from '../world/cells.ts';
import type { Instance } from '../world/model.ts';
import { isServiceUp } from '../world/reports.ts';
import { serverStatus, shownFault } from '../world/status.ts';
import type { World } from '../world/world.ts';
import { isoSeconds } from './call.ts';

/** The server as microversion 2.`version` shows it. `origin` is the API's own address, for links. */
export function serverView(world: World, instance: Instance, version: number, origin: string): object {
  const status = serverStatus(instance);
  const { host } = instance;
  if (isHidden(world, instance))
    return {
      id: instance.id,
      status: 'UNKNOWN',
      tenant_id: instance.projectId,
      created: `${isoSeconds(instance.createdAtMs).slice(0, 19)}Z`,
      links: [{ rel: 'self', href: `${origin}/v2.1/servers/${instance.id}` }],
    };
  return {
    id: instance.id,
    name: instance.name,
    status,
    tenant_id: instance.projectId,
    user_id: instance.projectId,
    metadata: instance.metadata,
    hostId:
      host === null
        ? ''
        : createHash('sha224')
            .update(instance.projectId + host)
            .digest('hex'),
    image: { id: imageId, links: [{ rel: 'bookmark', href: `${origin}/images/${imageId}` }] },
    flavor: flavorView(instance, version, origin),
    created: `${isoSeconds(instance.createdAtMs).slice(0, 19)}Z`,
    updated: `${isoSeconds(instance.updatedAtMs).slice(0, 19)}Z`,
    addresses: addressesOf(instance),
    accessIPv4: '',
    accessIPv6: '',
    links: [
      { rel: 'self', href: `${origin}/v2.1/servers/${instance.id}` },
      { rel: 'bookmark', href: `${origin}/servers/${instance.id}` },
    ],
    'OS-DCF:diskConfig': 'MANUAL',
    ...(status === 'ACTIVE' || status === 'REBUILD' ? { progress: 0 } : {}),
    'OS-EXT-AZ:availability_zone': host === null ? '' : world.host(host).zone,
    config_drive: '',
    key_name: null,
    'OS-SRV-USG:launched_at': instance.launchedAtMs === null ? null : isoSeconds(instance.launchedAtMs),
    'OS-SRV-USG:terminated_at': null,
    'OS-EXT-SRV-ATTR:host': host,
    'OS-EXT-SRV-ATTR:instance_name': `instance-${instance.number.toString(16).padStart(8, '0')}`,
    'OS-EXT-SRV-ATTR:hypervisor_hostname': instance.node,
    ...(version >= 3 ? adminAttributes(instance) : {}),
    'OS-EXT-STS:task_state': instance.taskState,
    'OS-EXT-STS:vm_state': instance.vmState,
    'OS-EXT-STS:power_state': instance.powerState,
    'os-extended-volumes:volumes_attached': [],
    ...faultView(instance),
    ...(version >= 9 ? { locked: instance.locked } : {}),
    ...(version >= 73 ? { locked_reason: null } : {}),
    ...(version >= 19 ? { description: null } : {}),
    ...(version >= 26 ? { tags: [] } : {}),
    ...(version >= 63 ? { trusted_image_certificates: null } : {}),
    ...(version >= 16 ? { host_status: hostStatus(world, host) } : {}),
  };
}

const imageId = 'e60978e4-f3a5-42f9-874b-bbf42594ba3e';

function addressesOf({ addresses, port }: Instance): Record<string, object[]> {
  const byNetwork: Record<string, object[]> = {};
  for (const { network, address, version, type } of addresses) {
    byNetwork[network] ??= [];
    byNetwork[network].push({
      version,
      addr: address,
      'OS-EXT-IPS:type': type,
      'OS-EXT-IPS-MAC:mac_addr': port.mac,
    });
  }
  return byNetwork;
}

function flavorView({ flavor }: Instance, version: number, origin: string): object {
  // Embedded from 2.47, and then without an id.
  if (version < 47) {
    return {
      id: flavor.name,
      links: [{ rel: 'bookmark', href: `${origin}/flavors/${flavor.name}` }],
    };
  }
  return {
    vcpus: flavor.vcpus,
    ram: flavor.memoryMb,
    disk: flavor.diskGb,
    ephemeral: 0,
    swap: 0,
    original_name: flavor.name,
    extra_specs: {},
  };
}

function adminAttributes(instance: Instance): object {
  return {
    'OS-EXT-SRV-ATTR:reservation_id': 'r-simulated',
    'OS-EXT-SRV-ATTR:launch_index': 0,
    'OS-EXT-SRV-ATTR:hostname': instance.name.toLowerCase(),
    'OS-EXT-SRV-ATTR:kernel_id': '',
    'OS-EXT-SRV-ATTR:ramdisk_id': '',
    'OS-EXT-SRV-ATTR:root_device_name': '/dev/vda',
    'OS-EXT-SRV-ATTR:user_data': null,
  };
}

function faultView(instance: Instance): object {
  const fault = shownFault(instance);
  if (fault === null) return {};
  const created = `${isoSeconds(fault.atMs).slice(0, 19)}Z`;
  return { fault: { code: fault.code, created, message: fault.message, details: '' } };
}

/** Only this tells in a server's own record that its host is dead: the status stays ACTIVE. */
function hostStatus(world: World, name: string | null): string {
  if (name === null) return '';
  const host = world.host(name);
  if (host.forcedDown) return 'DOWN';
  if (host.disabled) return 'MAINTENANCE';
  return isServiceUp(world, host) ? 'UP' : 'UNKNOWN';
}
