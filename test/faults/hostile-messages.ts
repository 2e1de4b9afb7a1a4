/** Market data as nobody should send it, read at the border: what is not accepted is refused in the catalogue's words. */
import assert from 'node:assert/strict';
import { EngineError } from '../../src/core/domain/errors';
import { type MarketDataContext, parseMarketText } from '../../src/wire/market-data';

const context: MarketDataContext = { arrivalMs: Date.UTC(2026, 0, 1), source: 'http', door: 'live' };

export interface Fuzzed {
  readonly accepted: number;
  readonly refused: number;
}

/** Reads so many messages; fails on anything thrown that is no refusal, on what is accepted and is none, and on pollution. */
export function fuzzMarketText(count: number, seed = 0x2f6e2b1): Fuzzed {
  const prototype = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  const frozen = Object.getOwnPropertyNames(Array.prototype).length;
  const messages = fuzzMessages(seed);
  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const text = messages();
    try {
      const input = parseMarketText(text, context);
      accepted += input.items.length;
      assert.equal(input.items.length + input.rejected.length, input.received);
      for (const item of input.items) {
        const price = item.kind === 'tick' ? item.price : item.close;
        if (!(Number.isFinite(price) && price > 0 && Number.isInteger(item.timestampMs))) assert.fail(text);
      }
    } catch (thrown) {
      if (!(thrown instanceof EngineError) || thrown.code === 'InternalError') throw thrown;
      refused++;
    }
  }
  assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), prototype);
  assert.equal(Object.getOwnPropertyNames(Array.prototype).length, frozen);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  return { accepted, refused };
}

/** Valid, near-valid, truncated and hostile messages from one seeded generator. */
function fuzzMessages(firstSeed: number): () => string {
  let seed = firstSeed;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % below;
  };
  const values = [
    '1',
    '-1',
    '0',
    '1e999',
    '"1"',
    '""',
    'null',
    'true',
    '[]',
    '{}',
    '"x"',
    '1700000000',
    '1700000000123',
    '"2023-01-01"',
    '{"polluted":1}',
    '[[[[1]]]]',
    '-0',
    '5e-324',
    '"\\u0000"',
    '"A\\r\\nB"',
    '"BTCUSD"',
    '"1m"',
    '1e308',
  ];
  const keys = [
    'symbol',
    'price',
    'volume',
    'timestamp',
    'bid',
    'ask',
    'id',
    'event',
    'open',
    'high',
    'low',
    'close',
    'timeframe',
    '__proto__',
    'constructor',
    'prototype',
    'market_data',
    'asset_types',
    'toString',
    'source',
    'seq',
    'asset_type',
    'sentiment',
  ];
  const pick = (list: readonly string[]) => list[random(list.length)] as string;
  const object = () => {
    const fields = random(3) === 0 ? [] : ['"symbol":"EURUSD"', `"price":${random(1_000) + 1}.5`];
    for (let i = random(5); i > 0; i--) fields.push(`"${pick(keys)}":${pick(values)}`);
    return `{${fields.join(',')}}`;
  };
  return () => {
    const count = random(4);
    const many = Array.from({ length: count }, object).join(',');
    const text =
      count === 1 ? object() : random(2) === 0 ? `[${many}]` : `{"market_data":[${many}],"__proto__":{"polluted":1}}`;
    switch (random(6)) {
      case 0:
        return text.slice(0, random(text.length + 1));
      case 1: {
        const at = random(text.length);
        return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
      }
      default:
        return text;
    }
  };
}
