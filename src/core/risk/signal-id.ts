/**
 * A signal's id: a hash of who decided what, where and when, so the same input gives the same id on every run and
 * machine, and whoever executes can use it as the client order id.
 */
export function signalIdOf(
  strategyId: string,
  version: number,
  symbol: string,
  timestampMs: number,
  ordinal: number,
): string {
  const text = `${strategyId}|${version}|${symbol}|${timestampMs}|${ordinal}`;
  return `sig_${hex(hash(text, 0x811c9dc5))}${hex(hash(text, 0x01000193))}`;
}

/** FNV-1a with a final avalanche (the finalizer of MurmurHash3), 32 bits. */
function hash(text: string, seed: number): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
