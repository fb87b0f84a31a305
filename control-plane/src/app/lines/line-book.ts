/** The lines that live, by leg, and what the engine says of their tries. */
import { tryIdOf } from '../../domain/ids.ts';
import type { Instant, LegId } from '../../domain/ids.ts';
import { adoptedLine, advance, newLine, withFoundTry } from '../../domain/line/line.ts';
import type { LineTry } from '../../domain/line/line.ts';
import type { TryEnd } from '../../domain/trunk/failover.ts';
import type { Route } from '../../domain/trunk/routes.ts';
import type { HangupReason, PbxEvent, PbxResult } from '../../ports/pbx-driver.ts';
import type { LineDial } from '../../ports/telephony.ts';
import { LineWorker } from './line-worker.ts';
import { liveLine } from './live-line.ts';
import type { Live } from './live-line.ts';
import type { LinePorts, TryChannel } from './line-ports.ts';

/** Lines at once, ended ones whose last channel has not gone yet included; the oldest ended is forgotten first. */
const MAX_LINES = 10_000;
const OK = { ok: true, value: undefined } as const;

export class LineBook {
  readonly #ports: LinePorts;
  readonly #lines = new Map<LegId, Live>();
  readonly #worker: LineWorker;

  constructor(ports: LinePorts, emit: (event: PbxEvent) => void) {
    this.#ports = ports;
    this.#worker = new LineWorker(ports, emit, (live) => this.#forget(live));
  }

