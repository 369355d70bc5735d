// The time budgets that depend on each other, in one table. Change one only with its test, which says in words what
// must hold between them (test/unit/shared/ground/timings.test.ts). Limits that nothing else depends on stand where
// they are used.

/** All in milliseconds. */
export const timings = {
  /** Connections to Redis. */
  redis: {
    /** For a server to take a connection. */
    connectMs: 5_000,
    /**
     * No command waits longer for its answer. It may come when a lease or a lock has run out: each write asks for it
     * anew.
     */
    commandMs: 8_000,
    /**
     * A connection that owes an answer and says nothing for so long is dropped and made anew: behind its address may be
     * another server by now. Longer than a job queue waits for news in one command (10 s).
     */
    hangMs: 15_000,
    /** For a sentinel, or a server named by one, to answer: the machine that is gone usually had both. */
    sentinelMs: 2_000,
    /** For a command to find out, before it begins, whether Redis can be worked with. */
    probeMs: 5_000,
  },
  /** Which of several monitors leads. */
  lease: {
    /** Without renewal the leader is taken for lost after this, by the clock of Redis. */
    lifeMs: 6_000,
    renewMs: 2_000,
    /** How often one that stands by tries to take it. */
    pollMs: 1_000,
  },
  /** Which worker works at the recovery of a host: whose lock it is. */
  recoveryLock: {
    /** Without renewal its worker is taken for dead after this. */
    lifeMs: 8_000,
    renewMs: 2_000,
    /** One that is held for longer than this is held by a living worker. */
    waitMs: 12_000,
    /** A confirmation that was asked for longer ago than this is asked for again before a dangerous step. */
    freshMs: 1_500,
  },
  /** Jobs in BullMQ. */
  job: {
    /**
     * A worker that does not renew the lock on its job for this long is taken for dead. BullMQ renews after half of it.
     */
    lockMs: 5_000,
    /** How often the other workers look for such jobs. */
    stalledCheckMs: 2_000,
    /** For handlers to hand back what they have, and for Redis to be told. */
    closeMs: 5_000,
  },
  /** An ns4 that says it is there to look. */
  vantagePoint: {
    lifeMs: 6_000,
    renewMs: 2_000,
    /** To say that it goes. */
    leaveMs: 1_000,
  },
  /** A request to evacuate an instance. */
  evacuation: {
    /** Without an answer by then it is given up, and one that did not leave by then never does. */
    requestMs: 30_000,
    /** The HTTP client's own limit for the same request. */
    clientMs: 60_000,
    /** One whose answer was lost is taken for never received after so long without a trace in Nova. */
    lostMs: 120_000,
  },
  /** What is promised to operators. */
  promise: {
    /** A process ends within this after SIGTERM, a command whatever is wrong with Redis. */
    endMs: 10_000,
    /** A leader that was killed, frozen or cut off is followed within this. */
    leaderFollowedMs: 12_000,
    /** A recovery whose worker is lost is continued within this. */
    recoveryContinuedMs: 15_000,
  },
} as const;
