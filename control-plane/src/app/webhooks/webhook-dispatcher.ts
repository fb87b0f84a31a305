/**
 * Delivers what the outbox holds. A round, over and over: write down the attempts that have ended, make deliveries of
 * new events, begin what is due. Everything is a row, so that a process that dies loses nothing: what it had begun is
 * sent again, under the same id. Only the node that holds the lease has one.
 */
import type { Instant } from '../../domain/ids.ts';
import { judgeAttempt, reasonOf } from '../../domain/webhook/judge-attempt.ts';
import type { AttemptResult, AttemptVerdict } from '../../domain/webhook/judge-attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { WebhookSecrets, WebhookSender } from '../../ports/webhook-sender.ts';
import type { AttemptRecord, ClaimedDelivery, DeliveryQueue, Room } from '../../ports/webhook-store.ts';
import { BusyEndpoints } from './busy-endpoints.ts';
import type { EndpointHealth } from './endpoint-health.ts';
import { webhookBody } from './webhook-body.ts';

/** Of one endpoint at once. */
export const ROOM: Room = { first: 12, again: 4 };
const FAN_OUT_ROWS = 200;
const RECORDED_AT_ONCE = 200;
/** Whatever nobody told of is found after this. */
const LOOK_EVERY_MS = 1000;
/** Beyond an attempt's deadline, with room for a database that is slow to take its end. */
export const LEASE_MS = 30_000;
/** For attempts under way when the process is to end. */
const STOP_MS = 2000;

export interface DispatcherPorts {
  /** Of this process alone. */
  readonly owner: string;
  readonly queue: DeliveryQueue;
  readonly sender: WebhookSender;
  readonly secrets: Pick<WebhookSecrets, 'open'>;
  readonly health: EndpointHealth;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly chance: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class WebhookDispatcher {
  readonly #ports: DispatcherPorts;
  readonly #busy = new BusyEndpoints();
  readonly #underWay = new Set<Promise<void>>();
  /** Ended and not written down yet. */
  #ends: AttemptRecord[] = [];
  #round: Promise<void> | null = null;
  #isWanted = false;
  /** There may be something in the outbox. */
  #hasNews = false;
  #hasTakenOver = false;
  #isAway = false;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #cancelLook: () => void = () => undefined;
  #cancelWake: () => void = () => undefined;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(ports: DispatcherPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#state = 'running';
    this.#look();
  }

  /** Something was committed that may be told. */
  nudge(): void {
    this.#hasNews = true;
    this.#goOn();
  }

  /** Attempts that do not end soon are given up; whoever comes next begins them again at once. */
  async stop(): Promise<void> {
    const wasRunning = this.#state === 'running';
    this.#state = 'stopped';
    this.#cancelLook();
    this.#cancelWake();
    if (!wasRunning) return;
    const { clock, queue, owner, sender, log } = this.#ports;
    const late = new Promise<void>((resolve) => void clock.at((clock.now() + STOP_MS) as Instant, resolve));
    await Promise.race([this.#round, late]);
    await Promise.race([Promise.all(this.#underWay), late]);
    const ends = this.#ends;
    this.#ends = [];
    sender.close();
    try {
      if (ends.length > 0) await queue.record(ends);
      await queue.giveBack(owner);
    } catch (error) {
      log.warn('Webhooks that were under way are sent again by who comes next.', { error: String(error) });
    }
  }

  #look(): void {
    const { clock } = this.#ports;
    this.#hasNews = true;
    this.#begin();
    this.#cancelLook = clock.at((clock.now() + LOOK_EVERY_MS) as Instant, () => this.#look());
  }

  #goOn(): void {
    if (this.#isRunning() && !this.#isAway) this.#begin();
  }

  #begin(): void {
    this.#isWanted = true;
    this.#round ??= this.#rounds().finally(() => {
      this.#round = null;
      // Wanted after the last look at it.
      if (this.#isWanted) this.#goOn();
    });
  }

  async #rounds(): Promise<void> {
    try {
      while (this.#isWanted && this.#isRunning()) {
        this.#isWanted = false;
        await this.#oneRound();
        if (this.#isAway) this.#ports.log.info('The database is back: webhooks go on.');
        this.#isAway = false;
      }
    } catch (error) {
      this.#isWanted = false;
      this.#failed(error);
    }
  }

  async #oneRound(): Promise<void> {
    const { queue, clock, owner, log } = this.#ports;
    if (!this.#hasTakenOver) {
      const found = await queue.takeOver(owner);
      if (found > 0) log.info('Webhooks that another process had begun are sent again.', { found });
      this.#hasTakenOver = true;
    }
    await this.#writeDown();
    if (this.#hasNews) {
      this.#hasNews = false;
      if ((await queue.fanOut(FAN_OUT_ROWS, clock.now())) === FAN_OUT_ROWS) {
        this.#hasNews = true;
        this.#isWanted = true;
      }
    }
    if (!this.#isRunning()) return;
    const now = clock.now();
    const until = (now + LEASE_MS) as Instant;
    const claimed = await queue.claim({ owner, now, until, room: ROOM, busy: this.#busy.all });
    if (this.#isRunning()) for (const one of claimed) this.#deliver(one);
  }

  async #writeDown(): Promise<void> {
    while (this.#ends.length > 0) {
      const ends = this.#ends.slice(0, RECORDED_AT_ONCE);
      await this.#ports.queue.record(ends);
      this.#ends.splice(0, ends.length);
    }
  }

  #failed(error: unknown): void {
    const { log, metrics } = this.#ports;
    metrics.count('hamrahi_webhook_rounds_failed_total');
    if (!(error instanceof StoreError)) {
      log.error('Webhooks could not be delivered; it is tried again.', { error: String(error) });
      return;
    }
    if (error.code === 'ERR_STORE_FENCED') {
      this.#state = 'stopped';
      this.#cancelLook();
      this.#cancelWake();
      log.warn('Another node delivers the webhooks now.', { code: error.code });
      return;
    }
    // What waits in memory is bounded by what is under way: nothing new begins until the database takes it.
    if (!this.#isAway) log.warn('Webhooks wait for the database.', { code: error.code });
    this.#isAway = true;
  }

  #deliver(delivery: ClaimedDelivery): void {
    const { webhookId, isFirst } = delivery;
    this.#busy.begin(webhookId, isFirst);
    const work = this.#attempt(delivery).then((result) => {
      this.#busy.end(webhookId, isFirst);
      this.#ended(delivery, result);
    });
    this.#underWay.add(work);
    void work.finally(() => {
      this.#underWay.delete(work);
      this.#goOn();
    });
  }

  async #attempt(delivery: ClaimedDelivery): Promise<AttemptResult> {
    const { clock, log, secrets, sender } = this.#ports;
    const { webhookId, messageId, url, sealed, previousSealed } = delivery;
    const secret = secrets.open(webhookId, sealed);
    if (secret === null) return { kind: 'unanswered', reason: 'secret-unreadable' };
    const previous = previousSealed && secrets.open(webhookId, previousSealed);
    try {
      return await sender.send({
        url,
        messageId,
        at: clock.now(),
        body: webhookBody(delivery),
        secrets: previous ? [secret, previous] : [secret],
      });
    } catch (error) {
      log.error('An attempt to deliver a webhook broke down.', { webhookId, error: String(error) });
      return { kind: 'unanswered', reason: 'connection' };
    }
  }

