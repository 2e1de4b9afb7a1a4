/** In which of the 16,384 slots of a cluster a key lies: the CRC-16 (XMODEM) of its hash tag, or of all of it. */
import { valueError } from '../../core/domain/errors';

const slots = 16_384;

/** What of a key decides its slot: what stands in its first braces, unless that is nothing. */
export function hashTagOf(key: string): string {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashTagOf(key))) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc % slots;
}

/** Refuses a key that one script cannot touch together with `other` on a cluster, naming one that it could. */
export function assertOneSlot(setting: string, key: string, other: string, suggestion: string): void {
  if (slotOf(key) === slotOf(other)) return;
  throw valueError(setting, `must lie in one hash slot with ${other} on a cluster, as ${suggestion} does`, key);
}
