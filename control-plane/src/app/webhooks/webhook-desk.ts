/** What a backend or an admin does with webhooks, over the API. */
import type { Instant } from '../../domain/ids.ts';
import type { MessageId, WebhookId } from '../../domain/webhook/webhook-ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { nameOf } from '../../ports/gateway.ts';
import type { Caller } from '../../ports/gateway.ts';
import type { WebhookSecrets, WebhookSender } from '../../ports/webhook-sender.ts';
import type { WebhookEndpointStore } from '../../ports/webhook-store.ts';
import type {
  Delivery,
  DeliveryFilter,
  Webhook,
  WebhookResult,
  Webhooks,
  WebhookSettings,
  WebhookWithSecret,
} from '../../ports/webhooks.ts';

export interface DeskPorts {
  readonly endpoints: WebhookEndpointStore;
  readonly secrets: Pick<WebhookSecrets, 'create'>;
  readonly sender: Pick<WebhookSender, 'refusal'>;
  /** A UUID. */
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
  /** Something is due. */
  readonly nudge: () => void;
  /** This endpoint begins anew. */
  readonly changed: (id: WebhookId) => void;
}

type Refusal = Extract<WebhookResult<never>, { ok: false }>;

const UNKNOWN = refused('ERR_WEBHOOK_NOT_FOUND', 'no such webhook');
const NO_KEY = refused('ERR_WEBHOOK_NO_DATA_KEY', 'the gateway has no key to keep a secret with');
const DISABLED = refused('ERR_WEBHOOK_DISABLED', 'nothing is sent to a webhook that is disabled');

export class WebhookDesk implements Webhooks {
  readonly #ports: DeskPorts;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  async create(caller: Caller, settings: WebhookSettings): Promise<WebhookResult<WebhookWithSecret>> {
    const { endpoints, secrets, newId, clock } = this.#ports;
    const wrong = this.#urlRefusal(settings);
    if (wrong) return wrong;
    const id = newId() as WebhookId;
    const made = secrets.create(id);
    if (made === null) return NO_KEY;
    const at = clock.now();
    if (!(await endpoints.add(id, nameOf(caller), asJudged(settings), made.sealed, at)))
      return refused('ERR_WEBHOOK_LIMIT', 'there are as many webhooks as there can be');
    const webhook = await endpoints.find(id);
    if (webhook === null) return UNKNOWN;
    this.#say('A webhook endpoint was created.', webhook, caller);
    return { ok: true, value: { webhook, secret: made.secret } };
  }

  list(caller: Caller): Promise<readonly Webhook[]> {
    return this.#ports.endpoints.list(caller.role === 'admin' ? null : nameOf(caller));
  }

  async find(caller: Caller, id: WebhookId): Promise<WebhookResult<Webhook>> {
    const webhook = await this.#own(caller, id);
    return webhook === null ? UNKNOWN : { ok: true, value: webhook };
  }

  async replace(caller: Caller, id: WebhookId, settings: WebhookSettings): Promise<WebhookResult<Webhook>> {
    const { endpoints, clock, changed, nudge } = this.#ports;
    const wrong = this.#urlRefusal(settings);
    if (wrong) return wrong;
    if ((await this.#own(caller, id)) === null) return UNKNOWN;
    const webhook = await endpoints.replace(id, asJudged(settings), clock.now());
    if (webhook === null) return UNKNOWN;
    // One that is gone and stays disabled is told nothing still.
    if (webhook.disabledBecause !== 'gone') changed(id);
    nudge();
    this.#say('A webhook endpoint was changed.', webhook, caller);
    return { ok: true, value: webhook };
  }

  async remove(caller: Caller, id: WebhookId): Promise<WebhookResult<void>> {
    const { endpoints, changed, log } = this.#ports;
    if ((await this.#own(caller, id)) === null) return UNKNOWN;
    if (!(await endpoints.remove(id))) return UNKNOWN;
    changed(id);
    log.warn('A webhook endpoint was removed.', { webhookId: id, by: nameOf(caller) });
    return { ok: true, value: undefined };
  }

  async rotateSecret(
    caller: Caller,
    id: WebhookId,
    previousValidMs: number,
  ): Promise<WebhookResult<WebhookWithSecret>> {
    const { endpoints, secrets, clock } = this.#ports;
    if ((await this.#own(caller, id)) === null) return UNKNOWN;
    const made = secrets.create(id);
    if (made === null) return NO_KEY;
    const at = clock.now();
    const webhook = await endpoints.renewSecret(id, made.sealed, (at + previousValidMs) as Instant, at);
    if (webhook === null) return UNKNOWN;
    this.#say('The secret of a webhook endpoint was rotated.', webhook, caller);
    return { ok: true, value: { webhook, secret: made.secret } };
  }

  async test(caller: Caller, id: WebhookId): Promise<WebhookResult<Delivery>> {
    const { endpoints, newId, clock, nudge } = this.#ports;
    const off = await this.#off(caller, id);
    if (off) return off;
    const delivery = await endpoints.addTest(id, `msg_${newId()}` as MessageId, clock.now());
    if (delivery === null) return UNKNOWN;
    nudge();
    return { ok: true, value: delivery };
  }

  async deliveries(
    caller: Caller,
    id: WebhookId,
    filter: DeliveryFilter,
  ): Promise<WebhookResult<readonly Delivery[]>> {
    const webhook = await this.#own(caller, id);
    if (webhook === null) return UNKNOWN;
    return { ok: true, value: await this.#ports.endpoints.deliveries(id, filter) };
  }

  async redeliver(caller: Caller, id: WebhookId, messageId: MessageId): Promise<WebhookResult<Delivery>> {
    const { endpoints, clock, nudge } = this.#ports;
    const off = await this.#off(caller, id);
    if (off) return off;
    const delivery = await endpoints.redeliver(id, messageId, clock.now());
    if (delivery === null)
      return refused('ERR_WEBHOOK_DELIVERY_NOT_FOUND', 'no such delivery, or it was kept no longer');
    nudge();
    return { ok: true, value: delivery };
  }

  /** `null`: there is none, or it is another backend's, which is the same to whoever asks. Owners never change. */
  async #own(caller: Caller, id: WebhookId): Promise<Webhook | null> {
    const webhook = await this.#ports.endpoints.find(id);
    const isOwn = caller.role === 'admin' || webhook?.owner === null || webhook?.owner === nameOf(caller);
    return isOwn ? webhook : null;
  }

  /** Why nothing can be sent there now. */
  async #off(caller: Caller, id: WebhookId): Promise<Refusal | null> {
    const webhook = await this.#own(caller, id);
    if (webhook === null) return UNKNOWN;
    return webhook.enabled ? null : DISABLED;
  }

  #urlRefusal({ url }: WebhookSettings): Refusal | null {
    const why = this.#ports.sender.refusal(url);
    return why === null ? null : refused('ERR_WEBHOOK_URL', why);
  }

  /** Where events go is where citizens' data go: who decided that is on the log. Of the URL the host alone is no secret. */
  #say(what: string, { id, url, enabled, events }: Webhook, caller: Caller): void {
    const host = URL.parse(url)?.host ?? '';
    this.#ports.log.warn(what, {
      webhookId: id,
      host,
      enabled,
      events: events.join(' '),
      by: nameOf(caller),
    });
  }
}

/** Its URL as it was read: what was judged is what is sent to. */
function asJudged(settings: WebhookSettings): WebhookSettings {
  return { ...settings, url: new URL(settings.url).href };
}

function refused(code: Refusal['code'], detail: string): Refusal {
  return { ok: false, code, detail };
}
