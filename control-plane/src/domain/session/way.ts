/** A session's milestones as questions: when first, when last, and what follows from them together. */
import type { JudgedSession, Verdict } from './verdict.ts';
import type { Milestone } from './timeline.ts';

/** Every time is in milliseconds since the activation; `null`: it did not happen. */
export class Way {
  readonly session: JudgedSession;
  readonly #milestones: readonly Milestone[];

  constructor(session: JudgedSession, milestones: readonly Milestone[]) {
    this.session = session;
    this.#milestones = milestones;
  }

  get wasActivated(): boolean {
    return this.has('activated');
  }

  get isOver(): boolean {
    return this.session.phase === 'resolved' || this.session.phase === 'released';
  }

  has(name: string): boolean {
    return this.#milestones.some((one) => one.name === name);
  }

  countUntil(name: string, untilMs: number): number {
    return this.#milestones.filter((one) => one.name === name && one.ms < untilMs).length;
  }

  /** The first at or after `sinceMs`. */
  first(name: string, sinceMs = Number.NEGATIVE_INFINITY): number | null {
    return this.#milestones.find((one) => one.name === name && one.ms >= sinceMs)?.ms ?? null;
  }

  last(name: RegExp, sinceMs: number): number | null {
    return this.#milestones.findLast((one) => name.test(one.name) && one.ms >= sinceMs)?.ms ?? null;
  }

  /** Her device could be called from then on; not before the activation. */
  get contact(): number | null {
    const at = this.first('contact-online');
    return at === null ? null : Math.max(0, at);
  }

  /** Both facts of the stream: her packets reach us, and an operator's end has them (by a panel or a duty phone). */
  get active(): number | null {
    const streaming = this.first('streaming');
    if (streaming === null) return null;
    const heard = [this.first('heard'), this.#heardByPhone(streaming)].filter((one) => one !== null);
    return heard.length === 0 ? null : Math.max(streaming, Math.min(...heard));
  }

  /** An answered duty phone is joined to her stream, unless her own phone has been answered. */
  #heardByPhone(streaming: number): number | null {
    const answered = this.first('operator-phone-answered');
    if (answered === null) return null;
    const called = this.first('citizen-phone-answered');
    const at = Math.max(answered, streaming);
    return called === null || called > at ? at : null;
  }

  /** `null` as the value: it did not come about; before the end that is no verdict yet. */
  within(id: string, limitMs: number, valueMs: number | null): Verdict {
    if (valueMs === null && !this.isOver)
      return { id, limitMs, valueMs, ok: null, reason: 'it has not happened yet' };
    const value = valueMs === null ? null : Math.round(valueMs * 100) / 100;
    return { id, limitMs, valueMs: value, ok: value !== null && value <= limitMs, reason: null };
  }

  skipped(id: string, limitMs: number | null, reason: string, valueMs: number | null = null): Verdict {
    return { id, limitMs, valueMs, ok: null, reason };
  }
}
