/**
 * Delivers what the outbox holds. A round, over and over: make deliveries of new events, begin what is due; beside it,
 * attempts that have ended are written down, so that no news waits for that. Everything is a row, so that a process that
 * dies loses nothing: what it had begun is sent again, under the same id. Only the node that holds the lease has one.
 */
import type { Instant } from '../../domain/ids.ts';
import { judgeAttempt, reasonOf } from '../../domain/webhook/judge-attempt.ts';
import type { AttemptResult, AttemptVerdict } from '../../domain/webhook/judge-attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { StoreError } from '../../ports/session-store.ts';
import type { WebhookSecrets, WebhookSender } from '../../ports/webhook-sender.ts';
import type {
  ClaimedDelivery,
  DeliveryQueue,
  Room,
  WebhookEndpointStore,
} from '../../ports/webhook-store.ts';
import { AttemptEnds } from './attempt-ends.ts';
import { BusyEndpoints } from './busy-endpoints.ts';
import type { EndpointHealth } from './endpoint-health.ts';
import { Rounds } from './rounds.ts';
import { webhookBody } from './webhook-body.ts';

/** Of one endpoint at once. */
export const ROOM: Room = { first: 24, again: 8 };
const FAN_OUT_ROWS = 200;
const RECORDED_AT_ONCE = 200;
/** Whatever nobody told of is found after this. */
const LOOK_EVERY_MS = 1000;
/** After others were in the way. */
const AGAIN_MS = 50;
/** Beyond an attempt's deadline, with room for a database that is slow to take its end. */
export const LEASE_MS = 30_000;
/** For attempts under way when the process is to end, and to write them down: a node that waits has its lease the sooner. */
const ENDING_MS = 200;
const TIDYING_MS = 300;

export interface DispatcherPorts {
  /** Of this process alone. */
  readonly owner: string;
  readonly queue: DeliveryQueue;
  readonly endpoints: Pick<WebhookEndpointStore, 'list'>;
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
  readonly #rounds = new Rounds(() => this.#guarded(() => this.#round()));
  readonly #bookings = new Rounds(() => this.#guarded(() => this.#writeDown()));
  readonly #ends = new AttemptEnds();
  /** There may be something in the outbox. */
  #hasNews = false;
  #isNudged = false;
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

  /** Something was committed that may be told: after what is to be carried out of it has gone its way. */
  nudge(): void {
    this.#hasNews = true;
    if (this.#isNudged) return;
    this.#isNudged = true;
    const { clock } = this.#ports;
    clock.at(clock.now(), () => {
      this.#isNudged = false;
      this.#goOn();
    });
  }

  /** Attempts that do not end soon are given up; whoever comes next begins them again at once. */
  async stop(): Promise<void> {
    const wasRunning = this.#state === 'running';
    this.#state = 'stopped';
    this.#cancelLook();
    this.#cancelWake();
    if (!wasRunning) return;
    const { queue, owner, sender, log } = this.#ports;
    const late = this.#pause(ENDING_MS);
    await Promise.race([this.#rounds.idle(), late]);
    await Promise.race([Promise.all(this.#underWay), late]);
    sender.close();
    const tidied = this.#writeDown()
      .then(() => queue.giveBack(owner))
      .catch((error: unknown) => {
        log.warn('Webhooks that were under way are sent again by who comes next.', { error: String(error) });
      });
    await Promise.race([tidied, this.#pause(TIDYING_MS)]);
  }

  /** While the database is away, this is all that asks it. */
  #look(): void {
    const { clock } = this.#ports;
    this.#hasNews = true;
    this.#rounds.want();
    if (this.#ends.size > 0) this.#bookings.want();
    this.#cancelLook = clock.at((clock.now() + LOOK_EVERY_MS) as Instant, () => this.#look());
  }

  #goOn(rounds: Rounds = this.#rounds): void {
    if (this.#isRunning() && !this.#isAway) rounds.want();
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    if (!this.#isRunning()) return;
    try {
      await work();
      if (this.#isAway) this.#ports.log.info('The database is back: webhooks go on.');
      this.#isAway = false;
    } catch (error) {
      this.#failed(error);
    }
  }

  async #round(): Promise<void> {
    const { queue, clock, owner } = this.#ports;
    if (!this.#hasTakenOver) await this.#takeOver();
    // Leases may be over by now: what has ended must not begin again for that.
    if (this.#isAway) await this.#writeDown();
    if (this.#hasNews) {
      this.#hasNews = false;
      const taken = await queue.fanOut(FAN_OUT_ROWS, clock.now());
      if (taken === FAN_OUT_ROWS) this.nudge();
    }
    if (!this.#isRunning()) return;
    const now = clock.now();
    const until = (now + LEASE_MS) as Instant;
    const claimed = await queue.claim({ owner, now, until, room: ROOM, busy: this.#busy.all });
    if (!this.#isRunning()) return;
    for (const one of claimed) {
      if (this.#ends.hasEnded(one)) this.#bookings.want();
      else this.#deliver(one);
    }
  }

  async #takeOver(): Promise<void> {
    const { queue, owner, endpoints, health, log } = this.#ports;
    health.recall(await endpoints.list(null));
    const found = await queue.takeOver(owner);
    if (found > 0) log.info('Webhooks that another process had begun are sent again.', { found });
    this.#hasTakenOver = true;
  }

  /** Harmless when repeated: an end counts for its claim alone. */
  async #writeDown(): Promise<void> {
    while (this.#ends.size > 0) {
      const ends = this.#ends.first(RECORDED_AT_ONCE);
      await this.#ports.queue.record(ends);
      this.#ends.recorded(ends);
      this.#goOn();
    }
  }

  #failed(error: unknown): void {
    const { clock, log, metrics } = this.#ports;
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
    if (error.code === 'ERR_STORE_CONFLICT') {
      this.#wake((clock.now() + AGAIN_MS) as Instant);
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
      this.#goOn(this.#bookings);
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
        at: clock.wall(),
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
    this.#ends.add(delivery, result, verdict, at);
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
      if (this.#ends.size > 0) this.#goOn(this.#bookings);
    });
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve) => void clock.at((clock.now() + ms) as Instant, resolve));
  }

  /** Asked anew after each wait. */
  #isRunning(): boolean {
    return this.#state === 'running';
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? '';
}
