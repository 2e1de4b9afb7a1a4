import assert from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { EngineError } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import { type TrackOrigin, trackInput } from '../../src/wire/execution';
import { parseWith } from '../../src/wire/problems';
import { trackBody } from '../../src/wire/schemas/requests';

const nowMs = Date.UTC(2026, 0, 1);
const origin = { nowMs, actor: 'api' };
const result = { pnl: 1.5, success: true, execution_time_ms: 12 };

/** As the route does: the schema first. */
function track(execution_result: object, more: Partial<TrackOrigin> = {}) {
  return trackInput(parseWith(trackBody, { strategy_id: 'a', execution_result }), { ...origin, ...more });
}

const resultOf = (execution_result: object) => track(execution_result).executionResult;

function messageOf(fields: object): string {
  try {
    resultOf({ ...result, ...fields });
  } catch (thrown) {
    assert.ok(thrown instanceof EngineError && thrown.code === 'ValueError');
    return thrown.message;
  }
  assert.fail(`accepted: ${JSON.stringify(fields)}`);
}

/** Whatever may stand in a field, near and far from what belongs there. */
const anyField = fc.oneof(
  fc.constantFrom(null, undefined, '', '1e3', ' 1', 'buy', 'filled', 'live', 'USD', 'btcusd', true, 'true', Number.NaN),
  fc.double(),
  fc.string({ maxLength: 8 }),
  fc.anything({ maxDepth: 1 }),
);

describe('wire/execution', () => {
  it('says the same as the schema that it was compiled from, of any body', () => {
    const { strategy_id, execution_result } = trackBody.shape;
    const plain = z.object({ strategy_id, execution_result: z.object(execution_result.shape) });
    const names = Object.keys(execution_result.shape);
    const body = fc.record({
      strategy_id: fc.oneof(fc.constant('a'), anyField),
      execution_result: fc.oneof(
        {
          weight: 9,
          arbitrary: fc.dictionary(fc.constantFrom(...names), anyField).map((some) => ({ ...result, ...some })),
        },
        { weight: 1, arbitrary: anyField },
      ),
    });
    const said = (schema: z.ZodType, value: unknown) => {
      try {
        return { read: parseWith(schema, value) };
      } catch (thrown) {
        assert.ok(thrown instanceof EngineError);
        return { message: thrown.message, details: thrown.details };
      }
    };
    let taken = 0;
    fc.assert(
      fc.property(body, (value) => {
        const compiled = said(trackBody, value);
        if ('read' in compiled) taken++;
        assert.deepEqual(compiled, said(plain, value));
      }),
      { numRuns: 1_000, seed: 20_260_101 },
    );
    assert.ok(taken > 30, `${taken} were taken`);
  });

  it('every field of the contract arrives under its name inside', () => {
    const execution_result = {
      ...result,
      execution_id: 'x1',
      signal_id: 's1',
      symbol: 'btcusd',
      side: 'buy',
      quantity: '0.5',
      price: 50_000,
      fees: 0.1,
      pnl_is_gross: true,
      currency: 'usd',
      status: 'filled',
      position_after: -1,
      mode: 'paper',
      notional: 25_000,
      timestamp: 1_700_000_000.5,
      entry_time: '2023-11-14',
      leg: 1,
      strategy_version: 2,
    };
    assert.deepEqual(track(execution_result, { idempotencyKey: 'k' }), {
      strategyId: 'a',
      idempotencyKey: 'k',
      actor: 'api',
      executionResult: {
        pnl: 1.5,
        success: true,
        executionTimeMs: 12,
        executionId: 'x1',
        signalId: 's1',
        symbol: 'BTCUSD',
        side: 'buy',
        quantity: 0.5,
        price: 50_000,
        fees: 0.1,
        pnlIsGross: true,
        currency: 'USD',
        status: 'filled',
        positionAfter: -1,
        mode: 'paper',
        notional: 25_000,
        timestampMs: 1_700_000_000_500,
        entryTimeMs: Date.UTC(2023, 10, 14),
        leg: 1,
        strategyVersion: 2,
      },
    });
  });

  it('what was not said is absent, also when it was said as null', () => {
    const read = resultOf({ ...result, execution_id: null, symbol: undefined, fees: null });
    assert.deepEqual(Object.keys(read), ['pnl', 'success', 'executionTimeMs']);
  });

  it('money is held to its range', () => {
    assert.equal(resultOf({ ...result, pnl: limits.money }).pnl, 9e10);
    assert.equal(resultOf({ ...result, pnl: '-9e10' }).pnl, -9e10);
    assert.match(messageOf({ pnl: 9e10 + 1 }), /execution_result.pnl must be at most 90000000000/);
    assert.match(messageOf({ pnl: -9.1e10 }), /execution_result.pnl must be at least -90000000000/);
  });

  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ pnl: null }, /execution_result.pnl must be a finite number/],
    [{ pnl: undefined }, /execution_result.pnl is required/],
    [{ pnl: '' }, /execution_result.pnl must be a number/],
    [{ success: 'true' }, /execution_result.success must be true or false/],
    [{ execution_time_ms: -1 }, /execution_result.execution_time_ms must be at least 0/],
    [{ quantity: -1 }, /execution_result.quantity must be at least 0/],
    [{ side: 'long' }, /execution_result.side must be one of buy, sell/],
    [{ currency: 'US$' }, /execution_result.currency must be a currency code/],
    [{ timestamp: nowMs + limits.futureMs + 1 }, /execution_result.timestamp must not be more than 5 minutes ahead/],
    [{ timestamp: null }, /execution_result.timestamp must be a time/],
    [{ entry_time: 12 }, /execution_result.entry_time must be a time .* in seconds/],
    [{ execution_id: '' }, /execution_result.execution_id must have at least 1 characters/],
    [{ leg: 0.5 }, /execution_result.leg must be a whole number/],
  ];
  for (const [fields, message] of wrong) {
    it(`${JSON.stringify(fields)} is refused with its path`, () => assert.match(messageOf(fields), message));
  }

  it('an Idempotency-Key that is no id is refused by its name', () => {
    const keyed = (idempotencyKey: string) => () => track(result, { idempotencyKey });
    assert.throws(keyed(''), /Idempotency-Key must have/);
    assert.throws(keyed('x'.repeat(200)), /Idempotency-Key must have at most 128/);
  });
});