  /** Channels that live on a trunk now. */
  liveOn(trunk: string): number {
    let count = 0;
    for (const { line } of this.#lines.values())
      for (const one of line.tries) if (one.trunk === trunk) count += 1;
    return count;
  }

  isOpen(legId: LegId): boolean {
    const live = this.#lines.get(legId);
    return live !== undefined && !live.line.over && live.line.tries.length > 0;
  }

  has(legId: LegId): boolean {
    return this.#lines.has(legId);
  }

  /** The channel that is the leg: the one that was answered, else the newest that is not given up. */
  channelOf(legId: LegId): LegId {
    const line = this.#lines.get(legId)?.line;
    if (!line) return legId;
    const number = line.winner ?? line.tries.findLast((one) => !one.givenUp)?.number ?? 1;
    return tryIdOf(legId, number);
  }

  /** Whether this try stands for its leg: not one that was given up for another. */
  speaksFor(legId: LegId, number: number): boolean {
    const line = this.#lines.get(legId)?.line;
    if (!line) return true;
    return line.winner === number || (line.winner === null && !this.isGivenUp(legId, number));
  }

  isGivenUp(legId: LegId, number: number): boolean {
    const line = this.#lines.get(legId)?.line;
    if (!line) return false;
    return line.over || (line.tries.find((one) => one.number === number)?.givenUp ?? true);
  }

  begin(dial: LineDial, routes: readonly Route[]): Promise<PbxResult> {
    const { promise, resolve } = Promise.withResolvers<PbxResult>();
    const line = newLine(dial.legId, dial.purpose, routes, dial.triesBefore, this.#now());
    const live = liveLine(line, dial, resolve);
    this.#replace(live);
    this.#worker.step(live, { type: 'begin' });
    return promise;
  }

  /** The order to dial a leg that a process before this one dialled: now it is known whom it calls, and may fail over. */
  complete(dial: LineDial, routes: readonly Route[]): void {
    const live = this.#lines.get(dial.legId);
    if (!live || live.dial !== null) return;
    live.dial = dial;
    const tried = new Set(live.line.tries.map(({ trunk }) => trunk));
    const left = routes.filter(({ trunk }) => !tried.has(trunk));
    live.line = { ...live.line, routes: left, purpose: dial.purpose };
    this.#worker.watchOver(live);
  }

  async hangUp(legId: LegId, reason: HangupReason): Promise<PbxResult> {
    const live = this.#lines.get(legId);
    if (!live) return OK;
    live.reason ??= reason;
    const why = live.reason;
    const orders = live.line.tries.map(({ number }) => this.#ports.pbx.hangup(tryIdOf(legId, number), why));
    const { line } = advance(live.line, { type: 'hang-up' }, this.#now());
    live.line = line;
    const results = await Promise.all(orders);
    return results.find((result) => !result.ok) ?? OK;
  }

  /** What the engine says of one try. `false`: nobody knows its leg. */
  heard(legId: LegId, number: number, type: 'progress' | 'ringing' | 'answered'): boolean {
    return this.#onceDialled(legId, number, (live) => {
      const facts = live.facts.get(number);
      if (facts) this.#worker.report(live, number, facts, { what: type });
      this.#worker.step(live, { type, try: number });
    });
  }

  ended(legId: LegId, number: number, end: TryEnd): boolean {
    return this.#onceDialled(legId, number, (live) => this.#worker.tryEnded(live, number, end));
  }

  #onceDialled(legId: LegId, number: number, tell: (live: Live) => void): boolean {
    const live = this.#lines.get(legId);
    if (!live) return false;
    const held = live.held.get(number);
    if (held) held.push(() => tell(live));
    else tell(live);
    return true;
  }

  /** What the engine has, after each attachment: lines of it alone live on. */
  adopt(channels: readonly TryChannel[]): void {
    const byLeg = Map.groupBy(channels, ({ legId }) => legId);
    for (const [legId, live] of [...this.#lines])
      if (!byLeg.has(legId)) {
        live.answer?.({ ok: false, code: 'ERR_PBX_DISCONNECTED', detail: 'the engine has lost it' });
        this.#forget(live);
      }
    for (const [legId, tries] of byLeg) {
      const live = this.#lines.get(legId);
      if (live) this.#agree(live, tries);
      else this.#found(legId, tries);
    }
  }

  stop(): void {
    for (const live of this.#lines.values()) this.#worker.cancelTimers(live);
  }

  #found(legId: LegId, channels: readonly TryChannel[]): void {
    const at = this.#now();
    const tries = channels.map(({ try: number, trunk, state }): LineTry => ({
      number,
      trunk,
      dialledAt: at,
      state,
      responded: state !== 'dialing',
      givenUp: false,
    }));
    const live = liveLine(adoptedLine(legId, tries, at), null, null);
    this.#replace(live);
    for (const { number, trunk, dialledAt } of tries)
      live.facts.set(number, { trunk, dialledAt, noted: false });
    for (const { number, givenUp } of live.line.tries)
      if (givenUp) this.#worker.hangUpTry(live, number, 'cancelled');
  }

  /** Known, and the engine went on without us. */
  #agree(live: Live, channels: readonly TryChannel[]): void {
    const known = new Set(live.line.tries.map(({ number }) => number));
    const at = this.#now();
    for (const { try: number, trunk } of channels) {
      if (known.has(number)) continue;
      live.line = withFoundTry(live.line, number, trunk, at);
      live.facts.set(number, { trunk, dialledAt: at, noted: false });
    }
    const alive = new Map(channels.map((channel) => [channel.try, channel]));
    for (const { number, givenUp } of live.line.tries) {
      const channel = alive.get(number);
      if (!channel) this.#worker.tryEnded(live, number, { outcome: 'lost', sipStatus: null, q850: null });
      else if (givenUp) this.#worker.hangUpTry(live, number, live.reason ?? 'cancelled');
      else if (channel.state === 'ringing' || channel.state === 'answered')
        this.#worker.step(live, { type: channel.state, try: number });
    }
    // What was due meanwhile could not be asked.
    if (live.dial !== null) this.#worker.watchOver(live);
  }

  #replace(live: Live): void {
    const before = this.#lines.get(live.line.legId);
    if (before) this.#forget(before);
    this.#lines.set(live.line.legId, live);
    if (this.#lines.size <= MAX_LINES) return;
    for (const old of this.#lines.values()) {
      if (!old.line.over) continue;
      this.#forget(old);
      return;
    }
  }

  #forget(live: Live): void {
    this.#worker.cancelTimers(live);
    if (this.#lines.get(live.line.legId) === live) this.#lines.delete(live.line.legId);
  }

  #now(): Instant {
    return this.#ports.clock.now();
  }
}
