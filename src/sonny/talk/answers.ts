// Answers to questions, from what can be seen of the clouds. Pure: views and the time are passed in.

import { plain } from '../../shared/ground/plain.ts';
import { secondsText } from '../render/durations.ts';
import { codeBlock, escapeMrkdwn, escapeWithin } from '../render/mrkdwn.ts';
import { nearestNames } from './nearest.ts';
import type { Question } from './questions.ts';
import { type Found, findHypervisors, mostRecords } from './records.ts';
import { statusText } from './status.ts';
import type { CloudView } from './views.ts';

/** As for posts; Slack folds and splits longer texts. */
const longestAnswer = 3_500;

const commands = [
  '`help`: this list',
  '`status`: for each cloud how old its inventory is, what is in it, who leads, and each open incident',
  '`show hv NAME`: a hypervisor, by its name or the host of its service',
  '`show vm UUID|NAME`: an instance',
].join('\n');

/** The answer to a question, in Slack's markup. */
export function answer(question: Question, views: readonly CloudView[], nowMs: number): string {
  switch (question.kind) {
    case 'help':
      return `Mention me at the beginning of a message, with one of these commands:\n${commands}`;
    case 'status':
      return words(statusText(views, nowMs), longestAnswer);
    case 'show':
      return show(question, views, nowMs);
    case 'show-usage':
      return 'Usage: `show hv NAME` or `show vm UUID|NAME`';
    case 'unclear':
      return `I am not sure what you mean. These commands I know:\n${commands}`;
  }
}

type Show = Extract<Question, { kind: 'show' }>;

function show({ what, name }: Show, views: readonly CloudView[], nowMs: number): string {
  const pictures = what === 'hv' ? views.flatMap(({ picture }) => picture ?? []) : [];
  const hypervisors = pictures.flatMap((picture) => findHypervisors(picture, name));
  const servers = views.flatMap((view) => view.servers ?? []);
  const found = what === 'hv' ? hypervisors : servers.flatMap(({ shown }) => shown);
  const count = what === 'hv' ? found.length : servers.reduce((sum, { count }) => sum + count, 0);
  const unread = unreadText(what, views);
  if (found.length === 0) return notFound({ kind: 'show', what, name }, views) + unread;
  const shown = found.slice(0, mostRecords);
  const room = Math.floor((longestAnswer - unread.length) / shown.length) - 150;
  const blocks = shown.map((one) => `${headOf(one, nowMs)}\n${codeBlock(one.yaml, room)}`);
  const more = count - shown.length;
  const rest = more === 0 ? '' : `\n… and ${more} more of this name`;
  return `${blocks.join('\n')}${rest}${unread}`;
}

const headOf = ({ cloud, collectedAtMs }: Found, nowMs: number): string =>
  `${escapeMrkdwn(cloud)}, as of ${secondsText(nowMs - collectedAtMs)} ago:`;

function notFound({ what, name }: Show, views: readonly CloudView[]): string {
  const kind = what === 'hv' ? 'Hypervisor' : 'Instance';
  const clouds = views.map(({ cloud }) => cloud).join(', ');
  const names = views.flatMap(({ picture, servers }) =>
    what === 'hv' ? (picture?.hypervisors ?? []).map((hypervisor) => hypervisor.name) : (servers?.near ?? []),
  );
  const near = nearestNames(name, names);
  const hint = near.length === 0 ? '' : ` Did you mean ${near.join(', ')}?`;
  return words(`${kind} ${name.slice(0, 200)} not found in ${clouds}.${hint}`, 1_000);
}

/** "Not found" says nothing of a cloud that was not looked at. */
function unreadText(what: 'hv' | 'vm', views: readonly CloudView[]): string {
  const lines = views.flatMap(({ cloud, picture, trouble }) => {
    if (trouble !== null) return [`${cloud}: the inventory cannot be read now (${trouble})`];
    const missing = picture === null || (what === 'vm' && picture.serversCollectedAtMs === null);
    return missing ? [`${cloud}: no ${what === 'hv' ? 'hypervisors' : 'instances'} listed so far`] : [];
  });
  return lines.length === 0 ? '' : `\n${words(lines.join('\n'), 800)}`;
}

/** Words outside of any code block, so that names in them must not open one either. */
const words = (text: string, longest: number): string =>
  escapeWithin(plain(text), longest).replace(/`(?=`)/g, '`\u200b');
