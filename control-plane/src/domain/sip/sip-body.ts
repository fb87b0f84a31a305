/** Finds every session description in a message's body: alone, or as part of a multipart (RFC 5621, RFC 2046). */
import { headerValue, parseSipHeaders } from './sip-headers.ts';
import { parseHeaderParams } from './sip-address.ts';
import type { SipMessage } from './sip-message.ts';
import { type Checked, pass, refuse } from './refusal-code.ts';

const MAX_PARTS = 8;
const CONTENT_TYPE = /^([a-z0-9\-.+]+)[ \t]*\/[ \t]*([a-z0-9\-.+]+)([ \t]*;.*)?$/i;
const BOUNDARY = /^[A-Za-z0-9'()+_,\-./:=?]{1,70}$/;
const PLAIN_ENCODINGS = ['7bit', '8bit', 'binary', 'identity'];

/** What the describer's SDP becomes; and whether bodies that hold no SDP may pass (only the engine's may). */
export interface BodyRule {
  readonly sdp: (text: string) => Checked<string>;
  readonly mayCarryOthers: boolean;
}

/** The body with every description rewritten by the rule. A body that cannot be read is refused. */
export function ruleBody(message: SipMessage, rule: BodyRule): Checked<string> {
  if (message.body === '') return pass('');
  return rulePart(
    message.body,
    headerValue(message.headers, 'content-type'),
    headerValue(message.headers, 'content-encoding'),
    rule,
    false,
  );
}

function rulePart(
  body: string,
  type: string | null,
  encoding: string | null,
  rule: BodyRule,
  nested: boolean,
): Checked<string> {
  const match = CONTENT_TYPE.exec(type ?? '');
  if (match === null) return refuse('ERR_EDGE_BODY_TYPE');
  if (encoding !== null && !PLAIN_ENCODINGS.includes(encoding.toLowerCase()))
    return refuse('ERR_EDGE_BODY_TYPE');
  const kind = (match[1] ?? '').toLowerCase();
  const subtype = (match[2] ?? '').toLowerCase();
  if (kind === 'multipart') {
    const boundary = boundaryOf(match[3] ?? '');
    return nested || boundary === null ? refuse('ERR_EDGE_BODY_TYPE') : ruleParts(body, boundary, rule);
  }
  if (kind === 'application' && subtype === 'sdp') return rule.sdp(body);
  return rule.mayCarryOthers ? pass(body) : refuse('ERR_EDGE_BODY_TYPE');
}

function boundaryOf(params: string): string | null {
  const raw = parseHeaderParams(params)?.get('boundary') ?? '';
  const boundary = raw.startsWith('"') ? raw.slice(1, -1) : raw;
  return BOUNDARY.test(boundary) ? boundary : null;
}

/** No preamble and no epilogue: they are for mail readers, and a place to hide a part from one of two readers. */
function ruleParts(body: string, boundary: string, rule: BodyRule): Checked<string> {
  const delimiter = `--${boundary}`;
  const end = body.endsWith('\r\n') ? body.slice(0, -2) : body;
  if (!body.startsWith(`${delimiter}\r\n`) || !end.endsWith(`\r\n${delimiter}--`))
    return refuse('ERR_EDGE_BODY_TYPE');
  const inner = end.slice(delimiter.length + 2, -(delimiter.length + 4));
  const parts = inner.split(`\r\n${delimiter}\r\n`);
  if (parts.length > MAX_PARTS || parts.some((part) => part.includes(delimiter)))
    return refuse('ERR_EDGE_BODY_TYPE');
  let text = '';
  for (const part of parts) {
    const ruled = ruleOnePart(part, rule);
    if (!ruled.ok) return ruled;
    text += `${delimiter}\r\n${ruled.value}\r\n`;
  }
  return pass(`${text}${delimiter}--\r\n`);
}

function ruleOnePart(part: string, rule: BodyRule): Checked<string> {
  const headEnd = part.indexOf('\r\n\r\n');
  if (headEnd < 0) return refuse('ERR_EDGE_BODY_TYPE');
  const headers = parseSipHeaders(part.slice(0, headEnd).split('\r\n'));
  if (!headers.ok) return headers;
  if (headers.value.filter(({ key }) => key === 'content-type').length > 1)
    return refuse('ERR_EDGE_SIP_DUPLICATE');
  const ruled = rulePart(
    part.slice(headEnd + 4),
    headerValue(headers.value, 'content-type'),
    headerValue(headers.value, 'content-transfer-encoding'),
    rule,
    true,
  );
  if (!ruled.ok) return ruled;
  const head = headers.value.filter(({ key }) => key !== 'content-length');
  return pass(`${head.map(({ name, value }) => `${name}: ${value}\r\n`).join('')}\r\n${ruled.value}`);
}
