/**
 * The two WebSockets of a client: SIP (`wss://…/sip`, RFC 7118) and the panel's feed.
 *
 * Browsers cannot set headers on a WebSocket, so each connection takes a fresh single-use ticket in its URL.
 * Apps send the token as a header instead (`credentials: 'header'`), which saves a round trip.
 */
import type { GatewayApi } from './gateway-api.ts';

/** What is used of a WebSocket; the browser's own class fits. */
export interface ClientSocket {
  /** 1: open. */
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

/** Starts to connect. `headers` is empty in ticket mode. */
export type CreateSocket = (
  url: string,
  protocols: readonly string[],
  headers: Readonly<Record<string, string>>,
) => ClientSocket;

export interface GatewaySocketsOptions {
  readonly api: GatewayApi;
  /** The device (citizen) or panel client (operator): part of the SIP address. Letters, digits, underscore. */
  readonly deviceId: string;
  /** Default: the WebSocket of the browser (or of Node). */
  readonly createSocket?: CreateSocket;
  /** Default `ticket`. */
  readonly credentials?: 'ticket' | 'header';
}

export class GatewaySockets {
  readonly deviceId: string;
  private readonly options: GatewaySocketsOptions;

  constructor(options: GatewaySocketsOptions) {
    this.options = options;
    this.deviceId = options.deviceId;
  }

  /** Connects SIP. The socket is returned while it still connects. */
  openSip(sipWssUrl: string): Promise<ClientSocket> {
    return this.open('sip', new URL(sipWssUrl), ['sip']);
  }

  /** Connects the feed; `since` resumes after that sequence number, `null` asks for a snapshot. */
  openFeed(feedUrl: string, since: number | null): Promise<ClientSocket> {
    const url = new URL(feedUrl);
    if (since !== null) url.searchParams.set('since', String(since));
    return this.open('feed', url, []);
  }

  private async open(purpose: 'sip' | 'feed', url: URL, protocols: string[]): Promise<ClientSocket> {
    const { api, deviceId, createSocket = createBrowserSocket, credentials = 'ticket' } = this.options;
    if (credentials === 'header') {
      if (purpose === 'feed') url.searchParams.set('device', deviceId);
      const headers = { authorization: `Bearer ${api.token}`, 'x-hamrahi-device': deviceId };
      return createSocket(url.href, protocols, headers);
    }
    const { ticket } = await api.ticket(purpose, deviceId);
    url.searchParams.set('ticket', ticket);
    return createSocket(url.href, protocols, {});
  }
}

function createBrowserSocket(url: string, protocols: readonly string[]): ClientSocket {
  return new WebSocket(url, [...protocols]);
}
