// [REDIS] of config.ini: the server that the three processes share, or the sentinels that know it.
import { key } from '../key.ts';
import { boolean, endpoints, host, port, text, textThat, whole } from '../value-types.ts';

export const redisKeys = {
  name: 'REDIS',
  keys: {
    host: key('host', host, {
      shown: '127.0.0.1',
      about: 'The Redis server that the three processes share; required without sentinels.',
      // One of the three is enough to see that sentinels are meant; what is missing beside it is said there.
      needed: ({ text }) =>
        ['sentinels', 'master', 'sentinel_password'].some((name) => text('REDIS', name) !== null)
          ? null
          : 'the name or address of the Redis server',
    }),
    port: key('port', port, { default: '6379', about: 'Its port.' }),
    // The original read `pass`, while its sample said `password`.
    password: key('pass', text, {
      also: 'password',
      secret: true,
      about: 'The password of that server.',
      needed: ({ text }) =>
        text('REDIS', 'username') === null ? null : 'the password of the user that username names',
    }),
    username: key('username', text, { about: 'The user to log in as, where Redis knows users.' }),
    tls: key('tls', boolean, {
      default: 'false',
      about: "Speak TLS, and check the server's certificate.",
      more: 'It counts for the sentinels as well.',
    }),
    /** Null: see databaseNumber in redis/keys.ts. */
    db: key('db', whole(0, 9999), {
      about: 'The number of the logical database.',
      without:
        "it follows from the cloud's name by the original's rule (sha256(cloud) mod 15 + 1), so that every process finds the same one",
    }),
    sentinels: key('sentinels', endpoints('host:port of each sentinel between commas'), {
      example: '10.0.0.11:26379, 10.0.0.12:26379, 10.0.0.13:26379',
      about: 'For Redis that fails over (docs/redis.md): its sentinels, asked in this order.',
      more: 'host and port above are ignored then; pass, username, tls and db are those of the servers with the data.',
      needed: ({ text }) => {
        const reason = ['master', 'sentinel_password'].find((name) => text('REDIS', name) !== null);
        return reason === undefined ? null : `host:port of each sentinel between commas, as ${reason} is set`;
      },
    }),
    // As Sentinel itself has it for the names in its configuration.
    master: key(
      'master',
      textThat('a name of letters, digits, ".", "-" and "_"', (name) => /^[\w.-]+$/.test(name)),
      {
        example: 'sonny',
        about: 'The name the sentinels know the master by; required with sentinels.',
        needed: ({ text }) =>
          text('REDIS', 'sentinels') === null
            ? null
            : 'the name the sentinels know the master by, as sentinels is set',
      },
    ),
    sentinelPassword: key('sentinel_password', text, {
      secret: true,
      about: 'The password of the sentinels themselves.',
    }),
  },
} as const;
