/** What the next calls of a store meet. `die` ends the process inside the call. */
export interface Faults {
  log: 'none' | 'refuse' | 'timeout_lost' | 'timeout_written' | 'die_before' | 'die_after';
  snapshots: 'none' | 'refuse' | 'die_before' | 'die_after';
  tape: 'none' | 'full';
}

/** Bugs to be planted in the stores, to see that a simulation bites. */
export type Bug =
  | 'skips an event when read again'
  | 'forgets ids'
  | 'acknowledges before it is flushed'
  | 'keeps an old chunk of a symbol'
  | 'loses a record of the tape'
  | 'loses the marks of the log'
  | 'repeats a record of the tape';
