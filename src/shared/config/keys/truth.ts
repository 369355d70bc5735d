// The words for true and false, the same in config.ini and clouds.yaml.
const words: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

/** True or false, in any case; null for anything else. */
export const parseTruth = (text: string): boolean | null => words.get(text.toLowerCase()) ?? null;
