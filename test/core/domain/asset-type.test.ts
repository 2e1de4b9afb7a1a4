import assert from 'node:assert/strict';
import { assetTypeOf } from '../../../src/core/domain/asset-type';

const table = {
  crypto:
    'BTCUSD BTC ETHUSDT SOLUSDC ADABTC LINKETH BTC/USD BTC-USD BTC/USDT:USDT BTC-PERP BTCPERP ETH-USD-SWAP CRYPTO:FOO BINANCE:ABCXYZ SIM:BTCUSD XBTUSD USDT/USD USDTTRY DOGEUSD FOO/USDT',
  forex: 'EURUSD EUR/USD EUR_USD EURUSD=X USDCAD USDTRY GBPJPY FOREX:ANYTHING OANDA:EUR_USD SIM:EURUSD',
  commodity: 'XAUUSD XAGUSD XAU XAU/USD WTI WTIUSD BRENT BRENTUSD XAUUSDT COMMODITY:COFFEE XAUUSD=X',
  index: '^GSPC ^VIX SPX NDX DJI DAX US500 NAS100_USD SPX500USD INDEX:FOO',
  equity: 'AAPL MSFT GOOG BRK-B GBTC FBTC VOD.L EQUITY:BTC NASDAQ:ETHE ALL __PROTO__ BRENTWOOD SIM:ACME A',
} as const;

describe('core/domain/asset-type', () => {
  for (const [type, symbols] of Object.entries(table)) {
    it(`${type}: ${symbols}`, () => {
      for (const symbol of symbols.split(' ')) assert.equal(assetTypeOf(symbol), type, symbol);
    });
  }
});
