/** What a living engine is put together from; `compose.ts` fills it in. */
import type { CoreOptions } from '../core/create';
import type { MarketDataInput } from '../core/domain/bodies';
import type { Tick } from '../core/domain/tick';
import type { Clock, EventLog, IntakeOrigin, Lease, Logger, LoopLag, Metrics, Output, Snapshots, Tape } from './ports';

export interface EngineDeps {
  readonly name: string;
  readonly core: CoreOptions;
  readonly log: EventLog;
  readonly snapshots: Snapshots;
  readonly tape: Tape;
  /** Tells this tape from that of another process which wrote the snapshot. */
  readonly tapeId: string;
  readonly outputs: readonly Output[];
  /** Who speaks for the engine; absent where no other process can share its store. */
  readonly lease?: Lease;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Absent: it is not measured. */
  readonly lag?: LoopLag;
  /** The border: text of one message to market data. */
  readonly parse: (text: string, origin: IntakeOrigin) => MarketDataInput;
  /** The same for a text that is one plain tick; `null` leaves it to `parse`. */
  readonly tickOf?: (text: string, origin: IntakeOrigin) => Tick | null;
  /** Everything else that has to be closed with the engine, in order. */
  readonly closing: readonly (() => Promise<void>)[];
}
