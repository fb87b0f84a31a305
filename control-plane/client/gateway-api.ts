/**
 * The gateway's HTTP interface, as far as an app or a panel needs it. Works wherever `fetch` does.
 *
 * Every request has a deadline. What fails is a GatewayError whose `code` is stable: the gateway's own
 * (RFC 9457 `code`), or ERR_CLIENT_NETWORK, ERR_CLIENT_DEADLINE, ERR_CLIENT_RESPONSE of this side.
 */
import type { OpsAlertView } from '../src/contracts/alert-api.ts';
import type { Location, Problem } from '../src/contracts/common.ts';
import type { SessionView } from '../src/contracts/session-view.ts';
import type { Activated, ClientConfig, Timeline } from '../src/contracts/sos-api.ts';

export type { Activated, ClientConfig, Location, OpsAlertView, SessionView, Timeline };

export interface GatewayApiOptions {
  /** Where the gateway's HTTP interface is, without `/v1`: `https://sos.example.in`. */
  readonly baseUrl: string;
  /** The bearer token, asked for at each request, so that an app may renew it. */
  readonly token: () => string;
  /** Default 5 s. */
  readonly deadlineMs?: number;
  readonly fetch?: typeof fetch;
}

export interface Activation {
  readonly deviceId: string;
  readonly location?: Location | undefined;
  /** This device's clock: recorded, never trusted. */
  readonly clientTime?: string;
}

export interface Ticket {
  readonly ticket: string;
  readonly expiresAt: string;
}

/** `status` 0: no answer came. */
export class GatewayError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, detail: string) {
    super(detail);
    this.name = 'GatewayError';
    this.code = code;
    this.status = status;
  }

  /** Whether the same request may succeed later: no answer, an overload or a fault of the gateway. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

export class GatewayApi {
  private readonly options: GatewayApiOptions;

  constructor(options: GatewayApiOptions) {
    this.options = options;
  }

  get token(): string {
    return this.options.token();
  }

  /** SIP address, WebSocket URLs and ICE servers. TURN credentials in it are short-lived: ask again before use. */
  clientConfig(deviceId: string): Promise<ClientConfig> {
    return this.send({ method: 'GET', path: `/client-config?deviceId=${encodeURIComponent(deviceId)}` });
  }

  /** A single-use ticket, valid for 30 s, for one WebSocket. */
  ticket(purpose: 'sip' | 'feed', deviceId: string): Promise<Ticket> {
    return this.send({ method: 'POST', path: '/tickets', body: { purpose, deviceId } });
  }

  /** SOS. Repeat it with the same key until an answer comes: it opens one session, not two. */
  activate(activation: Activation, idempotencyKey: string): Promise<Activated> {
    return this.send({
      method: 'POST',
      path: '/sos',
      body: activation,
      headers: { 'idempotency-key': idempotencyKey },
    });
  }

  /** The warm-up: an operator is chosen, nothing is offered and nobody is called yet. */
  arm(activation: Activation): Promise<Activated> {
    return this.send({ method: 'POST', path: '/sos/arm', body: activation });
  }

  /** SOS out of an armed session, by its id. `activate` does the same, and brings the newest location along. */
  activateArmed(sessionId: string): Promise<Activated> {
    return this.send({ method: 'POST', path: `/sos/${sessionId}/activate`, body: {} });
  }

  /** Let go before the SOS went out. Refused once it is activated: then only an operator ends it. */
  release(sessionId: string): Promise<unknown> {
    return this.send({ method: 'POST', path: `/sos/${sessionId}/release`, body: {} });
  }

  /** Operators: the incident is over. */
  resolve(sessionId: string, reason?: string): Promise<unknown> {
    return this.send({
      method: 'POST',
      path: `/sos/${sessionId}/resolve`,
      body: reason === undefined ? {} : { reason },
    });
  }

  /** Operators: not reached (an announcement, voicemail), call again. */
  redial(sessionId: string): Promise<unknown> {
    return this.send({ method: 'POST', path: `/sos/${sessionId}/redial`, body: {} });
  }

  /** Who has her, or a supervisor: another operator is called, and has her once he hears her or has answered. */
  transfer(sessionId: string, to: string, reason?: string): Promise<SessionView> {
    const body = reason === undefined ? { to } : { to, reason };
    return this.send({ method: 'POST', path: `/sos/${sessionId}/transfer`, body });
  }

  /** Who has her: this panel is called into her session. A supervisor takes her over so. */
  join(sessionId: string, deviceId: string): Promise<SessionView> {
    return this.send({ method: 'POST', path: `/sos/${sessionId}/join`, body: { deviceId } });
  }

  /** Supervisors: this panel is called to listen in. */
  listen(sessionId: string, deviceId: string): Promise<SessionView> {
    return this.send({ method: 'POST', path: `/sos/${sessionId}/listen`, body: { deviceId } });
  }

  stopListening(sessionId: string): Promise<SessionView> {
    return this.send({ method: 'DELETE', path: `/sos/${sessionId}/listen` });
  }

  /** Supervisors: somebody cares for an alert about the gateway. */
  acknowledgeAlert(alertId: string): Promise<OpsAlertView> {
    return this.send({ method: 'POST', path: `/alerts/${alertId}/acknowledge`, body: {} });
  }

  get(sessionId: string): Promise<SessionView> {
    return this.send({ method: 'GET', path: `/sos/${sessionId}` });
  }

  timeline(sessionId: string): Promise<Timeline> {
    return this.send({ method: 'GET', path: `/sos/${sessionId}/timeline` });
  }

  private async send<Answer>(request: Request): Promise<Answer> {
    const response = await this.exchange(request);
    const text = await response.text().catch(() => '');
    const answer = parseJson(text);
    if (!response.ok) throw asGatewayError(response.status, answer);
    if (answer === undefined && text !== '') {
      throw new GatewayError('ERR_CLIENT_RESPONSE', response.status, 'the gateway answered no JSON');
    }
    return answer as Answer;
  }

  private async exchange(request: Request): Promise<Response> {
    const { baseUrl, deadlineMs = 5_000 } = this.options;
    const doFetch = this.options.fetch ?? fetch;
    try {
      return await doFetch(`${baseUrl.replace(/\/$/, '')}/v1${request.path}`, {
        method: request.method,
        headers: {
          authorization: `Bearer ${this.token}`,
          accept: 'application/json, application/problem+json',
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal: AbortSignal.timeout(deadlineMs),
        cache: 'no-store',
        credentials: 'omit',
      });
    } catch (error) {
      const late = error instanceof Error && error.name === 'TimeoutError';
      throw late
        ? new GatewayError('ERR_CLIENT_DEADLINE', 0, `no answer within ${deadlineMs} ms`)
        : new GatewayError('ERR_CLIENT_NETWORK', 0, 'the gateway cannot be reached');
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function asGatewayError(status: number, answer: unknown): GatewayError {
  const problem = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Problem>;
  return new GatewayError(
    typeof problem.code === 'string' ? problem.code : `ERR_HTTP_${status}`,
    status,
    typeof problem.detail === 'string' ? problem.detail : `the gateway answered ${status}`,
  );
}
