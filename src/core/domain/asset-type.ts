/** What kind of instrument a symbol is, read off its spelling. It can be overridden per symbol by whoever knows better. */
import type { AssetType } from './tick';

export const assetTypes = ['crypto', 'forex', 'commodity', 'index', 'equity'] as const satisfies readonly AssetType[];

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const prefixes: ReadonlyMap<string, AssetType> = new Map<string, AssetType>([
  ...assetTypes.map((type): [string, AssetType] => [type.toUpperCase(), type]),
  ...pairs('crypto', 'BINANCE COINBASE KRAKEN BITSTAMP BITFINEX BYBIT OKX KUCOIN DERIBIT BITMEX GEMINI CRYPTOCAP'),
  ...pairs('forex', 'FX FX_IDC FXCM OANDA FOREXCOM'),
  ...pairs('commodity', 'COMMODITIES COMEX NYMEX'),
  ...pairs('index', 'INDICES INDEX'),
  ...pairs('equity', 'STOCK STOCKS EQUITIES NASDAQ NYSE AMEX ARCA LSE XETR EURONEXT TSE HKEX'),
]);

function pairs(type: AssetType, words: string): [string, AssetType][] {
  return words.split(' ').map((word) => [word, type]);
}

const commodities = set('XAU XAG XPT XPD WTI BRENT');
/** ISO 4217 currencies; the metals above are codes of it too and come first. */
const currencies = set(
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL',
);
const coinQuotes = ['USDT', 'USDC', 'BTC', 'ETH'];
const coins = set(
  'BTC XBT ETH USDT USDC BNB XRP ADA SOL DOGE DOT MATIC POL LTC BCH ETC XLM XMR TRX AVAX LINK ATOM UNI ALGO FIL AAVE SHIB EOS XTZ DASH ZEC NEAR APT ARB OP SUI TON PEPE INJ DAI WBTC STETH',
);
const indices = set(
  'SPX SPX500 SP500 US500 GSPC NDX NAS100 US100 IXIC DJI DJIA US30 RUT US2000 VIX DAX GER40 DE40 GDAXI FTSE UK100 CAC40 FRA40 FCHI STOXX50 EU50 N225 NI225 JP225 NIKKEI HSI HK50 KOSPI ASX200 AUS200 NIFTY SENSEX IBEX35 SMI',
);

/** A contract's ending that says nothing about what it is on. */
const ending = /(?:=[XF]|[-_.]?PERP(?:ETUAL)?|[-_.]SWAP)$/;
const separator = /[/_\-.]/;
const plainPrefix = /^[A-Z0-9_]+$/;

/**
 * Asset type of an upper-cased symbol: a known prefix before `:` wins; then precious metals and oil are `commodity`; two
 * other ISO currencies `forex`; quoted in USDT, USDC, BTC, ETH, or a known coin, `crypto`; known indices and `^…`
 * `index`; everything else `equity`. A prefix that names no asset type (`SIM:`) is passed over.
 */
export function assetTypeOf(symbol: string): AssetType {
  const colon = symbol.indexOf(':');
  let name = symbol;
  if (colon > 0) {
    const prefix = symbol.slice(0, colon);
    const byPrefix = prefixes.get(prefix);
    if (byPrefix) return byPrefix;
    // `BTC/USDT:USDT` names what settles it after the colon; elsewhere the instrument stands there.
    name = plainPrefix.test(prefix) ? symbol.slice(colon + 1) : prefix;
  }
  if (name.startsWith('^')) return 'index';
  name = name.replace(ending, '');
  const [base, quote] = split(name);
  if (commodities.has(base) && (quote === '' || isQuote(quote))) return 'commodity';
  if (currencies.has(base) && currencies.has(quote)) return 'forex';
  if (coinQuotes.includes(quote) || (coins.has(base) && (quote === '' || isQuote(quote)))) return 'crypto';
  return indices.has(name) || (indices.has(base) && currencies.has(quote)) ? 'index' : 'equity';
}

function isQuote(quote: string): boolean {
  return currencies.has(quote) || coins.has(quote);
}

/** Base and quote; the quote is empty when the name is not a pair. */
function split(name: string): readonly [string, string] {
  const parts = name.split(separator);
  if (parts.length > 1) return [parts[0] ?? '', parts[1] ?? ''];
  const coinQuote = coinQuotes.find((quote) => name.endsWith(quote) && name.length >= quote.length + 2);
  if (coinQuote) return [name.slice(0, -coinQuote.length), coinQuote];
  const three = name.slice(-3);
  return name.length >= 5 && currencies.has(three) ? [name.slice(0, -3), three] : [name, ''];
}
