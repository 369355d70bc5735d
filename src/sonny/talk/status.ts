// How a cloud stands: the answer to `status`, also posted after a lost connection. Pure.
import { isMarkedSpare } from '../../shared/documents/inventory.ts';
import { counted } from '../../shared/ground/counted.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import { secondsText } from '../render/durations.ts';
import { monitorLines } from './monitor-lines.ts';
import type { CloudView } from './views.ts';

/** Plain text: for each cloud how old its inventory is, and below it, indented, what is known of it. */
export function statusText(views: readonly CloudView[], nowMs: number): string {
  return views.map((view) => cloudStatus(view, nowMs)).join('\n');
}

function cloudStatus(view: CloudView, nowMs: number): string {
  const { cloud, picture, vantagePoints, trouble } = view;
  if (trouble !== null) return `${cloud}: the inventory cannot be read now (${trouble})`;
  const head =
    picture === null
      ? [`${cloud}: the inventory was never updated. Are monitor and ns4 running?`]
      : [
          `${cloud}: inventory updated ${secondsText(nowMs - picture.collectedAtMs)} ago`,
          `${hostsText(picture)}; ${serversText(picture, nowMs)}`,
        ];
  return [...head, ...monitorLines(view, nowMs), vantagePointsText(vantagePoints)].join('\n    ');
}

function hostsText({ hypervisors }: Picture): string {
  const down = hypervisors.filter(({ state }) => state === 'down').length;
  const spares = hypervisors.filter(isMarkedSpare).length;
  return `${counted(hypervisors.length, 'hypervisor')}, ${down} down, ${counted(spares, 'spare')}`;
}

function serversText({ instanceCount, serversCollectedAtMs }: Picture, nowMs: number): string {
  if (instanceCount === null || serversCollectedAtMs === null) return 'instances never listed';
  const age = secondsText(nowMs - serversCollectedAtMs);
  return `${counted(instanceCount, 'instance')} as of ${age} ago`;
}

/** Every ns4 that is alive scans: without one nothing is refreshed, judged or recovered. */
function vantagePointsText(vantagePoints: readonly string[]): string {
  return vantagePoints.length === 0
    ? 'no ns4 is there'
    : `${counted(vantagePoints.length, 'vantage point')}: ${vantagePoints.join(', ')}`;
}
