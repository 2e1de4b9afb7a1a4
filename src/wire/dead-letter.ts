/** Dead letters as a user sees them. */

/** A message that could not be used, as it is kept. */
export interface DeadLetter {
  readonly id: string;
  readonly text: string;
  readonly reason: string;
  /** When it was refused, ISO 8601. */
  readonly at: string;
  /** `stream:<key>` or `redis:<channel>`; `null` when that was not kept. */
  readonly source: string | null;
  /** How often it was put back before. */
  readonly attempts: number;
  /** Only its beginning was kept. */
  readonly cut: boolean;
}

/** One letter: `data` is the message as it was sent, or its beginning when `cut`. */
export function deadLetterToWire({ id, text, reason, at, source, attempts, cut }: DeadLetter) {
  return { id, data: text, reason, at, source, attempts, cut };
}
