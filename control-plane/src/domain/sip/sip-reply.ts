/** Messages that the edge writes itself: answers to what it refuses, and the end of a call whose answer it refused. */
import { headerValue, type SipHeader } from './sip-headers.ts';
import { tagOf, type SipRequest, type SipResponse } from './sip-message.ts';
import { REFUSAL_STATUS, type SipRefusalCode } from './refusal-code.ts';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  415: 'Unsupported Media Type',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  488: 'Not Acceptable Here',
  503: 'Service Unavailable',
};

/** What a client may send; the rest is answered with 405 (RFC 3261 §8.2.1). */
export const CLIENT_METHODS = 'INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, REGISTER, OPTIONS';

/** Marks the edge's own transactions: responses to them go no further. */
export const EDGE_BRANCH = 'z9hG4bKedge.';

export function sipHeader(name: string, value: string): SipHeader {
  return { key: name.toLowerCase(), name, value };
}

export function reasonPhrase(status: number): string {
  return REASONS[status] ?? 'Refused';
}

/** An answer to a request (RFC 3261 §8.2.6); a To tag is added where the request has none. */
export function replyTo(
  request: SipRequest,
  status: number,
  extra: readonly SipHeader[] = [],
  reason = reasonPhrase(status),
): SipResponse {
  const to = headerValue(request.headers, 'to') ?? '';
  const headers = [
    sipHeader('Via', headerValue(request.headers, 'via') ?? ''),
    sipHeader('From', headerValue(request.headers, 'from') ?? ''),
    sipHeader('To', tagOf(request.to) === null ? `${to};tag=edge-${request.cseq.number}` : to),
    sipHeader('Call-ID', request.callId),
    sipHeader('CSeq', `${request.cseq.number} ${request.cseq.method}`),
    ...extra,
  ];
  return { ...request, kind: 'response', status, reason, headers, body: '' };
}

/** The answer that refuses a request; `X-Hamrahi-Code` tells the developer why. */
export function refusalOf(
  request: SipRequest,
  code: SipRefusalCode,
  status = REFUSAL_STATUS[code],
): SipResponse {
  const extra = [sipHeader('X-Hamrahi-Code', code)];
  if (status === 405) extra.push(sipHeader('Allow', CLIENT_METHODS));
  return replyTo(request, status, extra);
}

/** The edge answers a client's OPTIONS itself: the engine is not asked whether it lives. */
export function optionsAnswer(request: SipRequest): SipResponse {
  return replyTo(request, 200, [
    sipHeader('Allow', CLIENT_METHODS),
    sipHeader('Accept', 'application/sdp'),
    sipHeader('Supported', '100rel, timer'),
  ]);
}

/**
 * ACK and BYE towards a client whose 2xx was refused: without them it would believe in a call that the engine does
 * not have, and keep its microphone open.
 */
export function endRefusedCall(
  invite: SipRequest,
  answer: SipResponse,
  code: SipRefusalCode,
  target: string,
): readonly SipRequest[] {
  const make = (method: 'ACK' | 'BYE', number: number, extra: readonly SipHeader[]): SipRequest => ({
    ...invite,
    method,
    uri: target,
    cseq: { number, method },
    body: '',
    headers: [
      sipHeader('Via', `SIP/2.0/WS edge.invalid;branch=${EDGE_BRANCH}${method}.${invite.via.branch ?? ''}`),
      sipHeader('Max-Forwards', '70'),
      sipHeader('From', headerValue(invite.headers, 'from') ?? ''),
      sipHeader('To', headerValue(answer.headers, 'to') ?? ''),
      sipHeader('Call-ID', invite.callId),
      sipHeader('CSeq', `${number} ${method}`),
      ...extra,
    ],
  });
  const reason = sipHeader('Reason', `SIP;cause=${REFUSAL_STATUS[code]};text="${code}"`);
  return [make('ACK', invite.cseq.number, []), make('BYE', invite.cseq.number + 1, [reason])];
}
