// The files that say which Ceph is asked, and as whom: ceph.conf, and the keyring that [CEPH] or ceph.conf names. Whoever
// can write them has other disks asked; whoever reads the key can cut off hosts. What is judged here is what is used.
import { type GuardedText, readGuarded, readSecretly } from '../../shared/config/guarded-file.ts';
import type { CephSettings } from '../../shared/config/settings.ts';
import { UsageError } from '../../shared/ground/errors.ts';
import type { Secrets } from '../../shared/masks/secrets.ts';

/** Where Ceph looks where ceph.conf does not say. */
const defaultKeyring =
  '/etc/ceph/$cluster.$name.keyring,/etc/ceph/$cluster.keyring,/etc/ceph/keyring,/etc/ceph/keyring.bin';
/** As Ceph splits a list of paths. */
const betweenPaths = /[;,=\s]/;

/**
 * The settings with the keyring that counts; its keys are learned. A keyring that is nowhere stays null: Ceph may want none.
 * `file` is config.ini. @throws UsageError with what is wrong with each file
 */
export function readCephFiles(
  file: string,
  settings: CephSettings,
  secrets: Pick<Secrets, 'learn'>,
): CephSettings {
  const mistakes: string[] = [];
  const wrong = (key: string, path: string, problem: string) => {
    mistakes.push(`${file}: [CEPH] ${key}: ${path}: ${problem}`);
    return null;
  };
  const learnKeys = (text: string) =>
    secrets.learn(linesOf(text).flatMap(({ key, value }) => (key === 'key' ? [value] : [])));
  const conf = readSecretly(settings.conf, (text) => linesOf(text).some(({ key }) => key === 'key'));
  if ('problem' in conf) wrong('conf', settings.conf, conf.problem);
  else learnKeys(conf.text);
  const said = 'text' in conf ? saidIn(conf.text, settings.user) : new Map<string, string>();
  /** The first one that is there. */
  const first = (paths: readonly string[]): { path: string; read: GuardedText } | null => {
    for (const path of paths) {
      const read = readGuarded(path, { secret: 'refuse' });
      if ('text' in read) return { path, read };
      if (!read.missing || settings.keyring !== null) return wrong('keyring', path, read.problem);
    }
    return null;
  };
  const keyring = first(
    settings.keyring === null
      ? pathsIn(said.get('keyring') ?? defaultKeyring, settings.user)
      : [settings.keyring],
  );
  if (keyring !== null) learnKeys(keyring.read.text);
  // A key alone, without anything around it.
  const keyFile = settings.keyring === null ? first(pathsIn(said.get('keyfile') ?? '', settings.user)) : null;
  if (keyFile !== null) secrets.learn([keyFile.read.text]);
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return { ...settings, keyring: settings.keyring ?? keyring?.path ?? null };
}

interface Line {
  readonly section: string;
  /** "log file", "log-file" and "log_file" are one. */
  readonly key: string;
  readonly value: string;
}

/** Of ceph.conf and of a keyring alike. */
function linesOf(text: string): Line[] {
  let section = '';
  return text.split('\n').flatMap((raw) => {
    const line = raw.trim();
    if (line.startsWith('[') && line.includes(']')) section = line.slice(1, line.indexOf(']')).trim();
    const at = line.indexOf('=');
    if (at < 1 || /^[[#;]/.test(line)) return [];
    const key = line.slice(0, at).trim().replaceAll(/[ -]/g, '_').toLowerCase();
    return [{ section, key, value: unquoted(withoutNote(line.slice(at + 1))) }];
  });
}

/** Notes begin with ";" or "#" behind a blank, or at once. */
function withoutNote(value: string): string {
  const at = value.search(/(?<=^|\s)[;#]/);
  return (at < 0 ? value : value.slice(0, at)).trim();
}

const unquoted = (value: string): string =>
  value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;

/** What counts for this user: its own section over that of all clients, and that over [global]. */
function saidIn(conf: string, user: string): Map<string, string> {
  const lines = linesOf(conf);
  return new Map(
    ['global', 'client', `client.${user}`].flatMap((name) =>
      lines.filter(({ section }) => section === name).map(({ key, value }) => [key, value] as const),
    ),
  );
}

function pathsIn(text: string, user: string): string[] {
  const variables = { cluster: 'ceph', type: 'client', id: user, name: `client.${user}` };
  const filled = Object.entries(variables).reduce(
    (path, [name, value]) => path.replaceAll(`\${${name}}`, value).replaceAll(`$${name}`, value),
    text,
  );
  return filled.split(betweenPaths).filter((path) => path !== '');
}
