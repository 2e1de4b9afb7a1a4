/** The reference material, which lives outside of the repository. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export const referencesDir = resolve(process.env.REFERENCES_DIR ?? '../shared/references');

/** Path of a reference file, or `null`, said loudly, where the material is missing. */
export function reference(path: string): string | null {
  const full = resolve(referencesDir, path);
  if (existsSync(full)) return full;
  console.error(`\n  MISSING REFERENCE ${full}: set REFERENCES_DIR; what it would prove is not proved here\n`);
  return null;
}
