// When sonny goes through a proxy.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { proxyRoute } from '../../../../src/sonny/slack/proxy.ts';

const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];

/** The environment is read by undici, too. */
function environment(set: Record<string, string>) {
  for (const name of names) vi.stubEnv(name, set[name]);
  return process.env;
}
afterEach(() => vi.unstubAllEnvs());

describe('proxyRoute', () => {
  it.each([
    ['none named', {}, null, false],
    ['one named', { HTTPS_PROXY: 'http://proxy:3128' }, null, true],
    [
      'one named, in lower case',
      { https_proxy: 'http://proxy:3128' },
      'https://slack.example.org/api/',
      true,
    ],
    ['an empty one', { HTTPS_PROXY: '' }, null, false],
    ['a Slack on this machine', { HTTP_PROXY: 'http://proxy:3128' }, 'http://127.0.0.1:8080/api/', false],
    ['a Slack on this machine, by name', { HTTP_PROXY: 'http://proxy:3128' }, 'http://localhost/api/', false],
  ])('%s', (_, set, apiUrl, expected) => {
    expect(proxyRoute(environment(set), apiUrl) !== null).toBe(expected);
  });

  it('says that an address is none, without quoting it', () => {
    const env = environment({ HTTPS_PROXY: 'http://me:hunter2@' });
    expect(() => proxyRoute(env, null)).toThrow(/^no proxy's URL in one of https_proxy/);
  });
});
