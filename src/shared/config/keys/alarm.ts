// Who outside is told that Sonny is at work: the keys of [ALARM].
import { key } from './key.ts';
import { textThat } from './value-types.ts';

const isHttpUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

export const alarmKeys = {
  name: 'ALARM',
  onlyFor: 'Only for an alarm by something outside that notices when nothing of Sonny is there any more.',
  keys: {
    deadManUrl: key('dead_man_url', textThat('an address that begins with https:// or http://', isHttpUrl), {
      secret: true,
      about:
        'The address that the leading monitor gets when a round is done, at most once a minute, such as a check of healthchecks.io or of an own watchdog: it alarms when nothing came for some minutes.',
      without: 'nobody outside is told',
    }),
  },
} as const;
