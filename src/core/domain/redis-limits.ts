/** The bounds of what goes over Redis, each with its reason; part of `limits`. */
export const redisLimits = {
  /** Delay before a lost Redis connection is tried again: full jitter between these, so that many clients do not return at once. */
  redisRetryMinMs: 25,
  redisRetryMaxMs: 5_000,
  /** A Redis connection that lived this long starts again from the shortest delay; a flapping one does not. */
  redisStableMs: 1_000,
  /** Nodes of a cluster that are asked who owns a slot, all at once: enough that one of them lives. */
  redisNodesAsked: 8,
  /** Engines that one market is split over: on a cluster a writer has a connection to each one's stream. */
  partitions: 256,
  /** Entries that a writer leaves in an input stream: twice what the reading engine's own trimming leaves. */
  inputStreamWritten: 2_000_000,
  /** Writes of a producer under way to Redis; more are handed back at once rather than kept without end. */
  streamWrites: 1_024,
  /** TCP connect to Redis. */
  redisConnectMs: 2_000,
  /** Silence on a Redis socket with a command under way, before the socket is cut (3 s on the blocking reader). */
  redisSilenceMs: 2_000,
  redisReaderSilenceMs: 3_000,
  /** PING period on idle connections, and how many may go unanswered in a row (each waits `storeMs`): 1 + 3 · 0.5 s < 3 s. */
  redisPingMs: 1_000,
  redisPingMisses: 3,
  /** A closing Redis socket whose peer says nothing is destroyed after this. */
  redisDisconnectMs: 200,
  /** Different reasons of one outage that are logged, each once. */
  redisReasonsLogged: 4,
  /** How often a log that others append to is looked at, in ms: what one process changes, all others know soon. */
  logFollowMs: 200,
  /** Whoever speaks for an engine says so this often; unheard for the second, another takes over: well within 3 s, in ms. */
  leaseBeatMs: 500,
  leaseMs: 2_000,
  /** A standby looks this often whether the lease is free, in ms. */
  leasePollMs: 250,
  /** A process of an engine that was not heard of for this long is gone, in ms. */
  memberMs: 10_000,
  /** Signals of a standby kept for a takeover, and for how long, in ms: longer than it takes to notice a death. */
  unspokenSignals: 1_000,
  unspokenMs: 5_000,
  /**
   * After a restart of Redis nothing is added to the log until every process that lived has put back what it knows; one that
   * takes longer than its own restart may is not waited for, in ms. Pause between two looks.
   */
  settleMs: 15_000,
  settlePollMs: 50,
  /** Bytes of a snapshot sent to Redis, or read from it, in one call: about a millisecond of its time. */
  redisBlockBytes: 524_288,
  /** Signals published in one script call: about 1 ms of Redis' time. */
  signalsPerPublish: 256,
  /** Signals waiting while Redis is away; past it the oldest is shed and counted. */
  signalsWaiting: 1_000,
  /** A signal without `valid_until` waits at most this long: catching up never sends old orders. */
  signalWaitMs: 5_000,
  /** Signal ids remembered in Redis, so that none is published twice (144 bytes each). */
  signalIds: 100_000,
  /** Entries kept in the stream of signals, and in the stream of dead letters. */
  signalStreamEntries: 10_000,
  rejectedStreamEntries: 1_000,
  /** Dead letters under way to Redis, past which more are dropped and counted, and those looked at in one call. */
  rejectsInFlight: 64,
  deadLetterPage: 100,
  /** Entries of an input stream that trimming leaves, for a cold replacement to read, and pause between two trims, in ms. */
  inputStreamEntries: 1_000_000,
  streamTrimMs: 10_000,
  /** Entries of a stream read at once, at most and at first, and bytes of them wanted: one may hold megabytes. */
  streamReadEntries: 1_000,
  streamReadFirst: 16,
  streamReadBytes: 4 * 1_048_576,
  /** Longest wait in one read, and span of the entries that are one batch, whose age is told to as much, in ms. */
  streamBlockMs: 1_000,
  streamBatchMs: 100,
  /** Entries taken and not acknowledged, past which reading waits, and those acknowledged or claimed in one call. */
  streamUnacknowledged: 10_000,
  streamAcks: 500,
  /** Pause between two looks at how far what was taken is stored, and between two of how far behind it is, in ms. */
  streamAckMs: 20,
  streamLagEveryMs: 1_000,
  /** A reader whose next entry waits so many ms is degraded. */
  streamLagMs: 10_000,
} as const;
