// Whose agent is it? Neutron may name a host otherwise than Nova: in another case, by its full name or its short one.
// Only what is unambiguous is matched; the rest is told. Pure.

/** A hypervisor as Nova names it. */
export interface NamedHost {
  /** Service host. */
  readonly host: string;
  /** hypervisor_hostname. */
  readonly name: string;
}

export interface MatchedHosts {
  /** Neutron's name -> service host. */
  readonly hostOf: ReadonlyMap<string, string>;
  /** Names that more than one hypervisor may go by, or that are one of several for a hypervisor. */
  readonly ambiguous: readonly string[];
  /** Names of no hypervisor: network nodes and controllers have agents, too. */
  readonly unmatched: readonly string[];
}

/** Sure are the service host and the hypervisor's own name; then short against full where only one pair fits. */
export function matchHosts(stated: readonly string[], hosts: readonly NamedHost[]): MatchedHosts {
  const hostOf = new Map<string, string>();
  const ambiguous: string[] = [];
  const unmatched: string[] = [];
  const names = [...new Set(stated)].sort();
  for (const name of names) {
    const sure = only(
      hosts.filter((h) => h.host === name),
      hosts.filter((h) => isSame(h.host, name)),
      hosts.filter((h) => isSame(h.name, name)),
    );
    if (sure !== null) hostOf.set(name, sure.host);
  }
  const taken = new Set(hostOf.values());
  const loose = new Map<string, string[]>();
  for (const name of names.filter((n) => !hostOf.has(n))) {
    const fitting = hosts.filter((h) => isShortOf(h.host, name) || isShortOf(h.name, name));
    const [only, ...more] = fitting;
    if (only === undefined) unmatched.push(name);
    else if (more.length > 0 || taken.has(only.host)) ambiguous.push(name);
    else loose.set(only.host, [...(loose.get(only.host) ?? []), name]);
  }
  for (const [host, [name, ...more]] of loose) {
    if (name !== undefined && more.length === 0) hostOf.set(name, host);
    else ambiguous.push(...[name ?? [], more].flat());
  }
  return { hostOf, ambiguous: ambiguous.sort(), unmatched };
}

/** The only member of the first of `sets` that has any; null when it has several, or none has any. */
function only<T>(...sets: readonly T[][]): T | null {
  const [first] = sets.filter((set) => set.length > 0);
  return first?.length === 1 ? (first[0] ?? null) : null;
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Is one of them the first label of the other? Two full names of different domains are different machines. */
function isShortOf(a: string, b: string): boolean {
  const [short, full] = [a.toLowerCase(), b.toLowerCase()].sort((x, y) => x.length - y.length);
  return short !== undefined && full !== undefined && !short.includes('.') && full.startsWith(`${short}.`);
}
