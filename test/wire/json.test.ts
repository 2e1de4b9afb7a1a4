import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EngineError, type ErrorType } from '../../src/core/domain/errors';
import { limits } from '../../src/core/domain/limits';
import { parseJson, textProblem } from '../../src/wire/json';

function codeOf(act: () => unknown): ErrorType {
  try {
    act();
  } catch (thrown) {
    assert.ok(thrown instanceof EngineError);
    return thrown.code;
  }
  assert.fail('nothing was thrown');
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('wire/json', () => {
  it('depth 32 is accepted, 33 is not', () => {
    assert.equal(depthOf(parseJson(nested(limits.jsonDepth))), limits.jsonDepth);
    assert.equal(
      codeOf(() => parseJson(nested(limits.jsonDepth + 1))),
      'JSONDecodeError',
    );
  });

  it('a million opening brackets are refused at once', () => {
    const text = '['.repeat(1_000_000);
    const before = performance.now();
    assert.equal(
      codeOf(() => parseJson(text)),
      'JSONDecodeError',
    );
    assert.ok(performance.now() - before < 100);
  });

  it('brackets inside strings and after escapes do not count', () => {
    for (const text of [JSON.stringify(['['.repeat(100)]), JSON.stringify([`"${'{'.repeat(100)}\\`, '['.repeat(50)])]) {
      assert.equal(textProblem(text), null);
      assert.deepEqual(parseJson(text), JSON.parse(text));
    }
    assert.equal(textProblem(`["\\"",${nested(40)}]`), 'too deep');
  });

  it('keys that look like brackets hide no depth', () => {
    const flat = JSON.stringify(Array.from({ length: 50 }, () => ({ symbol: 'A', price: 1 }))).slice(1, -1);
    for (const key of ['}', '{', ']', '{}', '}{', '":{', '\\', '"}']) {
      let deep = '1';
      for (let i = 0; i < 40; i++) deep = `{${JSON.stringify(key)}:${deep}}`;
      assert.equal(textProblem(`[${flat},${deep}]`), 'too deep', key);
      assert.equal(textProblem(`[${deep},${flat}]`), 'too deep', key);
    }
    assert.equal(textProblem(`[${flat}]`), null);
  });

  it('the depth read off the text is the depth of the value', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 36 }), (inner, wraps) => {
        let whole: unknown = inner;
        for (let i = 0; i < wraps; i++) whole = i % 2 === 0 ? [whole] : { 'a"[': whole };
        assert.equal(textProblem(JSON.stringify(whole)), depthOf(whole) > limits.jsonDepth ? 'too deep' : null);
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it('lists of 10,000 entries are parsed, longer ones are not', () => {
    const list = (count: number) => `{"a":[${Array(count).fill('{"x":[1,2],"y":","}').join(',')}],"b":[1,2,3]}`;
    assert.equal(textProblem(list(limits.ticksPerRequest)), null);
    assert.equal(textProblem(list(limits.ticksPerRequest + 1)), 'too many entries');
    assert.equal(textProblem(`[${'1,'.repeat(limits.ticksPerRequest)}1]`), 'too many entries');
    assert.equal(
      codeOf(() => parseJson(list(limits.ticksPerRequest + 1))),
      'PayloadTooLargeError',
    );
  });

  it('more bytes than allowed are refused before anything is parsed', () => {
    assert.equal(
      codeOf(() => parseJson('x'.repeat(101), 100)),
      'PayloadTooLargeError',
    );
    assert.equal(
      codeOf(() => parseJson(JSON.stringify('é'.repeat(60)), 100)),
      'PayloadTooLargeError',
    );
    assert.equal(parseJson(JSON.stringify('é'.repeat(49)), 100), 'é'.repeat(49));
  });

  it('what is not JSON says where, and never what', () => {
    for (const text of ['', ' ', '{', '{"a":1,}', 'NaN', "{'secret': 1}", '[1e1']) {
      assert.equal(
        codeOf(() => parseJson(text)),
        'JSONDecodeError',
      );
      assert.throws(
        () => parseJson(text),
        (thrown: Error) => !thrown.message.includes('secret'),
      );
    }
  });

  it('a byte order mark is passed over', () => assert.deepEqual(parseJson('\ufeff{"a":1}'), { a: 1 }));
});
