/**
 * What a client shows before it becomes a WebSocket: path, subprotocol, credential. A refusal is an HTTP answer with
 * an RFC 9457 problem, so that a client can tell a bad token (401) from a gateway that is not ready (503).
 */
import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from '../../contracts/common.ts';
import type { Credential } from './core-link.ts';
import type { EdgeCode } from './edge-codes.ts';

export type Handshake =
  | { readonly ok: true; readonly credential: Credential }
  | { readonly ok: false; readonly status: number; readonly code: EdgeCode };

const PATH = '/sip';
const MAX_TOKEN_LENGTH = 4096;
const TICKET = /^[A-Za-z0-9_\-.~]{16,200}$/;
const DEVICE = /^[A-Za-z0-9_]{1,64}$/;
const BEARER = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i;

/** Reads the credential: the `Authorization` header goes before a ticket. */
export function readHandshake(request: IncomingMessage): Handshake {
  const [path, query = ''] = (request.url ?? '').split('?', 2);
  if (path !== PATH) return { ok: false, status: 404, code: 'ERR_EDGE_PATH' };
  const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!protocols.includes('sip')) return { ok: false, status: 400, code: 'ERR_EDGE_SUBPROTOCOL' };
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (token !== undefined) {
    const deviceId = request.headers['x-hamrahi-device'];
    if (token.length > MAX_TOKEN_LENGTH)
      return { ok: false, status: 401, code: 'ERR_EDGE_CREDENTIAL_MISSING' };
    return typeof deviceId === 'string' && DEVICE.test(deviceId)
      ? { ok: true, credential: { kind: 'bearer', value: token, deviceId } }
      : { ok: false, status: 401, code: 'ERR_EDGE_DEVICE_MISSING' };
  }
  const ticket = new URLSearchParams(query).get('ticket') ?? '';
  return TICKET.test(ticket)
    ? { ok: true, credential: { kind: 'ticket', value: ticket } }
    : { ok: false, status: 401, code: 'ERR_EDGE_CREDENTIAL_MISSING' };
}

const DETAILS: Readonly<Partial<Record<string, string>>> = {
  ERR_EDGE_PATH: 'SIP over WebSocket is at /sip.',
  ERR_EDGE_UPGRADE: 'A WebSocket handshake (RFC 6455) with the subprotocol "sip" is expected.',
  ERR_EDGE_SUBPROTOCOL: 'Offer the subprotocol "sip" (RFC 7118).',
  ERR_EDGE_CREDENTIAL_MISSING: 'Send "Authorization: Bearer <token>", or "?ticket=<ticket>" from a browser.',
  ERR_EDGE_DEVICE_MISSING: 'Send X-Hamrahi-Device with the id of this device: letters, digits, underscore.',
  ERR_EDGE_CORE_UNAVAILABLE: 'Nobody can check the credential just now. Try again in a second.',
  ERR_EDGE_UPSTREAM: 'The telephone engine does not answer just now. Try again in a second.',
  ERR_EDGE_BUSY: 'Too many connections. Try again in a second.',
  ERR_EDGE_IDENTITY_SOCKETS: 'Too many devices of one identity are connected.',
  ERR_EDGE_OPENINGS: 'This device connects too often. Wait some seconds.',
};

export function problemOf(status: number, code: string): Problem {
  const title = STATUS_CODES[status] ?? 'Refused';
  return {
    type: 'about:blank',
    title,
    status,
    code,
    detail: DETAILS[code] ?? 'The credential is not accepted.',
  };
}

/** Answers an upgrade request with a refusal and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: number, code: string): void {
  const body = JSON.stringify(problemOf(status, code));
  const retry = status === 429 || status === 503 ? 'Retry-After: 1\r\n' : '';
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\nConnection: close\r\n${retry}` +
      `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
