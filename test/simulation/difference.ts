/** Where two plain structures differ, in words: what a person needs of a failing seed. */
export function differences(actual: unknown, expected: unknown, most = 6): string[] {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const visit = (a: unknown, b: unknown, path: string): void => {
    if (found.length >= most || Object.is(a, b)) return;
    const [left, right] = [entriesOf(a), entriesOf(b)];
    if (left === null || right === null) {
      found.push(`${path}: ${short(a)}, and without crashes ${short(b)}`);
      return;
    }
    if (seen.has(a)) return;
    seen.add(a);
    const order = [...left.keys()].join();
    if (order !== [...right.keys()].join())
      found.push(`${path} has [${order}], and without crashes [${[...right.keys()].join()}]`);
    for (const [key, value] of left) if (right.has(key)) visit(value, right.get(key), `${path}.${key}`);
  };
  visit(actual, expected, 'core');
  return found;
}

function entriesOf(value: unknown): Map<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [String(key), one]));
  if (value instanceof Set) return new Map([...value].map((one, i) => [String(i), one]));
  return new Map(Object.entries(value).filter(([, one]) => typeof one !== 'function'));
}

const short = (value: unknown): string =>
  (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)).slice(0, 100);
