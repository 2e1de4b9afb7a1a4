/** The same object type with every field that may be undefined left out when it is. */
export type Defined<T> = { -readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** A copy without the fields that are undefined, so that "not said" and "absent" are one thing. */
export function dropUndefined<T extends object>(fields: T): Defined<T> {
  const out: Defined<T> = {};
  for (const key of Object.keys(fields) as (keyof T)[]) {
    const value = fields[key];
    if (value !== undefined) out[key] = value as Exclude<T[keyof T], undefined>;
  }
  return out;
}
