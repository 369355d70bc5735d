// The storage that is asked and cuts off: the keys of [CEPH].
import { type Given, key } from './key.ts';
import { names, text, textThat, type ValueType } from './value-types.ts';

/** Set beside `conf`, they are of no use without it. */
const beside = ['user', 'keyring', 'pools'];

const neededConf = ({ text: set }: Given): string | null => {
  const reason = beside.find((name) => set('CEPH', name) !== null);
  return reason === undefined ? null : `the path of ceph.conf, as ${reason} is set`;
};

/** As ceph.conf and Nova's rbd_user have it: `sonny`; the whole name, `client.sonny`, is taken too. */
const userName: ValueType<string> = {
  expected: 'the name of a Ceph user, such as sonny',
  parse: (value) => {
    const name = value.replace(/^client\./, '');
    return /^[\w.-]+$/.test(name) ? { value: name } : { expected: 'the name of a Ceph user, such as sonny' };
  },
};

export const cephKeys = {
  name: 'CEPH',
  onlyFor: 'Only for instances with disks on Ceph (docs/ceph.md).',
  keys: {
    conf: key(
      'conf',
      textThat('a path', (path) => path.trim() !== ''),
      {
        example: '/etc/ceph/ceph.conf',
        about:
          'The ceph.conf of the cluster that holds the disks of instances, relative to config.ini. With it the disks are asked who has them open, and a dead host is cut off from them before its instances move.',
        without: 'Ceph is not asked',
        needed: neededConf,
      },
    ),
    user: key('user', userName, {
      default: 'sonny',
      about: 'The Ceph user to be; what it must be allowed to do stands in docs/ceph.md.',
    }),
    keyring: key('keyring', text, {
      example: '/etc/ceph/ceph.client.sonny.keyring',
      about: 'The file with its key, relative to config.ini.',
      without: 'it is looked for where ceph.conf says',
    }),
    pools: key('pools', names('names of pools between commas'), {
      default: 'vms, volumes',
      about: "The pools with the disks of instances: Nova's images_rbd_pool and Cinder's rbd_pool.",
    }),
  },
} as const;
