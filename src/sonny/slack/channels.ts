// The channels that config.ini names, among those the bot is in. Pure.
import { OperationalError } from '../../shared/ground/errors.ts';

/** A channel that the bot is in. */
export interface Conversation {
  readonly id: string;
  readonly name: string;
  /** People of other organisations are in it (Slack Connect). */
  readonly shared: boolean;
}

/** Ids of channels, public (C) and private ones of old (G); names are in lower case. */
export const isChannelId = (text: string): boolean => /^[CG][A-Z0-9]{5,20}$/.test(text);

/** What --check says of a channel, by id or name; throws OperationalError when the bot is not in it. */
export function channelLine(key: 'channel' | 'ask', wanted: string, found: readonly Conversation[]): string {
  const name = wanted.replace(/^#/, '');
  const one = found.find((channel) => channel.id === wanted || channel.name === name);
  if (one === undefined)
    throw new OperationalError(
      `[SLACK] ${key}: the bot is in no channel ${wanted}; if there is one, invite the bot there`,
    );
  const shared = one.shared ? ', which people of other organisations read as well' : '';
  return `${wanted}${wanted === one.id ? '' : ` (${one.id})`}${shared}`;
}
