/** The catalogue of alerts: what an operator may be told, and what it means. */

/** Alerts that are not simply a component's state. */
export const alertCodes = {
  gap: 'market data was, or may have been, lost; the message says for how long and why',
  clock_step: 'the calendar of this machine was set by a second or more',
  snapshot_refused: 'a damaged snapshot was passed over at the start; an older one and the replay gave the same state',
  tape_lost: 'the tape ends before the snapshot; the market between is not replayed after another crash',
  volatile_store: 'what Redis acknowledges does not survive its own end, or may be evicted',
  durable_store: 'Redis was set so that it keeps what it acknowledges',
  tape_foreign:
    'the market goes on from a snapshot of another process; what came since is missing here, but for streams',
  took_over: 'this process leads the engine now, and speaks for it',
  stood_down: 'another process leads the engine, or may; this one follows and keeps silent',
  flapping: 'a component changes to and fro; it is told again when it stays as it is',
} as const;

export type AlertCode = keyof typeof alertCodes;

/** Components whose states are alerts `<component>_down`, `<component>_degraded` and, when it is over, `<component>_up`. */
export const alertComponents = {
  store: 'the log of what must never be lost',
  tape: 'the market as it was seen, for the replay after a crash',
  snapshots: 'what a restart begins with',
  intake: 'messages that wait for evaluation',
  durability: 'whether Redis keeps what it acknowledges, in words; never anything but up',
  lease: 'which process leads an engine that several keep; never anything but up',
  strategies: 'stored parameters that no longer fit',
  'input:*': 'a door through which market data comes',
  'output:*': 'where signals go',
} as const;
