import assert from 'node:assert/strict';
import fc from 'fast-check';
import { limits } from '../../../src/core/domain/limits';
import { StateReader, type StateShape, StateWriter } from '../../../src/core/domain/state-codec';

function bytesOf(state: StateShape): Uint8Array {
  const writer = new StateWriter();
  writer.shape(state);
  return writer.bytes();
}

function create(): StateShape {
  return { n: 0, ema: { n: 0, value: 0, window: new Float64Array(3) }, last: 0 };
}

describe('the state codec', () => {
  it('carries texts of any length and script, as UTF-8', () => {
    const anyText = fc.string({ unit: fc.constantFrom('a', 'Z', '_', 'é', '€', '😀'), maxLength: 200 });
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 20 }), (texts) => {
        const writer = new StateWriter();
        for (const text of texts) writer.str(text);
        const bytes = writer.bytes();
        const reader = new StateReader(bytes);
        for (const text of texts) assert.equal(reader.str(), text);
        assert.ok(reader.end());
        assert.equal(
          bytes.length,
          texts.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0),
        );
      }),
    );
  });

  it('carries nested state bit for bit', () => {
    const state = { n: 7, ema: { n: 3, value: 0.1 + 0.2, window: Float64Array.of(1, -0, 5e-324) }, last: -1e300 };
    const restored = create();
    const reader = new StateReader(bytesOf(state));
    assert.deepEqual(reader.shape(restored), { complete: true });
    assert.deepEqual(restored, state);
    assert.ok(reader.end());
  });

  it('skips a nested field that the state no longer has, and reads on behind it', () => {
    const written = {
      gone: { deep: { x: 1, w: Float64Array.of(1, 2) } },
      n: 5,
      ema: create().ema as StateShape,
      last: 9,
    };
    const restored = create();
    const reader = new StateReader(bytesOf(written));
    assert.deepEqual(reader.shape(restored), { complete: false });
    assert.equal(restored.n, 5);
    assert.equal(restored.last, 9);
    assert.ok(reader.end());
  });

  it('is incomplete when a window has another length, a kind differs or a nested field is missing', () => {
    const ema = { n: 3, value: 1, window: new Float64Array(4) };
    assert.equal(new StateReader(bytesOf({ n: 1, ema, last: 2 })).shape(create()).complete, false);
    assert.equal(new StateReader(bytesOf({ n: 1, ema: 4, last: 2 })).shape(create()).complete, false);
    const short = { n: 1, ema: { n: 3, value: 1 }, last: 2 };
    assert.equal(new StateReader(bytesOf(short)).shape(create()).complete, false);
  });

  it('never writes through __proto__', () => {
    const written = JSON.parse('{"__proto__": {"polluted": 1}, "n": 2}') as StateShape;
    const restored: StateShape = { n: 0 };
    assert.equal(new StateReader(bytesOf(written)).shape(restored).complete, false);
    assert.equal(restored.n, 2);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  it('refuses state nested deeper than the limit, on both sides', () => {
    let deep: StateShape = { x: 1 };
    for (let i = 1; i < limits.stateDepth; i++) deep = { deep };
    assert.doesNotThrow(() => bytesOf(deep));
    assert.throws(() => bytesOf({ deep }), /nested too deep/);
  });

  it('throws on every cut of its bytes', () => {
    const bytes = bytesOf({ n: 1, ema: { n: 1, value: 2, window: new Float64Array(3) }, last: 3 });
    const cut = fc.integer({ min: 0, max: bytes.length - 1 });
    fc.assert(
      fc.property(cut, (length) => {
        assert.throws(() => new StateReader(bytes.subarray(0, length)).shape(create()), /cut short/);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
