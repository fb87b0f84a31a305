/**
 * A SIP message as far as the simulator must understand it (RFC 3261 §7): the start line, headers by name in
 * either form (§7.3.3), and the few values that are reported. Reading only: the bytes on the wire stay as
 * they came, but for the start line where the front says so.
 */
export interface SipMessage {
  readonly start: SipStart;
  /** Values in order, by lower-case full name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
  readonly callId: string;
  readonly cseq: { readonly number: number; readonly method: string };
}

export type SipStart =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly phrase: string };

/** RFC 3326. `cause` is null where the header has none. */
export interface SipReason {
  readonly protocol: string;
  readonly cause: number | null;
  readonly text: string | null;
}

export interface NameAddress {
  readonly displayName: string | null;
  readonly uri: string;
  readonly user: string | null;
  readonly host: string;
  /** Whether the URI carries `user=phone`. */
  readonly userPhone: boolean;
}

const COMPACT_NAMES: Readonly<Record<string, string>> = {
  i: 'call-id',
  f: 'from',
  t: 'to',
  m: 'contact',
  v: 'via',
  l: 'content-length',
  c: 'content-type',
  k: 'supported',
  s: 'subject',
  e: 'content-encoding',
};

/** Undefined when it is no SIP message with a Call-ID and a CSeq (a keep-alive, for instance). */
export function parseSipMessage(text: string): SipMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const [startLine = '', ...lines] = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const start = parseStart(startLine);
  const headers = parseHeaders(lines);
  const callId = headers.get('call-id')?.[0];
  const cseq = /^(\d+)\s+(\S+)$/.exec(headers.get('cseq')?.[0] ?? '');
  if (start === undefined || callId === undefined || cseq === null) return undefined;
  return {
    start,
    headers,
    body: end < 0 ? '' : text.slice(end + 4),
    callId,
    cseq: { number: Number(cseq[1]), method: cseq[2] ?? '' },
  };
}

export function header(message: SipMessage, name: string): string | undefined {
  return message.headers.get(name.toLowerCase())?.[0];
}

/** A To tag marks a request inside a dialog (RFC 3261 §12.2). */
export function isInDialog(message: SipMessage): boolean {
  return /;\s*tag=/i.test(header(message, 'to') ?? '');
}

export function parseReasons(message: SipMessage): SipReason[] {
  const values = (message.headers.get('reason') ?? []).flatMap((value) => splitOutsideQuotes(value, ','));
  return values.map((value) => {
    const [protocol = '', ...parameters] = splitOutsideQuotes(value, ';').map((part) => part.trim());
    const parameter = (name: string): string | undefined =>
      parameters.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
    const cause = parameter('cause');
    return {
      protocol,
      cause: cause !== undefined && /^\d+$/.test(cause) ? Number(cause) : null,
      text: parameter('text')?.replaceAll(/^"|"$/g, '') ?? null,
    };
  });
}

/** Of From, To, Contact and the identity headers; undefined when there is no URI in it. */
export function parseNameAddress(value: string): NameAddress | undefined {
  const bracketed = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<([^>]+)>/.exec(value);
  // Without brackets, parameters are the header's and not the URI's (RFC 3261 §20).
  const uri = bracketed?.[3] ?? value.split(';')[0]?.trim() ?? '';
  const parts = parseSipUri(uri);
  const name = (bracketed?.[1] ?? bracketed?.[2] ?? '').trim();
  return parts === undefined ? undefined : { displayName: name === '' ? null : name, uri, ...parts };
}

/** A sip, sips or tel URI; of a tel URI the number is the user. */
export function parseSipUri(uri: string): Pick<NameAddress, 'user' | 'host' | 'userPhone'> | undefined {
  const parts = /^(?:sips?|tel):(?:([^@]*)@)?([^;?]+)/i.exec(uri);
  if (parts === null) return undefined;
  const userPhone = /;user=phone(?:;|\?|$)/i.test(uri);
  if (/^tel:/i.test(uri)) return { user: parts[2] ?? null, host: '', userPhone };
  return { user: userPart(parts[1]), host: parts[2] ?? '', userPhone };
}

/** Without password and user parameters (RFC 3261 §19.1.1). */
function userPart(user: string | undefined): string | null {
  return user?.split(/[:;]/)[0] ?? null;
}

function parseStart(line: string): SipStart | undefined {
  const response = /^SIP\/2\.0 (\d{3})(?: (.*))?$/.exec(line);
  if (response !== null) return { kind: 'response', status: Number(response[1]), phrase: response[2] ?? '' };
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(line);
  if (request === null) return undefined;
  return { kind: 'request', method: request[1] ?? '', uri: request[2] ?? '' };
}

function parseHeaders(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const written = line.slice(0, colon).trim().toLowerCase();
    const name = COMPACT_NAMES[written] ?? written;
    const values = headers.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    headers.set(name, values);
  }
  return headers;
}

function splitOutsideQuotes(value: string, separator: string): string[] {
  const parts: string[] = [''];
  let quoted = false;
  for (const character of value) {
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) parts.push('');
    else parts[parts.length - 1] = (parts.at(-1) ?? '') + character;
  }
  return parts;
}
