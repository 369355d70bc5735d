// Whom Sonny talks to: the keys of [REDIS], [OPENSTACK], [MYSQL] and [SLACK], each with all that is known of it.
import { type Given, key } from './key.ts';
import {
  boolean,
  choice,
  endpoints,
  host,
  names,
  type Parsed,
  port,
  text,
  textThat,
  whole,
} from './value-types.ts';

export const redisKeys = {
  name: 'REDIS',
  keys: {
    host: key('host', host, {
      shown: '127.0.0.1',
      about: 'The Redis server that the three processes share; required without sentinels.',
      // One of the three is enough to see that sentinels are meant; what is missing beside it is said there.
      needed: ({ text }) =>
        (text('REDIS', 'sentinels') ?? text('REDIS', 'master') ?? text('REDIS', 'sentinel_password'))
          ? null
          : 'the name or address of the Redis server',
    }),
    port: key('port', port, { default: '6379', about: 'Its port.' }),
    // The original read `pass`, while its sample said `password`.
    password: key('pass', text, {
      also: 'password',
      secret: true,
      about: 'The password of that server.',
      needed: ({ text }) => text('REDIS', 'username') && 'the password of the user that username names',
    }),
    username: key('username', text, { about: 'The user to log in as, where Redis knows users.' }),
    tls: key('tls', boolean, {
      default: 'false',
      about: "Speak TLS, and check the server's certificate. It counts for the sentinels as well.",
    }),
    ca: key('ca', text, {
      example: '/etc/sonny/redis-ca.pem',
      about:
        "With tls: a file with the certificate of the CA that signed the server's, relative to config.ini.",
      without: "the certificate must be signed by one of the system's authorities",
    }),
    cert: key('cert', text, {
      example: '/etc/sonny/redis-client.pem',
      about: 'With tls: a file with the certificate to show to the server, where it asks for one.',
      needed: ({ text }) =>
        text('REDIS', 'key') && 'a file with the certificate that the key belongs to, as key is set',
    }),
    key: key('key', text, {
      example: '/etc/sonny/redis-client.key',
      about: 'The file with the private key of that certificate.',
      needed: ({ text }) =>
        text('REDIS', 'cert') && 'a file with the private key of the certificate, as cert is set',
    }),
    serverName: key('server_name', host, {
      example: 'redis.example.org',
      about: "With tls: the name that the server's certificate carries.",
      without: 'the host above, or what the sentinels announce',
    }),
    /** Null: see databaseNumber in redis/keys.ts. */
    db: key('db', whole(0, 9999), {
      about: 'The number of the logical database.',
      without:
        "it follows from the cloud's name by the original's rule (sha256(cloud) mod 15 + 1), so that every process finds the same one",
    }),
    sentinels: key('sentinels', endpoints('host:port of each sentinel between commas'), {
      example: '10.0.0.11:26379, 10.0.0.12:26379, 10.0.0.13:26379',
      about:
        'For Redis that fails over (docs/redis.md): its sentinels, asked in this order. host and port above are ignored then; pass, username, tls and db are those of the servers with the data.',
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
          text('REDIS', 'sentinels') && 'the name the sentinels know the master by, as sentinels is set',
      },
    ),
    sentinelUsername: key('sentinel_username', text, {
      about: 'The user to log in as at the sentinels, where they know users.',
    }),
    sentinelPassword: key('sentinel_password', text, {
      secret: true,
      about: 'The password of the sentinels themselves.',
      needed: ({ text }) =>
        text('REDIS', 'sentinel_username') && 'the password of the user that sentinel_username names',
    }),
    keyFile: key('key_file', text, {
      example: '/etc/sonny/sonny.key',
      about:
        'A file with the key by which ns4 and monitor sign what they write to Redis, made by "ns4 --make-key FILE", mode 0600, the same for all ns4 and monitors of the cloud and for nobody else (docs/security.md). sonny does not read it.',
      without: 'whoever can write to Redis can have hosts powered off and instances moved',
    }),
    unsigned: key('unsigned', choice('refuse', 'accept'), {
      default: 'refuse',
      about:
        'With key_file: what is to become of a document that bears no signature. accept is for the introduction of a key into a running cloud, and for nothing else.',
    }),
  },
} as const;

// A cloud's name becomes part of Redis keys, where braces mark the hash slot, and of lists between commas.
const cloudName = {
  expected: 'a name of clouds.yaml, without braces, commas and line breaks',
  test: (name: string): boolean => !/[{},\p{Cc}]/u.test(name),
};

