// [OPENSTACK] of config.ini: the cloud that one pair of monitor and ns4 watches, and how its instances are brought back.
import { key } from '../key.ts';
import { choice, names, textThat, whole } from '../value-types.ts';

// A cloud's name becomes part of Redis keys, where braces mark the hash slot, and of lists between commas.
export const cloudName = {
  expected: 'a name of clouds.yaml, without braces, commas and line breaks',
  test: (name: string): boolean => !/[{},\p{Cc}]/u.test(name),
};

export const openstackKeys = {
  name: 'OPENSTACK',
  keys: {
    cloud: key('cloud', textThat(cloudName.expected, cloudName.test), {
      shown: 'cloud1',
      about: "The cloud's name in clouds.yaml; required by ns4 and monitor.",
      more: "The login is there (and in secure.yaml, for the passwords); it must be an administrator's. They are looked up as every OpenStack client does: OS_CLIENT_CONFIG_FILE, then the working directory, ~/.config/openstack and /etc/openstack. One pair of ns4 and monitor watches one cloud.",
      needed: ({ process }) => (process === 'sonny' ? null : 'the name of a cloud in clouds.yaml'),
    }),
    externalNetworks: key('provider_net', names('names of networks between commas'), {
      default: 'ext-net',
      about: 'The external networks.',
      more: 'Instances with an address there testify whether a silent hypervisor is dead: ns4 must reach those addresses.',
    }),
    method: key('evacuate', choice('api', 'database'), {
      default: 'api',
      about: "api: Nova's own evacuation; database: the original's way, which needs [MYSQL].",
      more: "The original's way rewrites instances in Nova's database and reboots them.",
    }),
    concurrency: key('concurrency', whole(1, 64), {
      default: '8',
      about: 'How many instances of a dead hypervisor are evacuated at once.',
    }),
  },
} as const;
