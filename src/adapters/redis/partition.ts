/** Which engine a symbol belongs to when one is not enough: a rule that producers in any language can follow. */
import { crc32 } from 'node:zlib';
import { valueError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';

/**
 * The partition of a symbol, 0 to `partitions - 1`: CRC-32 of the upper-cased symbol's UTF-8, modulo the number of
 * partitions. In Python: `zlib.crc32(symbol.upper().encode()) % partitions`.
 * @throws EngineError `ValueError` for a number of partitions that is none.
 */
export function partitionOf(symbol: string, partitions: number): number {
  assertPartitions(partitions);
  return crc32(symbol.toUpperCase()) % partitions;
}

export function assertPartitions(partitions: number, path = 'partitions'): void {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= limits.partitions) return;
  throw valueError(path, `must be a whole number from 1 to ${limits.partitions}`, partitions);
}

/** The stream that a partition's engine reads. */
export const partitionStream = (stream: string, partition: number): string => `${stream}:${partition}`;

/** What that engine is called by convention. */
export const partitionEngine = (name: string, partition: number): string => `${name}-${partition}`;
