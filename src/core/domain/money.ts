import { EngineError } from './errors';
import { limits } from './limits';

/** Money as integers of 1e-8 of the currency's unit: sums are exact in whatever order writers add. */
export type Money = bigint;

const scale = 8;
/** Integers up to here are exact as doubles. */
const exactMax = BigInt(Number.MAX_SAFE_INTEGER);
const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;

/**
 * A finite number of currency units (|value| ≤ 9·10¹⁰) as money, rounded half-even at the eighth decimal of the
 * number's shortest decimal form (so 0.1 is exactly 10,000,000).
 * @throws EngineError `ValueError` naming `path` when the number is not finite or too large.
 */
export function moneyOf(value: number, path = 'amount'): Money {
  if (!Number.isFinite(value) || Math.abs(value) > limits.money) {
    throw new EngineError('ValueError', `${path} must be a finite amount of at most ${limits.money}`, {
      details: [
        {
          path,
          message: `must be a finite amount of at most ${limits.money}`,
          received: String(value),
        },
      ],
    });
  }
  return moneyOfText(String(value));
}

/**
 * Decimal text (as {@link moneyText} writes it, or any decimal number) as money, exact to 1e-8 and rounded half-even
 * beyond: no double in between.
 * @throws EngineError `InternalError` when the text is not a decimal.
 */
export function moneyOfText(amount: string): Money {
  const match = decimal.exec(amount);
  if (!match) throw new EngineError('InternalError', `not a decimal: ${amount.slice(0, limits.receivedChars)}`);
  const [, sign, whole = '0', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const shift = scale - fraction.length + Number(exponent);
  const units = shift >= 0 ? BigInt(digits + '0'.repeat(shift)) : divideHalfEven(BigInt(digits), -shift);
  return sign === '-' ? -units : units;
}

function divideHalfEven(digits: bigint, places: number): bigint {
  const divisor = 10n ** BigInt(places);
  const quotient = digits / divisor;
  const twice = (digits % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** Money as the nearest number of currency units. */
export function moneyToNumber(money: Money): number {
  // Both operands are exact, so the division rounds once, as reading the decimal text would.
  if (money <= exactMax && money >= -exactMax) return Number(money) / 1e8;
  return Number(moneyText(money));
}

/** Money in decimal digits, exact: `-12.5`. */
export function moneyText(money: Money): string {
  const negative = money < 0n;
  const digits = (negative ? -money : money).toString().padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}${fraction ? `.${fraction}` : ''}`;
}
