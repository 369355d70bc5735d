// Who may ask Sonny: people of the own workspace, in the channels that were named. An answer tells of every cloud and
// tenant, so whoever else reaches the bot (another workspace's people in a shared channel, a guest's direct message)
// gets none. Pure.
import { isDirect, type MessageEvent } from './mentions.ts';

/** Whom the configuration lets ask. */
export interface AskRules {
  /** Ids of the own workspace, and of the Enterprise Grid it belongs to, if any. */
  readonly teams: readonly string[];
  /** Ids of the channels in which questions are answered. */
  readonly channels: ReadonlySet<string>;
  /** Whether a conversation with the bot alone is one of them. */
  readonly direct: boolean;
}

/** Why a message is not answered; null: it may ask. */
export function whyNotAnswered(event: MessageEvent, rules: AskRules): string | null {
  const { team, user_team: userTeam, source_team: sourceTeam, shared } = event;
  const named = [team, userTeam, sourceTeam].filter((id) => id !== undefined);
  if (named.some((id) => !rules.teams.includes(id))) return 'asked by somebody of another workspace';
  // Slack does not name the workspace of a message with a file; where strangers are in the channel it must.
  if (named.length === 0 && shared === true)
    return 'asked in a channel shared with others, by nobody knows whom';
  if (isDirect(event)) return rules.direct ? null : 'asked in a direct message; [SLACK] direct is no';
  return rules.channels.has(event.channel ?? '')
    ? null
    : 'asked in a channel that neither [SLACK] channel nor [SLACK] ask names';
}
