/**
 * Connections that have shown no good token yet. They may fill only half of what the server takes: beyond, the oldest
 * of them goes. So whoever floods the server without a token, silent, slow or half way through a TLS handshake, finds
 * the other half closed to him, and an activation, which shows its token in its first packet, finds it open.
 */
import type { Socket } from 'node:net';
import type { Metrics } from '../../ports/log.ts';

/** A phone and a panel need a handful. */
const MAX_KNOWN = 64;

export class Strangers {
  readonly #limit: number;
  readonly #metrics: Metrics;
  /** Oldest first. By peer address and port, which the plain socket and the TLS socket above it share. */
  readonly #connections = new Map<string, Socket>();

  /** Connections that are no strangers, by person. */
  readonly #known = new Map<string, number>();

  constructor(limit: number, metrics: Metrics) {
    this.#limit = limit;
    this.#metrics = metrics;
  }

  came(socket: Socket): void {
    const key = keyOf(socket);
    this.#connections.set(key, socket);
    socket.once('close', () => {
      if (this.#connections.get(key) === socket) this.#connections.delete(key);
    });
    const [oldest] = this.#connections;
    if (this.#connections.size <= this.#limit || oldest === undefined) return;
    this.#connections.delete(oldest[0]);
    this.#metrics.count('hamrahi_http_strangers_cut_total');
    oldest[1].destroy();
  }

  /**
   * It showed a good token: it is no stranger any more. One person has only so many such connections; what is beyond
   * stays a stranger, so that no single token fills the server. `who` null: the backend, or somebody counted elsewhere.
   */
  recognised(socket: Socket, who: string | null): void {
    const key = keyOf(socket);
    if (!this.#connections.has(key)) return;
    const own = who === null ? 0 : (this.#known.get(who) ?? 0);
    if (own >= MAX_KNOWN) return;
    this.#connections.delete(key);
    if (who === null) return;
    this.#known.set(who, own + 1);
    socket.once('close', () => {
      const left = (this.#known.get(who) ?? 1) - 1;
      if (left > 0) this.#known.set(who, left);
      else this.#known.delete(who);
    });
  }
}

function keyOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
