// Nova's microversions: read from the request's headers, refused as Nova refuses, told in the answer's headers.
import { ApiRefusal } from '../world/refusal.ts';
import { type Call, minorOf } from './call.ts';

export const novaMin = 1;
export const novaMax = 93;

const versions = new WeakMap<Call, number>();

/** The minor version (the 53 of 2.53) a call asked for. */
export function novaVersion(call: Call): number {
  return versions.get(call) ?? novaMin;
}

/** Reads and keeps a call's version, or refuses it: 400 malformed, 406 out of range. No header is 2.1. */
export function readNovaVersion(call: Call): void {
  const word = versionWord(call);
  const minor = word === 'latest' ? novaMax : minorOf(word, 2);
  if (minor === null) {
    if (!/^\d+\.\d+$/.test(word)) {
      throw new ApiRefusal(
        400,
        `API Version String ${word} is of invalid format. Must be of format MajorNum.MinorNum.`,
      );
    }
  } else versions.set(call, minor);
  if (minor === null || minor < novaMin || minor > novaMax) {
    throw new ApiRefusal(
      406,
      `Version ${word} is not supported by the API. Minimum is 2.${novaMin} and maximum is 2.${novaMax}.`,
    );
  }
}

function versionWord(call: Call): string {
  const modern = call.headers['openstack-api-version'];
  const match = typeof modern === 'string' ? /(?:^|,)\s*compute\s+(\S+)/.exec(modern) : null;
  const legacy = call.headers['x-openstack-nova-api-version'];
  return match?.[1] ?? (typeof legacy === 'string' ? legacy : `2.${novaMin}`);
}

/** The headers that tell the version spoken. */
export function novaVersionHeaders(call: Call): Record<string, string | string[]> {
  const version = versions.get(call);
  if (version === undefined) return {};
  return {
    'OpenStack-API-Version': `compute 2.${version}`,
    'X-OpenStack-Nova-API-Version': `2.${version}`,
    Vary: ['OpenStack-API-Version', 'X-OpenStack-Nova-API-Version'],
  };
}
