import { z } from 'zod';

/**
 * What every type's schema has. `confidenceThreshold` lets the ordinary setups of the built-in types through at its
 * default; a family, whose vote is an average, asks for less.
 */
export function commonParameters(confidenceThreshold = 0.5) {
  return {
    confidenceThreshold: z
      .number()
      .min(0)
      .max(1)
      .default(confidenceThreshold)
      .describe('Least confidence (0–1) of an entry; higher = fewer and stronger signals.'),
    riskTolerance: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("Share (0–1) of the engine's risk per trade that may be lost at the stop; higher = larger positions."),
    cooldownMs: z
      .number()
      .min(0)
      .max(31 * 86_400_000)
      .default(0)
      .describe('Event time in ms after a signal before the next entry in the same symbol; higher = fewer trades.'),
  };
}

/** A whole number of bars, with its bounds. */
export function bars(minimum: number, maximum: number, value: number, description: string) {
  return z.number().int().min(minimum).max(maximum).default(value).describe(description);
}

/** A number with its bounds. */
export function amount(minimum: number, maximum: number, value: number, description: string) {
  return z.number().min(minimum).max(maximum).default(value).describe(description);
}
