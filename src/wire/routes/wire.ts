import { toWire } from '../case';

/** Results whose field names are all ours need nothing but the mapping of names. */
export async function wire(result: unknown): Promise<unknown> {
  return toWire(await result);
}