  #ended(delivery: ClaimedDelivery, result: AttemptResult): void {
    // After the stop what is cut off counts for nothing: it is given back.
    if (this.#state === 'stopped' && result.kind === 'unanswered') return;
    const { clock, chance } = this.#ports;
    const at = clock.now();
    const verdict = judgeAttempt(result, delivery.attempts, chance());
    this.#ends.push(recordOf(delivery, result, verdict, at));
    this.#tell(delivery, result, verdict, at);
    if (verdict.next === 'again') this.#wake((at + verdict.afterMs) as Instant);
  }

  #tell(delivery: ClaimedDelivery, result: AttemptResult, verdict: AttemptVerdict, at: Instant): void {
    const { health, log, metrics } = this.#ports;
    const { webhookId, messageId, type, subject, isFirst } = delivery;
    metrics.count('hamrahi_webhook_attempts_total', { outcome: verdict.next });
    if (verdict.next === 'delivered') {
      const attempt = isFirst ? 'first' : 'later';
      metrics.observe('hamrahi_webhook_delivery_ms', at - delivery.at, { attempt });
      health.taken(webhookId);
      return;
    }
    const host = hostOf(delivery.url);
    if (verdict.next === 'gone') {
      health.gone({ webhookId, host });
      return;
    }
    const status = result.kind === 'answered' ? result.status : null;
    health.failed({ webhookId, host, reason: reasonOf(result), status }, at);
    if (verdict.next === 'given-up')
      log.error('A webhook was given up: its endpoint took it at no attempt.', {
        webhookId,
        messageId,
        type,
        subject,
      });
  }

  /** For retries that are due between two looks. One that is forgotten for another is found at the next look. */
  #wake(at: Instant): void {
    const { clock } = this.#ports;
    if (this.#state !== 'running' || at >= this.#wakeAt) return;
    this.#cancelWake();
    this.#wakeAt = at;
    this.#cancelWake = clock.at(at, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#goOn();
    });
  }

  /** Asked anew after each wait. */
  #isRunning(): boolean {
    return this.#state === 'running';
  }
}

function recordOf(
  { claim, webhookId, url }: ClaimedDelivery,
  result: AttemptResult,
  verdict: AttemptVerdict,
  at: Instant,
): AttemptRecord {
  const isDelivered = verdict.next === 'delivered';
  return {
    claim,
    webhookId,
    url,
    at,
    status: result.kind === 'answered' ? result.status : null,
    reason: isDelivered ? null : reasonOf(result),
    then:
      verdict.next === 'again'
        ? { state: 'pending', dueAt: (at + verdict.afterMs) as Instant }
        : { state: isDelivered ? 'delivered' : 'failed' },
    isGone: verdict.next === 'gone',
  };
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? '';
}
