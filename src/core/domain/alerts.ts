/** The catalogue of alerts: what an operator may be told, and what it means. */

/** Alerts that are not simply a component's state. */
export const alertCodes = {
  gap: 'market data was, or may have been, lost; the message says for how long and why',
  clock_step: 'the calendar of this machine was set by a second or more',
  snapshot_refused: 'a damaged snapshot was passed over at the start; an older one and the replay gave the same state',
  tape_lost: 'the tape ends before the snapshot; the market between is not replayed after another crash',
  volatile_store: 'what Redis acknowledges does not survive its own end, or may be evicted',
  store_put_back: 'Redis came back without events that it had acknowledged; this process wrote them again',
  store_lost: 'events that were acknowledged are not in Redis any more, and others have their place',
  durable_store: 'Redis was set so that it keeps what it acknowledges',
  tape_foreign:
    'the market goes on from a snapshot of another process; what came since is missing here, but for streams',
  took_over: 'this process leads the engine now, and speaks for it',
  stood_down: 'another process leads the engine, or may; this one follows and keeps silent',
  flapping: 'a component changes to and fro; it is told again when it stays as it is',
} as const;

export type AlertCode = keyof typeof alertCodes;

/**
 * Components, and the states of theirs that are told: as `<component>_down`, `<component>_degraded`, and `<component>_up`
 * when it is over. Those without one only have words.
 */
export const alertComponents: Readonly<Record<string, readonly ('down' | 'degraded')[]>> = {
  /** The log of what must never be lost. */
  store: ['down', 'degraded'],
  /** The market as it was seen, for the replay after a crash. */
  tape: ['down', 'degraded'],
  /** What a restart begins with. */
  snapshots: ['degraded'],
  /** Messages that wait for evaluation. */
  intake: ['degraded'],
  /** Stored parameters that no longer fit. */
  strategies: ['degraded'],
  /** Whether Redis keeps what it acknowledges. */
  durability: [],
  /** Which process leads an engine that several keep. */
  lease: [],
  /** A door through which market data comes. */
  'input:*': ['down', 'degraded'],
  /** Where signals go. */
  'output:*': ['down', 'degraded'],
};
