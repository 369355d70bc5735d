// A log for processes of the simulation: what matters is said in events, everything else would only cost time.
import type { Log } from '../../../src/shared/ground/log.ts';

const nothing = (): void => {};
export const silentLog = {
  ...{ trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing },
} as unknown as Log;
