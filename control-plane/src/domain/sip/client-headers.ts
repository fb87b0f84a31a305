/**
 * What of a client's headers reaches the engine. A list of what is allowed: anything else is left out, above all
 * what the engine would act on (Authorization names an endpoint, Record-Route and Path choose where requests go,
 * Replaces takes over calls, P-Asserted-Identity and Diversion speak for others).
 */
import { parseSipAddress, type SipAddress } from './sip-address.ts';
import { headerValues, type SipHeader } from './sip-headers.ts';
import type { SipVia } from './sip-via.ts';
import { type Checked, pass, refuse, type SipRefusalCode } from './refusal-code.ts';

const ALLOWED = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'contact',
  'content-type',
  'content-disposition',
  'mime-version',
  'expires',
  'allow',
  'supported',
  'require',
  'unsupported',
  'accept',
  'user-agent',
  'server',
  'reason',
  'rseq',
  'rack',
  'session-expires',
  'min-se',
  'retry-after',
  'warning',
  'date',
]);

const CONTACT_URI_PARAMS = new Set(['transport', 'ob', 'gr', 'rinstance']);
const WEBSOCKET = ['ws', 'wss'];

export function allowedHeaders(headers: readonly SipHeader[]): readonly SipHeader[] {
  return headers.filter((header) => ALLOWED.has(header.key));
}

/** Replaces the values of headers that the edge knows better than the client. */
export function withForced(
  headers: readonly SipHeader[],
  forced: ReadonlyMap<string, string>,
): readonly SipHeader[] {
  return headers.map((header) => {
    const value = forced.get(header.key);
    return value === undefined ? header : { ...header, value };
  });
}

/** The Via of a request that a WebSocket client made itself (RFC 7118 §5.1). */
export function isClientVia(via: SipVia): boolean {
  return (
    WEBSOCKET.includes(via.transport.toLowerCase()) &&
    via.branch?.startsWith('z9hG4bK') === true &&
    !via.params.has('maddr') &&
    !via.params.has('received')
  );
}

/** A Route may name the edge itself (an outbound proxy setting); it is left out. Elsewhere it may not lead. */
export function routeFault(headers: readonly SipHeader[], sipDomain: string): SipRefusalCode | null {
  const routes = headerValues(headers, 'route').flatMap((value) => value.split(','));
  const here = routes.every((route) => parseSipAddress(route.trim())?.uri.host === sipDomain.toLowerCase());
  return here ? null : 'ERR_EDGE_ROUTE';
}

/**
 * The Contact of a client: at most one, a WebSocket address, with nothing that chooses another destination. Its
 * host means nothing: the engine puts the connection's own address there.
 */
export function clientContact(headers: readonly SipHeader[]): Checked<SipAddress | '*' | null> {
  const contacts = headerValues(headers, 'contact');
  const [contact] = contacts;
  if (contact === undefined) return pass(null);
  if (contacts.length > 1) return refuse('ERR_EDGE_CONTACT');
  if (contact === '*') return pass('*');
  const address = parseSipAddress(contact);
  if (address === null || address.uri.hasHeaders) return refuse('ERR_EDGE_CONTACT');
  const { params } = address.uri;
  const transport = params.get('transport');
  if (transport !== undefined && !WEBSOCKET.includes(transport.toLowerCase()))
    return refuse('ERR_EDGE_CONTACT');
  for (const name of params.keys()) if (!CONTACT_URI_PARAMS.has(name)) return refuse('ERR_EDGE_CONTACT');
  return pass(address);
}
