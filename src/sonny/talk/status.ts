// How fresh Sonny's picture of each cloud is: the answer to `status`, also posted after a lost connection. Pure.

import { isMarkedSpare } from '../../shared/documents/inventory.ts';
import { fencingText } from '../../shared/documents/terms/fencing-mode.ts';
import type { Picture } from '../../shared/picture/picture.ts';
import type { CloudView } from './records.ts';

/** Two lines or more per cloud, as plain text. */
export function statusText(views: readonly CloudView[], nowMs: number): string {
  return views.map((view) => cloudStatus(view, nowMs)).join('\n');
}

function cloudStatus(view: CloudView, nowMs: number): string {
  const { cloud, picture, fencing, leader, hold, eyes, trouble } = view;
  if (trouble !== null) return `${cloud}: the inventory cannot be read now (${trouble})`;
  if (picture === null) return `${cloud}: the inventory was never updated. Are monitor and ns4 running?`;
  const age = secondsText(nowMs - picture.collectedAtMs);
  const lines = [`${hostsText(picture)}; ${serversText(picture, nowMs)}`];
  if (leader === null) lines.push('no monitor leads now: nobody decides anything');
  if (hold !== null) lines.push(`holding, nothing is recovered: ${hold} ("monitor --accept-empty-state")`);
  if (fencing !== null) lines.push(fencingText(fencing));
  lines.push(eyesText(eyes));
  return [`${cloud}: inventory updated ${age} ago`, ...lines].join('\n    ');
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
function eyesText(eyes: readonly string[]): string {
  return eyes.length === 0
    ? 'no ns4 is there'
    : `${counted(eyes.length, 'vantage point')}: ${eyes.join(', ')}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A duration in whole seconds; clocks that disagree a little make no negative one. */
export function secondsText(ms: number): string {
  return counted(Math.max(0, Math.round(ms / 1_000)), 'second');
}
