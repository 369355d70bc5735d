// The caps to copy: what each document hands out lets the self-check read every disk, and no guest's data.
import { expect, test } from 'vitest';
import { documentedCaps } from '../../../support/documented-caps.ts';

const prefixes = ['rbd_id.', 'rbd_header.', 'rbd_info', 'rbd_directory', 'rbd_object_map'];

test.each(['docs/ceph.md', 'docs/fencing.md'])(
  '%s: all prefixes in all pools, parents of clones too',
  (document) => {
    const { mon, osd } = documentedCaps(document);
    expect(mon).toBe('allow r, allow command "osd blocklist"');
    expect(osd.split(', ').toSorted()).toEqual(
      ['vms', 'volumes', 'images']
        .flatMap((pool) =>
          prefixes.map((prefix) => `allow r class-read pool=${pool} object_prefix ${prefix}`),
        )
        .toSorted(),
    );
  },
);
