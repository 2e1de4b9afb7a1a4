/** What the items of one symbol, feed and timeframe share. */
export interface Series {
  readonly index: number;
  readonly symbol: string;
  readonly source: string;
  /** `null` for ticks and partial bars. */
  readonly timeframe: string | null;
}

const keyOf = (symbol: string, source: string, timeframe: string | null): string =>
  `${symbol.length} ${source.length} ${timeframe === null ? 't' : 'b'}${symbol}${source}${timeframe ?? ''}`;

/** The table of one segment: a dense number for each series, in the order in which they appeared. */
export class SeriesTable {
  private readonly rows: Series[] = [];
  private readonly byKey = new Map<string, Series>();
  // Nearly every symbol comes from one feed, so the common look-up builds no key.
  private readonly lastOfSymbol = new Map<string, Series>();
  // And often the one before was the same: then not even the map is asked.
  private previous: Series | undefined = undefined;

  get size(): number {
    return this.rows.length;
  }

  at(index: number): Series | undefined {
    return this.rows[index];
  }

  /** The number of a series, adding it when it is new. */
  indexOf(symbol: string, source: string, timeframe: string | null): number {
    let last = this.previous;
    if (last === undefined || last.symbol !== symbol) last = this.lastOfSymbol.get(symbol);
    if (last !== undefined && last.source === source && last.timeframe === timeframe) {
      this.previous = last;
      return last.index;
    }
    const known = this.byKey.get(keyOf(symbol, source, timeframe));
    if (known === undefined) return this.add(symbol, source, timeframe);
    this.lastOfSymbol.set(symbol, known);
    return known.index;
  }

  add(symbol: string, source: string, timeframe: string | null): number {
    const row = { index: this.rows.length, symbol, source, timeframe };
    this.rows.push(row);
    this.byKey.set(keyOf(symbol, source, timeframe), row);
    this.lastOfSymbol.set(symbol, row);
    return row.index;
  }

  rowsFrom(index: number): (readonly [string, string, string | null])[] {
    return this.rows.slice(index).map((row) => [row.symbol, row.source, row.timeframe] as const);
  }

  /** Forgets the rows from `size` on. */
  truncate(size: number): void {
    if (size < this.rows.length) this.previous = undefined;
    for (const row of this.rows.splice(size)) {
      this.byKey.delete(keyOf(row.symbol, row.source, row.timeframe));
      this.lastOfSymbol.delete(row.symbol);
    }
  }
}
