// Faults have sentences: a scenario says them to make them happen, and they are told when they do. A sentence is a
// template: {host} stands for a word, {dead|deaf} for one of these, {lines...} for several words, and what is in
// [brackets] may be left out by who says it.

/** Something that may go wrong in a scene (a world, or a whole history), and its end, if it has one. */
export interface Fault<Scene> {
  readonly says: string;
  /** Makes it happen. False: nothing is to be told, as nothing changed or somebody else tells of it. */
  readonly begin: (scene: Scene, ...words: string[]) => unknown;
  readonly ends?: string;
  readonly end?: (scene: Scene, ...words: string[]) => unknown;
}

/** Whoever hears of what happens in a scene. */
interface Told {
  readonly tell: (text: string) => void;
}

/** Lets a fault begin and tells of it; `words` stand for the places of its sentence. */
export function begin<S extends Told>(scene: S, fault: Fault<S>, ...words: string[]): void {
  if (fault.begin(scene, ...words) !== false) scene.tell(fill(fault.says, words));
}

/** Lets a fault end and tells of it. */
export function end<S extends Told>(scene: S, fault: Fault<S>, ...words: string[]): void {
  if (fault.end?.(scene, ...words) !== false) scene.tell(fill(fault.ends ?? '', words));
}

/** What makes happen what a sentence says; false when none of these faults is said so. */
export function scriptOf<S extends Told>(
  faults: Readonly<Record<string, Fault<S>>>,
): (scene: S, sentence: string) => boolean {
  const lines: { readonly pattern: RegExp; run(scene: S, words: readonly string[]): void }[] = [];
  for (const fault of Object.values(faults)) {
    lines.push({ pattern: patternOf(fault.says), run: (scene, words) => begin(scene, fault, ...words) });
    if (fault.ends !== undefined)
      lines.push({ pattern: patternOf(fault.ends), run: (scene, words) => end(scene, fault, ...words) });
  }
  return (scene, sentence) => {
    for (const { pattern, run } of lines) {
      const words = pattern.exec(sentence)?.slice(1);
      if (words === undefined) continue;
      run(
        scene,
        words.filter((word) => word !== undefined),
      );
      return true;
    }
    return false;
  };
}

const place = /\{([^}]+)\}/g;

function patternOf(template: string): RegExp {
  const literal = template.replaceAll(/[.*+?^$()\\]/g, '\\$&').replaceAll(/\[([^\]]*)\]/g, '(?:$1)?');
  const pattern = literal.replaceAll(place, (_, name: string) =>
    name.includes('|') ? `(${name})` : name.endsWith('\\.\\.\\.') ? '(.+)' : '(\\S+)',
  );
  return new RegExp(`^${pattern}$`);
}

/** The sentence with its words. What may be left out is told, unless a word of it is missing. */
function fill(template: string, words: readonly string[]): string {
  const left = [...words];
  const filled = (text: string): string => text.replaceAll(place, () => left.shift() ?? '');
  return template.replaceAll(/\[([^\]]*)\]|\{[^}]+\}/g, (part: string, optional?: string) => {
    if (optional === undefined) return filled(part);
    return (optional.match(place)?.length ?? 0) > left.length ? '' : filled(optional);
  });
}
