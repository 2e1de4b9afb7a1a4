/** What the store in Redis says of itself: how its connection is, what it keeps, and what was or cannot be mended. */
import type { Durability, FeedState, Logger } from '../../live/ports';
import { unknownDurability } from './durability';

type Listener = (state: FeedState, message: string) => void;

/** Whoever comes later is told the last word. */
export class StoreVoice {
  /** What is stored is not what this process has folded. */
  private isForked = false;
  private readonly logger: Logger;
  private readonly listeners = new Set<Listener>();
  private last: readonly [FeedState, string] = ['connecting', 'connecting'];
  /** What came last while there was only one thing to say. */
  private unsaid: readonly [FeedState, string] = this.last;
  private settings: Durability = unknownDurability;
  private putBackEvents = 0;
  private lostEvents = 0;
  /** Where those are kept. */
  private readonly lostIn: string[] = [];
  private problem: string | null = null;
  /** As it is said now: it is asked for with every append. */
  private said: Durability | null = null;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  durability(): Durability {
    this.said ??= this.words();
    return this.said;
  }

  add(listener: Listener): void {
    this.listeners.add(listener);
    listener(...this.last);
  }

  /** Of one that is up it is said what it keeps: it may be another server, or set otherwise, than before. */
  tell(state: FeedState, message: string): void {
    this.unsaid = [state, message];
    if (this.isForked) return;
    this.said = null;
    this.last = [state, state === 'up' ? this.durability().text : message];
    for (const listener of this.listeners) listener(...this.last);
  }

  /** What the server's settings mean. */
  found(settings: Durability): void {
    this.settings = settings;
    this.changed();
  }

  putBack(events: number): void {
    this.putBackEvents += events;
    this.logger.warn('Redis had lost events that it had acknowledged; they were written again', { events });
    this.changed();
  }

  /** It may be added to the log again. */
  settled(): void {
    this.tell('up', '');
  }

  /** Nobody can put them back: the log has gone on. They are kept in that file, if in any. */
  lost(events: number, file: string | null): void {
    this.lostEvents += events;
    if (file !== null) this.lostIn.push(file);
    this.logger.error('Redis has lost events that it had acknowledged, and went on without them', { events, file });
    this.changed();
  }

  cannotKeep(problem: string | null): void {
    this.problem = problem;
    this.changed();
  }

  /** The only word until all is made anew: the connection may come and go, but what it leads to is not what was folded. */
  forked(message: string): void {
    const { unsaid } = this;
    this.tell('down', message);
    this.unsaid = unsaid;
    this.isForked = true;
  }

  anew(): void {
    this.isForked = false;
    this.logger.warn('the engine has begun anew with what Redis has kept', {});
    this.tell(...this.unsaid);
  }

  private changed(): void {
    this.said = null;
    if (this.last[0] === 'up') this.tell('up', '');
  }

  private words(): Durability {
    const { putBackEvents, lostEvents, settings } = this;
    const words = [
      lostEvents > 0 &&
        `${lostEvents} acknowledged events are not in Redis any more; ${this.lostIn.join(', ') || 'no file'} has them`,
      putBackEvents > 0 && `${putBackEvents} lost events were written again`,
      this.problem !== null && `the last events cannot be kept here too (${this.problem})`,
      settings.text,
    ];
    return { ...settings, putBackEvents, lostEvents, text: words.filter((one) => one !== false).join('; ') };
  }
}
