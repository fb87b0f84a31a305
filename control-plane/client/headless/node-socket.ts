/** WebSockets of the headless clients: `ws` with the gateway's own CA, a record of SIP, and a plug to pull. */
import { WebSocket } from 'ws';
import type { ClientSocket, CreateSocket } from '../gateway-sockets.ts';
import { wallClockMs } from './tone-listener.ts';

export interface SipRecord {
  readonly direction: 'sent' | 'received';
  readonly at: number;
  /** The whole message, as it stood on the wire. */
  readonly message: string;
}

export interface NodeSocketsOptions {
  /** PEM of the CA that signed the gateway's certificate, where it is not a public one. */
  readonly ca?: string | undefined;
}

export class NodeSockets {
  private readonly options: NodeSocketsOptions;
  private readonly open = new Set<WebSocket>();
  /** Every SIP message of this client, oldest first. */
  readonly sip: SipRecord[] = [];

  constructor(options: NodeSocketsOptions = {}) {
    this.options = options;
  }

  readonly create: CreateSocket = (url, protocols, headers) => {
    const socket = new WebSocket(url, [...protocols], {
      headers: { ...headers },
      handshakeTimeout: 5_000,
      ...(this.options.ca === undefined ? {} : { ca: this.options.ca }),
    });
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
    return protocols.includes('sip') ? this.recorded(socket) : asClientSocket(socket);
  };

  /** Cuts every connection without a closing handshake, as a dead network does; new ones may be opened. */
  cut(): void {
    for (const socket of this.open) socket.terminate();
  }

  private recorded(socket: WebSocket): ClientSocket {
    const record = (direction: SipRecord['direction'], message: string): void => {
      if (message.trim() !== '') this.sip.push({ direction, at: wallClockMs(), message });
    };
    socket.on('message', (data: Buffer) => record('received', data.toString('utf8')));
    const client = asClientSocket(socket);
    return {
      get readyState() {
        return socket.readyState;
      },
      send(data) {
        record('sent', data);
        client.send(data);
      },
      close: (code, reason) => client.close(code, reason),
      addEventListener: client.addEventListener.bind(client),
    };
  }
}

function asClientSocket(socket: WebSocket): ClientSocket {
  return socket;
}
