/** Sends webhooks over HTTP(S): signed, to permitted addresses, never through a proxy, never after a redirect. */
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import type { ClientRequest, RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Instant } from '../../domain/ids.ts';
import type { AttemptResult } from '../../domain/webhook/judge-attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import { SEND_DEADLINE_MS } from '../../ports/webhook-sender.ts';
import type { WebhookMessage, WebhookSender } from '../../ports/webhook-sender.ts';
import { AddressGuard } from './address-guard.ts';
import type { AddressGuardSettings } from './address-guard.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { hostAddresses } from './host-addresses.ts';
import type { FindAddresses } from './host-addresses.ts';
import { RequestWatch } from './request-watch.ts';
import type { Unanswered } from './request-watch.ts';
import { signedHeaders } from './signature.ts';
import { urlRefusal } from './url-refusal.ts';

const MAX_HEADER_BYTES = 8192;
/** Connections that wait for the next message, of one receiver. */
const IDLE_CONNECTIONS = 16;
const IDLE_MS = 30_000;

export interface HttpSenderOptions extends AddressGuardSettings {
  readonly allowHttp: boolean;
  readonly clock: Clock;
  /** In place of hosts file and DNS. */
  readonly findAddresses?: FindAddresses;
}

export class HttpWebhookSender implements WebhookSender {
  readonly #guard: AddressGuard;
  readonly #allowHttp: boolean;
  readonly #clock: Clock;
  readonly #underWay = new Set<ClientRequest>();
  readonly #agents: {
    readonly kept: Readonly<Record<string, PlainAgent>>;
    readonly fresh: Readonly<Record<string, PlainAgent>>;
  };

  constructor(options: HttpSenderOptions) {
    this.#guard = new AddressGuard(options);
    this.#allowHttp = options.allowHttp;
    this.#clock = options.clock;
    const lookup = guardedLookup(options.findAddresses ?? hostAddresses(), this.#guard);
    const kept = { lookup, keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, timeout: IDLE_MS };
    const fresh = { lookup, keepAlive: false };
    // No environment is read for proxies: an agent of one's own has none unless it is told.
    this.#agents = {
      kept: { 'http:': new PlainAgent(kept), 'https:': new TlsAgent(kept) },
      fresh: { 'http:': new PlainAgent(fresh), 'https:': new TlsAgent(fresh) },
    };
  }

  refusal(url: string): string | null {
    return urlRefusal(url, this.#guard, this.#allowHttp);
  }

  async send(message: WebhookMessage): Promise<AttemptResult> {
    // Settings may have changed since it was taken in; and an address in a URL is never looked up.
    if (this.refusal(message.url) !== null) return { kind: 'unanswered', reason: 'refused-address' };
    const deadline = (this.#clock.now() + SEND_DEADLINE_MS) as Instant;
    const result = await this.#attempt(message, this.#agents.kept, deadline);
    if ('kind' in result) return result;
    // A connection that the receiver had closed while it lay idle: that says nothing of the receiver.
    const again = result.wasStale ? await this.#attempt(message, this.#agents.fresh, deadline) : result;
    return 'kind' in again ? again : { kind: 'unanswered', reason: again.reason };
  }

  close(): void {
    for (const request of this.#underWay) request.destroy();
    for (const agents of [this.#agents.kept, this.#agents.fresh])
      for (const agent of Object.values(agents)) agent.destroy();
  }

  #attempt(
    message: WebhookMessage,
    agents: Readonly<Record<string, PlainAgent>>,
    deadline: Instant,
  ): Promise<AttemptResult | Unanswered> {
    const url = new URL(message.url);
    const isTls = url.protocol === 'https:';
    const body = Buffer.from(message.body);
    const options: RequestOptions = {
      method: 'POST',
      agent: agents[url.protocol],
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        'user-agent': 'hamrahi-voice-gateway',
        ...signedHeaders(message),
      },
    };
    return new Promise((resolve) => {
      const request = (isTls ? tlsRequest : plainRequest)(url, options);
      new RequestWatch(this.#clock, request, deadline, resolve);
      this.#underWay.add(request);
      request.on('close', () => this.#underWay.delete(request));
      request.end(body);
    });
  }
}
