import { createSocket, type RemoteInfo } from 'node:dgram';
import { refusalStatus, behaviourOf, type Behaviour } from './behaviours.ts';
import { nowMs } from './heard-tones.ts';
import { parseDialledNumber } from './indian-numbers.ts';
import type { SipFault, SipSighting } from './report-schema.ts';
import { createSipFaults } from './sip-faults.ts';
import {
  header,
  isInDialog,
  parseNameAddress,
  parseSipMessage,
  parseSipUri,
  type SipMessage,
  type SipStart,
} from './sip-message.ts';

/**
 * The carrier's SIP address (UDP) as the gateway sees it: it passes every message to the carrier's Asterisk
 * and back, and tells what it saw. What the gateway sends passes byte for byte. What the carrier sends has the
 * traces of the front taken out: the gateway's own contact as the request URI, the gateway's own address in
 * `received` and `rport` (Asterisk knows the front in its place). And two statuses are put in the place of
 * others, because Asterisk cannot send them: 603 (it has no cause for it) for its 403, and a 180 after early
 * media (it says 183 again) for its second 183.
 *
 * What Asterisk cannot do is done here: not replying at all, and the faults that a test asks for.
 */
export interface SipFront {
  readonly port: number;
  /** Where calls into the gateway go, until the gateway itself is heard from another address. */
  setGateway(address: GatewayAddress): void;
  addFault(fault: SipFault): void;
  clearFaults(): void;
  stop(): Promise<void>;
}

export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
}

export interface SipFrontOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Asterisk's own port on the same host. Nothing passes before it is known. */
  readonly carrierPort: number;
  readonly onSighting: (sighting: SipSighting, message: SipMessage) => void;
}

/** What must be remembered of a Call-ID to route its messages. */
interface Route {
  gateway: GatewayAddress;
  /** The gateway's Contact URI. */
  contactUri: string | undefined;
  /** Whether a 183 has passed. */
  hasProgressed: boolean;
  readonly number: string | undefined;
  readonly behaviour: Behaviour | undefined;
}

/** The oldest routes go first; a route is needed for as long as its call. */
const MAX_ROUTES = 2_000;

export async function startSipFront(options: SipFrontOptions): Promise<SipFront> {
  const { host, carrierPort, onSighting } = options;
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  const routes = new Map<string, Route>();
  const faults = createSipFaults();
  let gateway: GatewayAddress | undefined;

  const routeOf = (message: SipMessage, fromGateway: GatewayAddress | undefined): Route | undefined => {
    const known = routes.get(message.callId);
    if (known !== undefined) {
      if (fromGateway !== undefined) known.gateway = fromGateway;
      return known;
    }
    const address = fromGateway ?? gateway;
    if (address === undefined) return undefined;
    const number = fromGateway === undefined ? undefined : dialledNumber(message);
    const behaviour = number === undefined ? undefined : behaviourOf(number);
    const route: Route = { gateway: address, contactUri: undefined, hasProgressed: false, number, behaviour };
    routes.set(message.callId, route);
    const oldest = routes.keys().next();
    if (routes.size > MAX_ROUTES && oldest.done !== true) routes.delete(oldest.value);
    return route;
  };

  const pass = (datagram: Buffer, source: RemoteInfo): void => {
    const text = datagram.toString('latin1');
    const message = parseSipMessage(text);
    if (message === undefined) return;
    const isFromCarrier = source.address === host && source.port === carrierPort;
    const sender = isFromCarrier ? undefined : { host: source.address, port: source.port };
    if (sender !== undefined) gateway = sender;
    const route = routeOf(message, sender);
    if (route === undefined) return;
    if (!isFromCarrier) route.contactUri = contactUri(message) ?? route.contactUri;
    const passed = isFromCarrier ? asFromCarrier(text, message, route) : { text, message };
    const target = isFromCarrier ? route.gateway : { host, port: carrierPort };

    const forward = (fate: SipSighting['fate']): void => {
      const now = nowMs();
      onSighting(
        {
          at: now,
          monotonicMs: now - performance.timeOrigin,
          from: isFromCarrier ? 'carrier' : 'gateway',
          fate,
          startLine: passed.text.slice(0, passed.text.indexOf('\r\n')),
          text: passed.text,
        },
        passed.message,
      );
      if (fate === 'forwarded')
        socket.send(Buffer.from(passed.text, 'latin1'), target.port, target.host, ignoreError);
    };
    if (route.behaviour?.steps.length === 0) {
      forward('unanswered');
      return;
    }
    const fault = faults.actionFor(passed.message, isFromCarrier ? 'carrier' : 'gateway', route.number);
    if (fault === undefined) forward('forwarded');
    else if (fault.do === 'drop') forward('dropped');
    else faults.later(() => forward('forwarded'), fault.delayMs);
  };

  socket.on('message', pass);
  // A send to a port that nobody listens on may surface here as ECONNREFUSED; SIP's own timers deal with it.
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port: options.port, exclusive: true }, () => {
      socket.off('error', reject);
      socket.on('error', ignoreError);
      resolve();
    });
  });
  return {
    port: socket.address().port,
    setGateway: (address) => {
      gateway = address;
    },
    addFault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    stop: () => {
      faults.clear();
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

function dialledNumber(message: SipMessage): string | undefined {
  if (message.start.kind !== 'request' || message.start.method !== 'INVITE' || isInDialog(message))
    return undefined;
  return parseDialledNumber(parseSipUri(message.start.uri)?.user ?? '')?.e164;
}

function contactUri(message: SipMessage): string | undefined {
  return parseNameAddress(header(message, 'contact') ?? '')?.uri;
}

/** A message from the carrier as it would be without the front between. */
function asFromCarrier(
  text: string,
  message: SipMessage,
  route: Route,
): { text: string; message: SipMessage } {
  const { start } = message;
  if (start.kind === 'request') {
    const uri = route.contactUri ?? gatewayUri(start.uri, route.gateway);
    return withStart(text, message, { ...start, uri });
  }
  const { host, port } = route.gateway;
  const seen = text.replace(/^(?:Via|v)[ \t]*:[^\r]*/im, (via) =>
    via.replace(/;rport=\d+/, `;rport=${port}`).replace(/;received=[^;,\s]+/, `;received=${host}`),
  );
  const declines = route.behaviour !== undefined && refusalStatus(route.behaviour) === 603;
  if (start.status === 403 && declines)
    return withStart(seen, message, { kind: 'response', status: 603, phrase: 'Decline' });
  if (start.status !== 183) return { text: seen, message };
  const isSecond = route.hasProgressed;
  route.hasProgressed = true;
  return isSecond
    ? withStart(seen, message, { kind: 'response', status: 180, phrase: 'Ringing' })
    : { text: seen, message };
}

function withStart(
  text: string,
  message: SipMessage,
  start: SipStart,
): { text: string; message: SipMessage } {
  const line =
    start.kind === 'request'
      ? `${start.method} ${start.uri} SIP/2.0`
      : `SIP/2.0 ${start.status} ${start.phrase}`;
  return { text: line + text.slice(text.indexOf('\r\n')), message: { ...message, start } };
}

function gatewayUri(uri: string, { host, port }: GatewayAddress): string {
  const user = parseSipUri(uri)?.user;
  return `sip:${user === undefined || user === null ? '' : `${user}@`}${host}:${port}`;
}

function ignoreError(): void {
  // UDP promises nothing, and neither do we.
}
