/** A closed bar. Strategies never see a forming one. */
export interface Bar {
  readonly symbol: string;
  readonly timeframe: string;
  /** First and last instant: `[openMs, endMs)`; a tick-count bar ends with its last tick's time. */
  readonly openMs: number;
  readonly endMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  /** Ticks in it; 0 for a bar that came from outside. */
  readonly ticks: number;
  /** Whether overload conflated some of its ticks. */
  readonly conflated: boolean;
}
