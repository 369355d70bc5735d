// [FENCING] of config.ini: whether a host must be proven to be off before anything moves, and by what.
import { key } from '../key.ts';
import { choice, seconds, text } from '../value-types.ts';

export const fencingKeys = {
  name: 'FENCING',
  keys: {
    mode: key('mode', choice('none', 'required'), {
      default: 'none',
      about: 'required: no instance moves before its hypervisor is proven to be off; see docs/fencing.md.',
      more: "The proof is a fence agent that powers it off and sees it off, or an operator's word. none: silence is the only proof that a hypervisor is dead.",
    }),
    file: key('hosts', text, {
      example: 'fencing.yaml',
      about:
        'The file with the fence levels of each hypervisor (see fencing.example.yaml), relative to config.ini; only ns4 reads it.',
      more: 'It holds the passwords of BMCs, so "chmod 600" it. Required with "mode = required".',
      needed: ({ text }) =>
        text('FENCING', 'mode')?.toLowerCase() === 'required'
          ? 'the file with the fence levels (fencing.yaml), as mode is required'
          : null,
    }),
    timeoutMs: key('timeout', seconds(1, 300), {
      default: '60',
      about: 'The time for one level: to power off and to see it off.',
    }),
  },
} as const;
