// How much goes wrong, as probabilities per call, job or request. Fair weather is all zeros.

export interface Weather {
  /** A process is killed around a call to Redis: half of them before it took effect, half after. */
  killAtRedis: number;
  /** A process stands still around a call to Redis. */
  freezeAtRedis: number;
  redisFails: number;
  /** Redis did it, and the answer is lost. */
  redisAnswerLost: number;
  redisSlow: number;
  /** After a save of the state Redis restarts within a second and forgets it. */
  rollsBackAfterSave: number;
  readFails: number;
  readSlow: number;
  /** A change is answered by a server error, and nothing was done. */
  changeFails: number;
  /** A proxy answers a change with a page of its own: half of these were carried out. */
  changeProxyPage: number;
  /** Too many requests, or the token ran out: refused for now. */
  changeNotNow: number;
  /** No connection: it certainly was not done. */
  changeNotSent: number;
  /** Done, but the answer is lost. */
  changeAnswerLost: number;
  /** The answer is lost, and the change is done up to 100 s later. */
  changeLate: number;
  /** A worker is killed around a change: half before it left, half after. */
  killAtChange: number;
  freezeAtChange: number;
  jobsLost: number;
  jobsFail: number;
  /** A second worker gets the job while the first one is still at it. */
  jobsDoubled: number;
  jobsSlow: number;
  /** The hint that a job finished does not arrive. */
  hintsLost: number;
  /** Nova gives up on a rebuild; it may be asked again. */
  rebuildFails: number;
  /** Nova never ends a rebuild. */
  rebuildSticks: number;
  /** The scanner runs out of descriptors, and the like. */
  ownTrouble: number;
  scanFails: number;
  /** For the time of one scan a vantage point does not see hosts, or guests, or anything. */
  eyeBlinks: number;
}

export const fairWeather: Weather = {
  killAtRedis: 0,
  freezeAtRedis: 0,
  redisFails: 0,
  redisAnswerLost: 0,
  redisSlow: 0,
  rollsBackAfterSave: 0,
  readFails: 0,
  readSlow: 0,
  changeFails: 0,
  changeProxyPage: 0,
  changeNotNow: 0,
  changeNotSent: 0,
  changeAnswerLost: 0,
  changeLate: 0,
  killAtChange: 0,
  freezeAtChange: 0,
  jobsLost: 0,
  jobsFail: 0,
  jobsDoubled: 0,
  jobsSlow: 0,
  hintsLost: 0,
  rebuildFails: 0,
  rebuildSticks: 0,
  ownTrouble: 0,
  scanFails: 0,
  eyeBlinks: 0,
};
