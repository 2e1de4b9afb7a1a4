/** The results of the last batches, so that several nodes behind one source read one evaluation. */
import type { MarketDataResult } from '../core/domain/bodies';
import { limits } from '../core/domain/limits';

export interface BatchResults {
  /** Evaluates once per id; whoever asks later, even while it runs, gets the same answer. */
  once(batchId: string | undefined, evaluate: () => Promise<MarketDataResult>): Promise<MarketDataResult>;
}

export function createBatchResults(): BatchResults {
  const results = new Map<string, Promise<MarketDataResult>>();
  return {
    once(batchId, evaluate) {
      if (batchId === undefined) return evaluate();
      const known = results.get(batchId);
      if (known !== undefined) return known;
      const result = evaluate();
      results.set(batchId, result);
      // A failed evaluation is not an answer: the next one tries again.
      result.catch(() => results.delete(batchId));
      if (results.size > limits.batchResults) {
        const oldest = results.keys().next().value;
        if (oldest !== undefined) results.delete(oldest);
      }
      return result;
    },
  };
}
