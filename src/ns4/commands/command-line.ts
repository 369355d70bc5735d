// What ns4 understands on its command line; wrong combinations are told all at once.
import { InvalidArgumentError } from 'commander';
import { UsageError } from '../../shared/ground/errors.ts';
import { type CommonOptions, command } from '../../shared/process/frame.ts';
import type { AgentAction } from '../fencing/agent.ts';
import { builtIn } from '../fencing/plan.ts';
import { waivableGates } from '../recovery/gates.ts';

export interface Ns4Options extends CommonOptions {
  readonly deadHypervisor?: string;
  readonly spareHypervisor?: string;
  /** Gates that the operator waives. */
  readonly despite?: readonly string[];
  readonly alone?: boolean;
  /** The word that whatever answers at its instances' addresses is not on the dead hypervisor. */
  readonly guestsAreElsewhere?: boolean;
  readonly resetCooldown?: boolean;
  readonly confirmFenced?: string;
  readonly trustDevices?: string;
  readonly copiesGone?: string;
  readonly fence?: string;
  readonly action?: AgentAction;
  /** By its number, or by the name of the one that is built in. */
  readonly level?: number | typeof builtIn;
  readonly yes?: boolean;
  /** True: of all hypervisors. */
  readonly senses?: string | true;
  readonly json?: boolean;
  /** Where a new key is to be written. */
  readonly makeKey?: string;
}

const actions: readonly AgentAction[] = ['status', 'off', 'on'];

/** Reads the command line; throws UsageError with every mistake that commander does not see. */
export function parseCommandLine(): Ns4Options {
  const options = command(
    'ns4',
    'Works for the monitor: inventory, scans, fencing, evacuations; or does one of them by hand.',
  )
    .option('-d, --dead-hypervisor <host>', 'have the monitor recover this hypervisor', host)
    .option('-s, --spare-hypervisor <host>', 'for -d: onto this spare (default: the monitor chooses)', host)
    .option('--despite <gates...>', `for -d: waive these gates (${waivableGates.join(', ')})`)
    .option('--alone', 'for -d with -s: recover without a monitor, from here')
    .option(
      '--guests-are-elsewhere',
      'for -d: give your word that instances of it that answer do not run there',
    )
    .option('-r, --reset-cooldown', 'let the monitor forget the last recovery')
    .option('--confirm-fenced <host>', 'give your word, as proof, that this hypervisor is off', host)
    .option(
      '--trust-devices <host>',
      'give your word that the fence devices of this hypervisor are its own, after another machine fell silent',
      host,
    )
    .option(
      '--copies-gone <host>',
      'give your word that nothing of its moved instances runs on this recovered hypervisor',
      host,
    )
    .option('--fence <host>', 'try the fence levels of this hypervisor (with --action)', host)
    .option('--action <action>', `for --fence: ${actions.join(', ')}`, action)
    .option('--level <n>', 'for --fence: only this level, or ceph', level)
    .option(
      '--yes',
      'for --confirm-fenced, --trust-devices, --copies-gone, --fence, --guests-are-elsewhere: do not ask',
    )
    .option('--senses [host]', 'show what each sense says now of every hypervisor, or of this one')
    .option('--json', 'for --senses: as JSON')
    .option('--make-key <file>', 'write a new key for [REDIS] key_file')
    .exitOverride()
    .parse()
    .opts<Ns4Options>();
  const mistakes = mistakesIn(options);
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return options;
}

function mistakesIn(options: Ns4Options): string[] {
  const { deadHypervisor, spareHypervisor, resetCooldown, confirmFenced, copiesGone, fence } = options;
  const despite = options.despite ?? [];
  const unknown = despite.filter((name) => !waivableGates.includes(name));
  const commands = [
    ...(deadHypervisor !== undefined ? ['-d'] : []),
    ...(resetCooldown ? ['-r'] : []),
    ...(confirmFenced !== undefined ? ['--confirm-fenced'] : []),
    ...(options.trustDevices !== undefined ? ['--trust-devices'] : []),
    ...(copiesGone !== undefined ? ['--copies-gone'] : []),
    ...(fence !== undefined ? ['--fence'] : []),
    ...(options.senses !== undefined ? ['--senses'] : []),
    ...(options.makeKey !== undefined ? ['--make-key'] : []),
    ...(options.check ? ['--check'] : []),
  ];
  const alone = commands.length > 1 && !resetCooldown;
  return [
    ...(deadHypervisor === undefined &&
    (spareHypervisor !== undefined || despite.length > 0 || options.alone || options.guestsAreElsewhere)
      ? ['-s, --despite, --alone and --guests-are-elsewhere go with -d: expected the dead hypervisor']
      : []),
    ...(options.alone && spareHypervisor === undefined
      ? ['--alone: expected -s with it, as nobody else chooses the spare']
      : []),
    ...(unknown.length > 0
      ? [`--despite: found ${unknown.join(', ')}, expected ${waivableGates.join(', ')}`]
      : []),
    ...(deadHypervisor !== undefined && deadHypervisor === spareHypervisor
      ? [`-d and -s both name ${deadHypervisor}: expected two hypervisors`]
      : []),
    ...(resetCooldown && commands.length > 1 ? ['-r goes alone: it only resets the cooldown'] : []),
    ...(alone ? [`${commands.join(' and ')} do not go together: expected one of them`] : []),
    ...(fence !== undefined && options.action === undefined
      ? [`--fence: expected --action ${actions.join('|')} with it`]
      : []),
    ...(fence === undefined && (options.action !== undefined || options.level !== undefined)
      ? ['--action and --level go with --fence']
      : []),
    ...(options.json && options.senses === undefined ? ['--json goes with --senses'] : []),
    ...(options.yes && !isAsked(options)
      ? [
          '--yes goes with --confirm-fenced, --trust-devices, --copies-gone, --fence or --guests-are-elsewhere',
        ]
      : []),
  ];
}

/** Does it do what a name has to be typed for? */
const isAsked = ({ confirmFenced, trustDevices, copiesGone, fence, guestsAreElsewhere }: Ns4Options) =>
  confirmFenced !== undefined ||
  trustDevices !== undefined ||
  copiesGone !== undefined ||
  fence !== undefined ||
  guestsAreElsewhere === true;

function host(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('expected the name of a hypervisor');
  return value.trim();
}

function action(value: string): AgentAction {
  const found = actions.find((one) => one === value);
  if (found === undefined) throw new InvalidArgumentError(`expected ${actions.join(', ')}`);
  return found;
}

function level(value: string): number | typeof builtIn {
  if (value === builtIn) return builtIn;
  if (!/^[1-9]$/.test(value))
    throw new InvalidArgumentError(`expected the number of a level, from 1, or ${builtIn}`);
  return Number(value);
}
