import assert from 'node:assert/strict';
import type { EngineOptions } from '../src/compose';
import { EngineError } from '../src/core/domain/errors';
import { createEngine, type Engine } from '../src/library';
import { recordingLogger } from './helpers/http-client';

const logger = recordingLogger();
const base: EngineOptions = { name: 'library', store: { kind: 'memory' }, logger };

async function refusal(act: () => unknown): Promise<EngineError> {
  try {
    await act();
  } catch (thrown) {
    assert.ok(thrown instanceof EngineError, String(thrown));
    return thrown;
  }
  return assert.fail('nothing was refused');
}

describe('the library', () => {
  describe('what an engine may be opened with', () => {
    const wrong: readonly (readonly [string, unknown, RegExp])[] = [
      ['nothing', {}, /^name is required/],
      ['a name with a space', { ...base, name: 'a b' }, /^name must match/],
      ['no store', { ...base, store: undefined }, /^store is required/],
      ['a store of another kind', { ...base, store: { kind: 'disk' } }, /^store.kind must be one of memory, embedded/],
      ['an embedded store without its folder', { ...base, store: { kind: 'embedded' } }, /^store.path is required/],
      ['capital below 0', { ...base, capital: -5 }, /^capital must be greater than 0/],
      ['capital that is no number', { ...base, capital: Number.NaN }, /^capital must be a finite number/],
      ['capital past the range of money', { ...base, capital: 9.1e10 }, /^capital must be at most 90000000000/],
      ['a currency that is none', { ...base, accountCurrency: 'US$' }, /^accountCurrency must be a currency code/],
      ['a share above 1', { ...base, risk: { maxRiskPerTrade: 2 } }, /^risk.maxRiskPerTrade must be at most 1/],
      ['a policy of another name', { ...base, marketData: { late: 'keep' } }, /^marketData.late must be one of drop/],
      ['lateness below 0', { ...base, marketData: { latenessMs: -1 } }, /^marketData.latenessMs must be at least 0/],
      [
        'an unknown asset type',
        { ...base, marketData: { assetTypes: { A: 'bond' } } },
        /^marketData.assetTypes.A must be/,
      ],
    ];
    for (const [name, options, message] of wrong) {
      it(`${name} is refused by name`, async () => {
        const error = await refusal(() => createEngine(options as EngineOptions));
        assert.equal(error.code, 'ValueError');
        assert.match(error.message, message);
      });
    }

    it('currency and symbols have one spelling; what is left out has its default', async () => {
      const options = {
        ...base,
        capital: '1000' as unknown as number,
        accountCurrency: 'eur',
        risk: { maxExposure: undefined as unknown as number },
        marketData: { assetTypes: { mysym: 'commodity' as const } },
      };
      const engine = await createEngine(options);
      await engine.register({ strategyType: 'mean_reversion', strategyId: 'm' });
      const executionResult = { pnl: 5, success: true, executionTimeMs: 1 };
      await engine.track({ strategyId: 'm', executionResult });
      await engine.track({ strategyId: 'm', executionResult: { ...executionResult, currency: 'EUR' } });
      const { currency, basis, metrics } = await engine.performance('m');
      assert.deepEqual([currency, basis, metrics.totalPnl, metrics.totalReturn], ['EUR', 'capital', 10, 0.01]);
      const used = await engine.processMarketData({
        marketData: [{ symbol: 'MySym', price: 1 }],
        assetTypes: ['commodity'],
      });
      assert.equal(used.ticksAccepted, 1);
      await engine.close();
    });
  });

  describe('speaks camelCase', () => {
    let engine: Engine;
    before(async () => {
      engine = await createEngine(base);
      await engine.register({ strategyType: 'mean_reversion', strategyId: 'm' });
    });
    after(() => engine.close());

    it('in what it refuses', async () => {
      const executionResult = { pnl: 1, success: true };
      const missing = await refusal(() => engine.track({ strategyId: 'm', executionResult }));
      assert.equal(missing.message, 'executionResult.executionTimeMs is required');
      assert.equal(missing.details[0]?.path, 'executionResult.executionTimeMs');
      const type = await refusal(() => engine.register({ strategyType: 'none' }));
      assert.match(type.message, /^strategyType must be one of/);
      const { rejected } = await engine.processMarketData([{ symbol: 'A', price: 1, bid: 1, ask: 2, askSize: -1 }]);
      assert.equal(rejected[0]?.path, 'marketData[0].askSize');
      assert.match((await refusal(() => engine.advance(-1))).message, /^timestampMs must be a time/);
    });

    it('and a number that is none is refused, not left out', async () => {
      const executionResult = { pnl: 1, success: true, executionTimeMs: 1, fees: Number.NaN };
      const error = await refusal(() => engine.track({ strategyId: 'm', executionResult }));
      assert.deepEqual(error.details, [
        { path: 'executionResult.fees', message: 'must be a finite number', received: 'NaN' },
      ]);
      const { ticksAccepted, rejected } = await engine.processMarketData([{ symbol: 'A', price: 1, bid: Number.NaN }]);
      assert.equal(ticksAccepted, 0);
      assert.equal(rejected[0]?.path, 'marketData[0].bid');
    });

    it('an event that there is not is refused', async () => {
      const error = await refusal(() => engine.on('signals' as 'signal', () => undefined));
      assert.match(error.message, /^kind must be one of signal, decision, alert, adaptation, health, gap, fill/);
    });
  });
});
