/** Why a goal that is missed is missed, from profiles of the same runs; by the beginning of the bench's name. */
const reasons: readonly (readonly [string, string])[] = [
  [
    'P1',
    'before any strategy a tick is bounded, checked, remembered against repetition and admitted, about 0.4 µs that the bare check of the ceiling does not pay; beside few strategies that is the larger share',
  ],
  [
    'P2',
    'the state of 1,000 symbols does not stay in the caches: admission, duplicates and bars each touch lines of their own',
  ],
  ['P4', 'decoding in the client is half of it on both sides; admission, ten strategies and the tape come on top'],
  [
    'P5',
    'ticks are validated where they come in and again where they are applied, because a wire may carry anything in between',
  ],
  ['P6', 'the peer only parses: every tick here is checked, held in order, and evaluated by ten strategies'],
  ['P7', 'publisher, Redis and engine share the processors with the measurement; the tail is theirs as much as ours'],
  [
    'P8',
    'a call is compared with what was sent under its id, checksummed, folded and answered with metrics: as much processor time again as the write',
  ],
];

/** By how much of its goal a bench falls short, and why; `null` when it does not. */
export function shortfall(name: string, ratio: number, goal: number | null, met: boolean | null): string | null {
  if (met !== false || goal === null) return null;
  const reason = reasons.find(([begin]) => name.startsWith(begin))?.[1] ?? 'not looked into';
  return `${name}: ${Math.round((Math.abs(ratio - goal) / goal) * 100)} % off its goal: ${reason}`;
}
