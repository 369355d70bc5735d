// Who could not be told dead if he died now, as too few senses can tell of him: nobody is watched in silence. A verdict
// needs a sense of the control plane, and beside it instances that were heard; where a proof of power-off is demanded
// the host's own ports do as well. Pure.
import type { Unjudged } from '../../documents/jobs/survey-senses.ts';
import { counted } from '../../ground/counted.ts';
import type { Picture } from '../../picture/picture.ts';
import { guestAddressesSense } from './guest-addresses.ts';
import { type HeartbeatRules, whoCannotBeJudged } from './heartbeat.ts';
import { hostPortsSense } from './host-ports.ts';

/** What the vantage points heard of a host before. */
export interface Ears {
  /** Its own address, within the last day. */
  readonly hasHeardPorts: boolean;
  /** Instances that testify, by the baseline: heard since their launch, and no such as below. */
  readonly guestsHeard: number;
  /** Instances that testify, were heard since their launch, and fell silent while their host was well. */
  readonly guestsGoneMute: number;
  /** Instances that testify, heard or not. */
  readonly guestsAsked: number;
  /** Instances whose disks answered on it within the last day. */
  readonly disksHeard: number;
  /** Some of these were launched so short a time ago that they may be booting. */
  readonly isYoung: boolean;
}

/** Of the hypervisors with instances, those of whom too little would be known, sorted by host. */
export function tooFewSenses(
  picture: Picture,
  earsOf: (host: string) => Ears,
  nowMs: number,
  rules: HeartbeatRules & { readonly isProven: boolean },
): Unjudged[] {
  const mute = new Map(whoCannotBeJudged(picture, nowMs, rules).map((one) => [one.host, one]));
  return picture.hypervisors.flatMap(({ host, forcedDown, state }): Unjudged[] => {
    const instances = picture.mostInstancesOn(host) ?? 0;
    // One that is down already is not watched any more: it is judged, or was.
    if (instances === 0 || forcedDown || state === 'down') return [];
    const silent = mute.get(host);
    if (silent !== undefined)
      return [{ ...silent, reason: `cannot be heard by the cloud: ${silent.reason}` }];
    const ears = earsOf(host);
    if (ears.guestsHeard > 0 || ears.disksHeard > 0 || ears.isYoung || (rules.isProven && ears.hasHeardPorts))
      return [];
    return [{ host, reason: muteReason(ears, instances, rules.isProven), help: muteHelp(rules.isProven) }];
  });
}

function muteReason({ guestsAsked, guestsGoneMute }: Ears, instances: number, isProven: boolean): string {
  const asked = counted(guestsAsked, 'instance');
  const guests =
    guestsAsked === 0
      ? `none of its ${counted(instances, 'instance')} runs with an address that can be asked`
      : guestsGoneMute === 0
        ? `none of the ${asked} asked was ever heard (a firewall?)`
        : `of the ${asked} asked ${guestsGoneMute} did not answer any more while the host was well (a firewall?)${
            guestsGoneMute < guestsAsked ? ', and the others were never heard' : ''
          }`;
  return isProven ? `never answered on its own address, and ${guests}` : guests;
}

const muteHelp = (isProven: boolean): string =>
  isProven
    ? `${hostPortsSense.help}; or ${guestAddressesSense.help}`
    : `${guestAddressesSense.help}; or [FENCING] mode = required`;
