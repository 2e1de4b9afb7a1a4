/** Dead letters as a user sees them. */

interface Letter {
  readonly id: string;
  readonly text: string;
  readonly reason: string;
  readonly at: string;
  readonly source: string | null;
  readonly attempts: number;
  readonly cut: boolean;
}

/** One letter: `data` is the message as it was sent, or its beginning when `cut`. */
export function deadLetterToWire({ id, text, reason, at, source, attempts, cut }: Letter) {
  return { id, data: text, reason, at, source, attempts, cut };
}
