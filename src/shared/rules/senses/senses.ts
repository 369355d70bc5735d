// The senses, in the order in which they are told. To add one: a file beside this one, and a line here.
import { agentsSense } from './agents.ts';
import { fenceDevicesSense } from './fence-devices.ts';
import { guestAddressesSense } from './guest-addresses.ts';
import { hostPortsSense } from './host-ports.ts';
import { instanceDisksSense } from './instance-disks.ts';
import { novaReportSense } from './nova-report.ts';
import { ovnSense } from './ovn.ts';
import type { Sense } from './sense.ts';

export const senses: readonly Sense[] = [
  agentsSense,
  ovnSense,
  novaReportSense,
  hostPortsSense,
  guestAddressesSense,
  instanceDisksSense,
  fenceDevicesSense,
];
