import { redisLimits } from './redis-limits';

/**
 * Every bound of the engine in one scroll, each with its reason (those of Redis in `redis-limits.ts`). A queue, map, batch, retry or deadline that is not
 * bounded here does not exist.
 */
export const limits = {
  ...redisLimits,
  /** Levels of a strategy's state (family → member → indicator → window is 4): recursion stays bounded. */
  stateDepth: 8,
  /** Strategy types an engine knows, the user's own included: the list of types is answered whole. */
  strategyTypes: 1_000,
  /** Symbols an engine follows at once; past it the one unheard for longest is evicted and counted. */
  symbols: 10_000,
  /** Strategies registered and not archived. One strategy costs state per symbol, so the product is what is bounded. */
  strategies: 1_000,
  /** Ticks in one request, counted before any of them is validated. */
  ticksPerRequest: 10_000,
  /** Ticks evaluated in one go: about 5 ms of work, so timers and sockets are served between two batches. */
  ticksPerBatch: 1_000,
  /** Bytes of a request body by default, and the most that can be configured. */
  bodyBytes: 1_048_576,
  bodyBytesMax: 5 * 1_048_576,
  /** Nesting of JSON, checked on the text: deeper input overflows the stack of cloneMessage and JSON.stringify. */
  jsonDepth: 32,
  /** Problems listed in one error body; the rest are only counted. */
  errorDetails: 20,
  /** Characters of a received value repeated in an error. */
  receivedChars: 100,
  /** Characters of a symbol. */
  symbolChars: 32,
  /** A page of a list. */
  pageDefault: 100,
  pageMax: 1_000,
  /** Execution ids remembered per engine (about 100 MB at the most). */
  executionIds: 1_000_000,
  /**
   * Executions the performance ledger keeps as rows over all strategies (about 20 MB); older ones become sums per half
   * day, and totals stay exact.
   */
  ledgerRows: 100_000,
  /** Such sums kept (per half day, version, symbol and regime); the oldest go first. */
  ledgerCells: 100_000,
  /** Adaptations listed and revertible; older ones stand in the log. */
  adaptations: 10_000,
  /** Points of an equity curve: more than a screen has pixels to show. */
  curvePoints: 1_000,
  /** The answer to every request, in ms. */
  requestMs: 5_000,
  /** What a call to the store may take before it is answered with TimeoutError, in ms. */
  storeMs: 500,
  /** Events written to the log in one call. */
  eventsPerAppend: 64,
  /** Events of other processes that come with the answer to an append, and wait to be folded. */
  eventsAhead: 256,
  /** Records of the tape that are replayed before the loop has a turn, where an engine is at work meanwhile. */
  recordsPerTurn: 16,
  /** A state that could not be made anew from what a store has kept is tried again after this, in ms. */
  anewRetryMs: 1_000,
  /** Notes of processes that have settled on a Redis, before those of processes that live no more are dropped. */
  settledNotes: 1_000,
  /** Events that a process remembers, to put them back into a store that comes back without them (about 4 MB). */
  eventsRecalled: 4_096,
  /** Appends waiting for their group; more are refused with ConnectionError rather than queued without end. */
  appendsWaiting: 4_096,
  /** Batches whose results are kept, so that several nodes behind one source read one evaluation. */
  batchResults: 256,
  /** Ticks waiting at the intake before they are conflated into partial bars. */
  intakeTicks: 20_000,
  /** Decisions kept per strategy (what is not "hold", and changes of reason). */
  decisionsPerStrategy: 1_000,
  /** Alerts kept. */
  alerts: 256,
  /** The same alert again within this time only counts, and is told once more at its end, in ms: a phone rings once a minute. */
  alertWindowMs: 60_000,
  /** Troubles of one kind that a component may have within that time; with the next it flaps. */
  alertFlaps: 2,
  /** Different alerts (code and component) whose repetitions are counted at once; past it the oldest counts no further. */
  alertWindows: 256,
  /** Closed bars remembered per symbol and timeframe, so a strategy registered now is warm at once. */
  barHistoryMin: 64,
  barHistoryMax: 1_024,
  /** Ticks held for reordering per symbol; past it the oldest are released as they are. */
  reorderTicks: 4_096,
  /** Ticks held back as off-market per symbol. */
  heldTicks: 64,
  /** Ticks of a symbol before its off-market band judges: fewer tell nothing of how it moves. */
  bandWarmupTicks: 50,
  /** Further ticks that must agree with an off-market level before it is the market's. */
  heldAgreeing: 3,
  /** Items remembered per symbol to tell duplicates: at least, and at most (40 bytes each) while they could still come. */
  duplicatesMin: 128,
  duplicatesMax: 4_096,
  /** An id is remembered for at least this span of event time, in ms: retries of a sender come within it. */
  duplicateIdMs: 10_000,
  /** Feeds of one symbol; past it the one unheard for longest is forgotten. */
  sourcesPerSymbol: 16,
  /** A feed this far behind the fastest of its symbol is not waited for, in ms of event time. */
  sourceIdleMs: 10_000,
  /** Bars from outside remembered by their open, per symbol and timeframe, to tell a repetition from a late one. */
  outsideBarsRemembered: 64,
  /** Bars from outside that wait for an earlier one, per symbol and timeframe. */
  outsideBarsWaiting: 64,
  /** Sources whose `seq` is followed; what is beyond is counted. */
  sequenceSources: 1_024,
  /** A `seq` further back than this is a counter that started again, not a message that came late. */
  sequenceBack: 4_096,
  /** Allowed lateness of live doors (pub/sub, HTTP, wires), in ms; files and streams are in order. */
  latenessLiveMs: 2_000,
  /** A live tick may be stamped this far ahead of its arrival, in ms. */
  futureMs: 300_000,
  /** |money| in units of the currency: 9·10¹⁰ · 10⁸ fits a signed 64-bit integer. */
  money: 9e10,
  /** Earliest and latest event time: 1970-01-02 to 2100-01-01. */
  eventTimeMinMs: 86_400_000,
  eventTimeMaxMs: 4_102_444_800_000,
  /** Bytes of one tape segment, and of the whole tape. */
  tapeSegmentBytes: 64 * 1_048_576,
  tapeBytes: 2_048 * 1_048_576,
  /** Age of a tape segment before it may be dropped, in ms (7 days). */
  tapeAgeMs: 7 * 86_400_000,
  /** A calendar that moves this far against the monotonic clock was set: that is told. Slewing by a time server is not. */
  clockStepMs: 1_000,
  /** After such a step no time is told to quiet symbols until each that is heard has had a tick to disagree. */
  clockStepHoldMs: 60_000,
  /** A heartbeat this late says that the loop stood still: what the sockets hold is read before time is told. */
  beatLateMs: 500,
  /** A snapshot is due after this time, or earlier after so many ticks that replaying them would take about a second. */
  snapshotMs: 5_000,
  snapshotTicks: 500_000,
  /** The ledger, up to tens of MB, goes into a snapshot this often; what came since is folded again from the log. */
  ledgerSnapshotMs: 60_000,
  /** Complete snapshots kept: a corrupt one falls back to the one before. */
  snapshotsKept: 2,
  /** A write to disk slower than this is a stalled disk, in ms. */
  diskStallMs: 2_000,
  /**
   * Records before a stop whose signals are handed out once more: what waited inside of Node-RED then, a message or two
   * per record and strategy, is lost with the process.
   */
  retoldRecords: 16,
  /** Who begins to listen this long after the start is still handed what the last life may not have told, in ms. */
  retellMs: 10_000,
  /** Closing takes at most this, in ms. */
  closeMs: 2_000,
  /** Feeds that can be read again whose last row is remembered; past it the one unused for longest starts over. */
  feeds: 10_000,
  /** Characters of a raw message kept as a dead letter. */
  deadLetterChars: 4_096,
  /** Symbols of a simulated market: the next tick is searched among all of them. */
  simulatedSymbols: 100,
  /** Bytes of a market file read at once: about a thousand rows, so the loop is served between two reads. */
  fileChunkBytes: 65_536,
  /** Characters of a market file from which its format is recognised, and rows of them looked at. */
  fileHeadChars: 262_144,
  fileHeadRows: 1_000,
  /** Characters of one row of a market file; a longer one is not market data. */
  fileRecordChars: 65_536,
  /** Bytes at each end of a market file that its identity is hashed from. */
  fileHashBytes: 65_536,
  /** Characters of an id that somebody else made (of a trade, an execution, an event), and of a name. */
  idChars: 128,
  sourceChars: 64,
  nameChars: 100,
  /** Characters of a number written as text: a double never needs more. */
  numberChars: 64,
  /** Characters of a request id that is taken over from the caller. */
  requestIdChars: 64,
  /** Headers and body of a request must be here after this; with the time to answer it stays below `requestMs`. */
  httpReceiveMs: 4_000,
  /** What is kept of `requestMs` for sending the answer. */
  httpMarginMs: 100,
  /** How often overdue requests are looked for. */
  httpSweepMs: 250,
  /** Open sockets of one HTTP server: above the thousand idle ones that must not disturb it. */
  httpConnections: 2_048,
  /** An idle kept-alive socket is closed after this. */
  httpKeepAliveMs: 30_000,
  /** Bytes of an overlong body that are read and thrown away, so that its sender gets to read the 413. */
  httpDiscardBytes: 16 * 1_048_576,
  /** Callers (token or address) whose rate is remembered; past it the one unheard for longest starts anew. */
  rateKeys: 10_000,
  /** Requests per caller and second beyond loopback. */
  ratePerS: 100,
  /** Different labels of one metric; further ones are counted as `other`. */
  metricLabels: 64,
  /** Batches a node has sent and the engine not stored, past which it reads no further, and says so after that many ms. */
  nodeBatchesOpen: 64,
  nodeUntakenMs: 5_000,
  /** The owner of an embedded store touches its lock this often, and an owner in another pid namespace is dead after the second, in ms. */
  lockBeatMs: 2_000,
  lockStaleMs: 6_000,
  /** Pause between two background syncs of the tape: what a power cut can cost, in ms. */
  tapeSyncMs: 100,
  /** A tape that could not write tries again after this, in ms. */
  tapeRetryMs: 1_000,
  /** Bytes of one tape record: a full request with every optional field; longer is a damaged length. */
  tapeRecordBytes: 32 * 1_048_576,
  /** Bytes of a tape segment read in one go. */
  tapeReadBytes: 1_048_576,
  /** (symbol, source, timeframe) triples in one tape segment; past it a new segment starts with an empty table. */
  tapeSeries: 65_536,
  /** Full segments whose last sync is still to come; more are shed rather than left to an unanswering disk. */
  tapeRetiring: 64,
  /** Positions skipped when a tail may have been lost: more than can be written between two syncs, so none repeats. */
  tapeJump: 1_000_000,
  /** Items held by a tape in memory (about 30 MB); the oldest batches go first. */
  tapeMemoryItems: 200_000,
  /** A snapshot that takes longer is given up by its caller, in ms. */
  snapshotSaveMs: 30_000,
  /** Bytes written in one go of a snapshot, so that no slice holds the loop. */
  snapshotBlockBytes: 1_048_576,
  /** Files a snapshot set may refer to; past it the emptiest are rewritten. */
  snapshotFiles: 64,
  /** Bytes of a snapshot in one line of a backup, and the longest line: the largest event is below it many times. */
  backupBlockBytes: 786_432,
  backupLineBytes: 16 * 1_048_576,
  /** Events read in one go when a store is checked, copied or restored: a few ms of work. */
  eventsPerPage: 1_000,
  /** A check that takes longer than this tells how far it is, then this often, in ms. */
  progressMs: 2_000,
  /** Characters of one logged value, and levels of nesting shown. */
  logValueChars: 2_000,
  logDepth: 6,
  /** Messages of one node that wait for the engine; more are refused rather than kept without end. */
  nodeMessages: 1_000,
  /** An engine or server that no node uses lives this long, so that a redeploy finds it running, in ms. */
  deployGraceMs: 5_000,
  /** Engines, and servers, in one Node-RED process. */
  sharedEngines: 64,
  /** Pause between two statuses of a node (every one goes to every editor), in ms, and their length. */
  statusMs: 500,
  statusChars: 20,
  /** A node that could not reach its engine, or take its port, tries again after this, doubling up to the second, in ms. */
  nodeRetryMs: 1_000,
  nodeRetryMaxMs: 10_000,
  /** Longest wait until a batch of ticks from a channel leaves a node, in ms. */
  nodeBatchMs: 50,
  /** Points of a chart that a node sends at once. */
  chartPoints: 200,
  /** (strategy, symbol) pairs whose last decision a node remembers, to send only changes of reason. */
  nodeDecisions: 10_000,
  /** Runs of one file or simulated market that a replay tells apart. */
  replayRuns: 1_000,
  /** Ticks of a simulated market that are made only to be left out (about half a second of work). */
  replaySkipTicks: 1_000_000,
  /** How long a node shows a gap before it is green again, in ms. */
  gapShownMs: 10_000,
} as const;
