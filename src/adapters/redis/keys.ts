/** The keys of one engine: all in one hash slot, so that one script can touch them, on a cluster too. */
export interface EngineKeys {
  /** Stream of events, entry ids `<seq>-0`. */
  readonly log: string;
  /** Names the log anew when one is put there from elsewhere; absent of one that grew here. */
  readonly logId: string;
  /** Hash: digest of an event's id to its seq and content. */
  readonly ids: string;
  /** Hash: aggregate to its version. */
  readonly versions: string;
  /** Hash: parts of the chunks of snapshots. */
  readonly chunks: string;
  /** Hash: generation to the manifest of a complete snapshot. */
  readonly sets: string;
  /** Who may speak for the engine, with its token; expires. */
  readonly lease: string;
  /** Counts leases: a later token is a larger number. */
  readonly fence: string;
  /** Sorted set: the processes of the engine by when they were last heard. */
  readonly members: string;
  /** Hash: the server, and how far each process is with putting back to it what it knows. */
  readonly settled: string;
  /** Sorted set: ids of the signals published last. */
  readonly signalIds: string;
  /** While it is there the engine is being split another way, and no process may open it. */
  readonly repartition: string;
  /** With the first engine of a market: over how many it is split. */
  readonly partitions: string;
}

export function keysOf(engineName: string): EngineKeys {
  return keysUnder(`strategy_engine:{${engineName}}`);
}

/** Where a restored engine lies until it is whole: in the same slot, so that one script can put it in its place. */
export function restoringKeysOf(engineName: string): EngineKeys {
  return keysUnder(`strategy_engine:{${engineName}}:restoring`);
}

function keysUnder(prefix: string): EngineKeys {
  const key = (name: string) => `${prefix}:${name}`;
  return {
    log: key('log'),
    logId: key('log_id'),
    ids: key('ids'),
    versions: key('versions'),
    chunks: key('chunks'),
    sets: key('sets'),
    lease: key('lease'),
    fence: key('fence'),
    members: key('members'),
    settled: key('settled'),
    signalIds: key('signal_ids'),
    repartition: key('repartition'),
    partitions: key('partitions'),
  };
}