export const openstackKeys = {
  name: 'OPENSTACK',
  keys: {
    cloud: key('cloud', textThat(cloudName.expected, cloudName.test), {
      shown: 'cloud1',
      about:
        "The cloud's name in clouds.yaml; required by ns4 and monitor. The login is there (and in secure.yaml, for the passwords); it must be an administrator's. They are looked up as every OpenStack client does: OS_CLIENT_CONFIG_FILE, then the working directory, ~/.config/openstack and /etc/openstack. One pair of ns4 and monitor watches one cloud.",
      needed: ({ process }) => (process === 'sonny' ? null : 'the name of a cloud in clouds.yaml'),
    }),
    externalNetworks: key('provider_net', names('names of networks between commas'), {
      default: 'ext-net',
      about:
        'The external networks, by their names in Neutron; only public ones count, opened to all projects or of the project of the login. Instances with an address there, or a floating one, testify whether a silent hypervisor is dead: ns4 must reach those addresses.',
    }),
    method: key('evacuate', choice('api', 'database'), {
      default: 'api',
      about:
        "api: Nova's own evacuation; database: the original's way, which needs [MYSQL]. The original's way rewrites instances in Nova's database and reboots them.",
    }),
    concurrency: key('concurrency', whole(1, 64), {
      default: '8',
      about: 'How many instances of a dead hypervisor are evacuated at once.',
    }),
  },
} as const;

/** Needed where something uses the section. */
const neededFor =
  (what: string) =>
  ({ process, text }: Given) =>
    process !== 'sonny' && text('OPENSTACK', 'evacuate')?.toLowerCase() === 'database'
      ? `${what}, as [OPENSTACK] evacuate is database`
      : null;

export const mysqlKeys = {
  name: 'MYSQL',
  onlyFor: 'Only for "evacuate = database"; host, user and pass are required then.',
  keys: {
    host: key('host', host, {
      example: '10.0.0.11',
      about: "Nova's database server.",
      needed: neededFor("the name or address of Nova's database server"),
    }),
    port: key('port', port, { default: '3306', about: 'Its port.' }),
    user: key('user', text, {
      example: 'nova',
      about: 'The user to log in as.',
      needed: neededFor('the user to log in as'),
    }),
    password: key('pass', text, {
      secret: true,
      about: 'The password to log in with.',
      needed: neededFor('the password to log in with'),
    }),
    database: key('database', text, { default: 'nova', about: "The name of Nova's database." }),
    ca: key('ca', text, {
      example: '/etc/ssl/certs/mysql-ca.pem',
      about:
        "A file with the certificate of the CA that signed the server's, relative to config.ini. With it the connection is TLS and the server's name is checked.",
      without: 'MySQL must be on this machine, or tls off',
    }),
    tls: key('tls', boolean, {
      default: 'true',
      about:
        'Off: a plain connection to another machine. Whoever sits in its path reads what is said, and can change any instance in it; it is warned of at each start.',
    }),
  },
} as const;

function parseToken(value: string): Parsed<string> {
  if (value.startsWith('xapp-'))
    return { found: 'xapp-…', expected: "a bot's token (xoxb-…); this is an app's (xapp-…): app_token" };
  return value.startsWith('xoxb-')
    ? { value }
    : { value, warning: "does not begin with xoxb-, as a bot's token does; Slack may refuse it" };
}

const isHttpUrl = (url: string): boolean =>
  URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);

export const slackKeys = {
  name: 'SLACK',
  keys: {
    token: key(
      'token',
      { expected: null, parse: parseToken },
      {
        secret: true,
        about: "The bot's token (xoxb-…).",
        without: 'sonny writes the events to its terminal',
        needed: ({ text }) => text('SLACK', 'app_token') && "the bot's token (xoxb-…), as app_token is set",
      },
    ),
    appToken: key(
      'app_token',
      textThat("an app's token (xapp-…)", (token) => token.startsWith('xapp-')),
      {
        secret: true,
        about: "The app's token (xapp-…), for Socket Mode.",
        without: 'sonny posts but answers no questions',
      },
    ),
    channel: key('channel', text, {
      shown: 'sonny',
      about: 'The channel to post to; required with a token. The bot must be a member.',
      needed: ({ text }) => text('SLACK', 'token') && 'the channel to post to, as token is set',
    }),
    ask: key(
      'ask',
      names('ids of channels between commas, such as C0123456789', {
        expected:
          'ids of channels between commas, such as C0123456789 (at the end of "About" in Slack), no names',
        test: (id) => /^[CG][A-Z0-9]{5,20}$/.test(id),
      }),
      {
        example: 'C0123456789',
        about:
          'Further channels in which questions are answered, by their ids. Whoever is of the own workspace and in one of them sees the instances of all tenants.',
        without: 'questions are answered in channel alone',
      },
    ),
    direct: key('direct', boolean, {
      default: 'false',
      about:
        'Whether questions are answered in direct messages as well. Then everybody in the workspace may ask, guests included.',
    }),
    clouds: key('clouds', names('names of clouds between commas', cloudName), {
      shown: 'cloud1',
      about: 'The clouds to report on and to answer for.',
      without: '[OPENSTACK] cloud alone',
      needed: ({ process, text }) =>
        process === 'sonny' && text('OPENSTACK', 'cloud') === null
          ? 'the clouds to report on (or [OPENSTACK] cloud, for one)'
          : null,
    }),
    apiUrl: key('api_url', textThat("the URL of Slack's API, such as https://slack.com/api/", isHttpUrl), {
      about: "Another address of Slack's API, for proxies and for tests.",
      without: "Slack's own",
    }),
  },
} as const;
