/** What an engine may be opened with, checked: a setting that is wrong is refused by name, not met later as a number. */
import { z } from 'zod';
import type { EngineOptions } from './compose';
import { assetTypes } from './core/domain/asset-type';
import { limits } from './core/domain/limits';
import { dropUndefined } from './wire/defined';
import { parseWith } from './wire/problems';
import { numeric, optional, symbol } from './wire/schemas/fields';

/** Names of engines: they stand in keys, files and metrics. */
export const enginePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const money = { max: limits.money };
const policy = optional(z.enum(['drop', 'flag', 'accept']));

const optionsSchema = z.object({
  name: z.string().regex(enginePattern, `must match ${enginePattern.source}`),
  store: z
    .object({
      kind: z.enum(['memory', 'embedded', 'redis']),
      path: z.string().min(1).optional(),
      url: z.string().min(1).optional(),
    })
    .superRefine(({ kind, path, url }, context) => {
      const missing = (name: string, message: string) =>
        context.addIssue({ code: 'custom', path: [name], message, input: undefined });
      if (kind === 'embedded' && path === undefined) missing('path', 'is required: the folder of the store');
      if (kind === 'redis' && url === undefined) missing('url', 'is required: the URL of the Redis');
    }),
  redis: optional(
    z.object({
      url: z.string().min(1),
      inputStream: z.union([z.null(), z.string().min(1).max(limits.nameChars)]).optional(),
      group: optional(z.string().min(1).max(limits.nameChars)),
      partition: optional(numeric({ min: 0, integer: true })),
      inputStreamEntries: optional(numeric({ min: 0, integer: true })),
    }),
  ),
  capital: optional(numeric({ above: 0, ...money })),
  accountCurrency: optional(
    z
      .string()
      .regex(/^[A-Za-z]{2,10}$/, 'must be a currency code')
      .toUpperCase(),
  ),
  risk: optional(
    z.object({
      maxRiskPerTrade: optional(numeric({ min: 0, max: 1 })),
      maxExposure: optional(numeric({ min: 0 })),
      maxTotalExposure: optional(numeric({ min: 0 })),
      maxOpenPositions: optional(numeric({ min: 0, integer: true })),
      dailyLossLimit: z.union([z.null(), numeric({ min: 0, ...money })]).optional(),
    }),
  ),
  marketData: optional(
    z.object({
      late: policy,
      duplicateId: policy,
      duplicateTuple: policy,
      offMarket: policy,
      latenessMs: optional(numeric({ min: 0, max: limits.futureMs })),
      bandDeviations: optional(numeric({ above: 0 })),
      bandMinRatio: optional(numeric({ min: 0 })),
      assetTypes: optional(z.record(symbol, z.enum(assetTypes))),
    }),
  ),
});

/**
 * The options with what they say in one spelling (currencies and symbols upper-cased, numbers as text read).
 * @throws EngineError `ValueError` naming the setting.
 */
export function checkedOptions(options: EngineOptions): EngineOptions {
  const { capital, accountCurrency, risk, marketData } = parseWith(optionsSchema, options);
  const { capital: _capital, accountCurrency: _currency, risk: _risk, marketData: _data, ...rest } = options;
  return {
    ...rest,
    ...dropUndefined({
      capital,
      accountCurrency,
      risk: risk && dropUndefined(risk),
      marketData: marketData && dropUndefined(marketData),
    }),
  };
}
