/**
 * Which days can trade, and when one ends. Daily P&L, its annualisation and the loss limits use the same rule, which
 * every answer echoes.
 *
 * | rule | day | days a year |
 * |---|---|---|
 * | `utc_365` | every UTC day: crypto, and mixed books | 365 |
 * | `fx_260` | Monday to Friday, rolling at 17:00 New York: forex, commodities | 260 |
 * | `weekday_252` | Monday to Friday by UTC date: equities, indices; exchange holidays count as days without a trade | 252 |
 *
 * What is stamped while a rule's market is closed belongs to the next day that trades, so no money is lost.
 */
import type { AssetType } from '../domain/tick';

export const dayRules = {
  utc_365: { periodsPerYear: 365 },
  fx_260: { periodsPerYear: 260 },
  weekday_252: { periodsPerYear: 252 },
} as const;
export type DayRule = keyof typeof dayRules;

const dayMs = 86_400_000;
const hourMs = 3_600_000;

const ruleOfAsset: Readonly<Record<AssetType, DayRule>> = {
  crypto: 'utc_365',
  forex: 'fx_260',
  commodity: 'fx_260',
  index: 'weekday_252',
  equity: 'weekday_252',
};

/** The rule of a strategy or portfolio that trades these asset types; none named, or several rules: `utc_365`. */
export function dayRuleOf(assetTypes: Iterable<AssetType>): DayRule {
  let rule: DayRule | null = null;
  for (const assetType of assetTypes) {
    if (rule !== null && rule !== ruleOfAsset[assetType]) return 'utc_365';
    rule = ruleOfAsset[assetType];
  }
  return rule ?? 'utc_365';
}

/** The number of the trading day that a moment (ms since the epoch) belongs to: consecutive days, consecutive numbers. */
export function dayIndex(rule: DayRule, timestampMs: number): number {
  if (rule === 'utc_365') return Math.floor(timestampMs / dayMs);
  if (rule === 'weekday_252') return weekdayIndex(Math.floor(timestampMs / dayMs));
  return weekdayIndex(newYorkRollDay(timestampMs));
}

/** A half of a UTC day, cut where New York rolls at 17:00: the finest piece any rule needs. */
export function halfDayOf(timestampMs: number): number {
  const day = Math.floor(timestampMs / dayMs);
  return 2 * day + (newYorkRollDay(timestampMs) > day ? 1 : 0);
}

/** The trading day of a half day. */
export function dayOfHalf(rule: DayRule, halfDay: number): number {
  const day = Math.floor(halfDay / 2);
  if (rule === 'utc_365') return day;
  return weekdayIndex(rule === 'fx_260' ? halfDay - day : day);
}

/** Days since the epoch to a count of weekdays; Saturday and Sunday are the Monday after. 1970-01-01 is a Thursday. */
function weekdayIndex(day: number): number {
  const sinceMonday = day + 3;
  const week = Math.floor(sinceMonday / 7);
  const weekday = sinceMonday - 7 * week;
  return weekday > 4 ? 5 * (week + 1) : 5 * week + weekday;
}

/** Date (days since the epoch) of the day that ends at 17:00 New York at or after this moment. */
function newYorkRollDay(timestampMs: number): number {
  return Math.floor((timestampMs - newYorkOffsetHours(timestampMs) * hourMs + 7 * hourMs) / dayMs);
}

/** Hours New York is behind UTC: 4 in summer, else 5. The United States' rule of 2007; from 1987 its predecessor. */
function newYorkOffsetHours(timestampMs: number): 4 | 5 {
  const year = yearOf(Math.floor(timestampMs / dayMs));
  const march = firstOf(year, 3);
  const [from, to] =
    year >= 2007
      ? [sundayFrom(march + 7), sundayFrom(firstOf(year, 11))]
      : [sundayFrom(firstOf(year, 4)), sundayFrom(firstOf(year, 10) + 24)];
  // 2:00 local is 7:00 UTC before the change in spring and 6:00 UTC before the one in autumn.
  return timestampMs >= from * dayMs + 7 * hourMs && timestampMs < to * dayMs + 6 * hourMs ? 4 : 5;
}

/** The first Sunday at or after a day. */
function sundayFrom(day: number): number {
  return day + ((((3 - day) % 7) + 7) % 7);
}

/** Days since the epoch of the first of a month from March on (days-from-civil on the same cycle). */
function firstOf(year: number, month: number): number {
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const dayOfYear = Math.floor((153 * (month - 3) + 2) / 5);
  return (
    era * 146_097 + 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

/** Year of a day since the epoch (civil-from-days on the 400-year cycle that starts in March). */
function yearOf(day: number): number {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const inEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (inEra - Math.floor(inEra / 1_460) + Math.floor(inEra / 36_524) - Math.floor(inEra / 146_096)) / 365,
  );
  const dayOfYear = inEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // Day 306 of a year that starts in March is the first of January.
  return yearOfEra + era * 400 + (dayOfYear >= 306 ? 1 : 0);
}
