/** Waiting that ends early: when something happened, or for good. */
import { limits } from '../../core/domain/limits';
import type { Clock } from '../../live/ports';

export class Waiting {
  private readonly clock: Clock;
  private readonly open = new Set<() => void>();
  private isOver = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Whoever waits looks again. */
  wake(): void {
    for (const look of [...this.open]) look();
  }

  /** Nobody waits any more, now or later. */
  end(): void {
    this.isOver = true;
    this.wake();
  }

  /** Settles after so long, or at the end. */
  after(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(delayMs, () => done());
      const look = () => {
        if (this.isOver) done();
      };
      const done = () => {
        cancel();
        this.open.delete(look);
        resolve();
      };
      this.open.add(look);
      look();
    });
  }

  /** Settles with the work, or after `limits.storeMs`. */
  async within(work: Promise<void>): Promise<void> {
    let cancel = (): void => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = this.clock.after(limits.storeMs, resolve);
    });
    await Promise.race([work, deadline]);
    cancel();
  }

  /** Settles when `holds`, looking whenever it is woken, or at the end. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.isOver && !holds()) return;
        this.open.delete(look);
        resolve();
      };
      this.open.add(look);
      look();
    });
  }
}
