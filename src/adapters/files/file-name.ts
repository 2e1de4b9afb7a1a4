/** What a market file's name tells: `BTCUSD-1m-anything.csv` is one-minute bars of BTCUSD. */
import { basename } from 'node:path';
import { limits } from '../../core/domain/limits';

export interface FileName {
  readonly symbol: string;
  /** As the engine writes it (`1m`, `1d`, `100t`), also where it is none of the engine's (`1M`, `1w`); `null` when unsaid. */
  readonly timeframe: string | null;
}

const endings = /\.(?:gz|csv|txt|tsv|json|jsonl|ndjson|data|zip)$/i;
const span = /[-_ ](\d{1,6})(s|sec|m|min|h|H|d|D|day|w|W|mo|mon|M|t)(?=[-_ .]|$)/;
const units: ReadonlyMap<string, string> = new Map([
  ['sec', 's'],
  ['min', 'm'],
  ['H', 'h'],
  ['D', 'd'],
  ['day', 'd'],
  ['W', 'w'],
  ['mo', 'M'],
  ['mon', 'M'],
]);
/** Words that say what the rows are; the symbol stands before them. */
const kinds = /-(?:trades?|ticks?|quotes?|quoteticks?|bars?|candles?|ohlcv?|depth|book|ob\d{1,5})(?=[-_.]|$)/i;
const notInSymbol = /[^A-Za-z0-9._:/^=@+!&#-]/g;
const notFirst = /^[^A-Za-z0-9^_]/;

/** Symbol and timeframe of a file's name; the symbol is the whole name when nothing in it says where it ends. */
export function readFileName(path: string): FileName {
  let name = basename(path);
  while (endings.test(name)) name = name.replace(endings, '');
  const found = span.exec(name);
  const end = Math.min(found?.index ?? name.length, kinds.exec(name)?.index ?? name.length);
  const symbol = name.slice(0, end).slice(0, limits.symbolChars).replace(notInSymbol, '_').replace(notFirst, '_');
  const unit = found?.[2] ?? '';
  const timeframe = found ? `${Number(found[1])}${units.get(unit) ?? unit}` : null;
  return { symbol: symbol === '' ? '_' : symbol.toUpperCase(), timeframe };
}
