/**
 * A SIP message read as far as the edge must understand it (RFC 3261 §7, §25), and written again from what was
 * read: what the reader did not understand is not passed on.
 *
 * Text here is a *byte string*: every character is one byte of the wire (ISO 8859-1 decoding), so that lengths are
 * byte lengths and nothing is lost on the way back. One WebSocket frame holds one message (RFC 7118 §5), hence
 * Content-Length may be absent, and must fit exactly where it is present.
 */
import { CONTROL_CHARACTER } from '../control-characters.ts';
import { parseSipAddress, type SipAddress } from './sip-address.ts';
import { hasDuplicates, headerValue, headerValues, parseSipHeaders, type SipHeader } from './sip-headers.ts';
import { parseSipVia, type SipVia } from './sip-via.ts';
import type { SipRefusalCode } from './refusal-code.ts';

/** What a message and the answer to it have in common. */
export interface SipCore {
  readonly headers: readonly SipHeader[];
  readonly via: SipVia;
  readonly from: SipAddress;
  readonly to: SipAddress;
  readonly callId: string;
  readonly cseq: { readonly number: number; readonly method: string };
}

export interface SipRequest extends SipCore {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly body: string;
}

export interface SipResponse extends SipCore {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly body: string;
}

export type SipMessage = SipRequest | SipResponse;

export type SipParse =
  | { readonly ok: true; readonly message: SipMessage }
  /** `answerable`: the request as far as it could be read, when that is enough to answer it. */
  | { readonly ok: false; readonly code: SipRefusalCode; readonly answerable: SipRequest | null };

const MAX_START_LINE_LENGTH = 1024;
const MAX_CSEQ = 2 ** 31 - 1;
const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]{1,32}) ([^\s<>"]+) SIP\/2\.0$/;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d) (.*)$/;
const CALL_ID = /^[^\s\0-\x20\x7f-\xff,]{1,256}$/;
const CSEQ = /^(\d{1,10})[ \t]+([A-Za-z0-9\-.!%*_+`'~]{1,32})$/;
const LENGTH = /^\d{1,7}$/;
const MANDATORY = ['via', 'from', 'to', 'call-id', 'cseq'] as const;

type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string };

function failure(code: SipRefusalCode, answerable: SipRequest | null = null): SipParse {
  return { ok: false, code, answerable };
}

/** Reads one message. Leading empty lines are skipped (RFC 3261 §7.5). */
export function parseSipMessage(bytes: string): SipParse {
  const text = bytes.startsWith('\r\n') ? bytes.replace(/^(?:\r\n)+/, '') : bytes;
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return failure('ERR_EDGE_SIP_SYNTAX');
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const start = parseStartLine(first);
  if (start === null) return failure('ERR_EDGE_SIP_SYNTAX');
  const headers = parseSipHeaders(lines);
  if (!headers.ok) return failure(headers.code);

  const core = parseCore(headers.value);
  if (!core.ok) return failure(core.code);
  const body = text.slice(headEnd + 4);
  const message: SipMessage = { ...start, ...core.core, body };
  const answerable = message.kind === 'request' && message.method !== 'ACK' ? message : null;
  if (hasDuplicates(headers.value)) return failure('ERR_EDGE_SIP_DUPLICATE', answerable);
  if (message.kind === 'request' && message.cseq.method !== message.method)
    return failure('ERR_EDGE_SIP_MANDATORY', answerable);
  const length = headerValue(headers.value, 'content-length');
  if (length !== null && (!LENGTH.test(length) || Number(length) !== body.length))
    return failure('ERR_EDGE_SIP_LENGTH', answerable);
  return { ok: true, message };
}

function parseStartLine(line: string): StartLine | null {
  if (line.length > MAX_START_LINE_LENGTH || CONTROL_CHARACTER.test(line)) return null;
  const status = STATUS_LINE.exec(line);
  if (status !== null) return { kind: 'response', status: Number(status[1]), reason: status[2] ?? '' };
  const request = REQUEST_LINE.exec(line);
  const [, method, uri] = request ?? [];
  return method === undefined || uri === undefined ? null : { kind: 'request', method, uri };
}

type CoreParse =
  { readonly ok: true; readonly core: SipCore } | { readonly ok: false; readonly code: SipRefusalCode };

function parseCore(headers: readonly SipHeader[]): CoreParse {
  for (const key of MANDATORY)
    if (headerValue(headers, key) === null) return { ok: false, code: 'ERR_EDGE_SIP_MANDATORY' };
  const vias = headerValues(headers, 'via');
  const via = vias.length === 1 ? parseSipVia(vias[0] ?? '') : null;
  if (via === null) return { ok: false, code: 'ERR_EDGE_SIP_VIA' };
  const from = parseSipAddress(headerValue(headers, 'from') ?? '');
  const to = parseSipAddress(headerValue(headers, 'to') ?? '');
  const callId = headerValue(headers, 'call-id') ?? '';
  const cseq = CSEQ.exec(headerValue(headers, 'cseq') ?? '');
  const number = Number(cseq?.[1]);
  if (from === null || to === null || cseq === null || !CALL_ID.test(callId) || number > MAX_CSEQ)
    return { ok: false, code: 'ERR_EDGE_SIP_SYNTAX' };
  return { ok: true, core: { headers, via, from, to, callId, cseq: { number, method: cseq[2] ?? '' } } };
}

/** The message as a byte string, headers as they were written but unfolded, Content-Length as the body is. */
export function renderSipMessage(message: SipMessage): string {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  let head = start;
  for (const { key, name, value } of message.headers)
    if (key !== 'content-length') head += `${name}: ${value}\r\n`;
  return `${head}Content-Length: ${message.body.length}\r\n\r\n${message.body}`;
}

/** The `tag` of a From or To, or `null`. */
export function tagOf(address: SipAddress): string | null {
  return address.params.get('tag') ?? null;
}
