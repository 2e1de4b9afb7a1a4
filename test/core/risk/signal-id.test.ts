import assert from 'node:assert/strict';
import { signalIdOf } from '../../../src/core/risk/signal-id';

describe('a signal id', () => {
  it('is the same for the same decision and differs in every part of it', () => {
    const one = signalIdOf('s', 1, 'BTCUSDT', 1_700_000_000_000, 1);
    assert.equal(one, signalIdOf('s', 1, 'BTCUSDT', 1_700_000_000_000, 1));
    assert.match(one, /^sig_[0-9a-f]{16}$/);
    const others = [
      signalIdOf('t', 1, 'BTCUSDT', 1_700_000_000_000, 1),
      signalIdOf('s', 2, 'BTCUSDT', 1_700_000_000_000, 1),
      signalIdOf('s', 1, 'ETHUSDT', 1_700_000_000_000, 1),
      signalIdOf('s', 1, 'BTCUSDT', 1_700_000_000_001, 1),
      signalIdOf('s', 1, 'BTCUSDT', 1_700_000_000_000, 2),
    ];
    assert.equal(new Set([one, ...others]).size, 6);
  });

  it('does not collide over 300,000 decisions of neighbouring times, symbols and strategies', () => {
    const seen = new Set<string>();
    for (let strategy = 0; strategy < 10; strategy++) {
      for (let symbol = 0; symbol < 10; symbol++) {
        for (let i = 0; i < 3_000; i++) {
          seen.add(signalIdOf(`breakout_strategy_${strategy}`, 1, `SIM:S${symbol}`, 1_700_000_000_000 + i * 1_000, i));
        }
      }
    }
    assert.equal(seen.size, 300_000);
  });
});
