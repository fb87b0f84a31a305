/** Which responses of a client reach the engine: only to requests that the engine sent, in the request's own words. */
import { allowedHeaders, clientContact, withForced } from './client-headers.ts';
import { headerValue, type SipHeader } from './sip-headers.ts';
import { ruleBody } from './sip-body.ts';
import { reasonPhrase } from './sip-reply.ts';
import { tagOf, type SipResponse } from './sip-message.ts';
import type { ClientIdentity } from './client-request-rules.ts';
import type { EngineTransaction } from './transaction-table.ts';
import { holdOneWay } from './one-way-sdp.ts';
import { type Checked, pass, refuse } from './refusal-code.ts';

/** RFC 3261 §8.2.6.2: these are copied from the request, so the client cannot choose them. */
const COPIED = ['via', 'from', 'call-id', 'cseq'] as const;
const BODY_HEADERS = ['content-type', 'content-disposition', 'mime-version'];

/** Whether this is the answer to that request, and not a second, different final one. */
export function answersTransaction(response: SipResponse, transaction: EngineTransaction): boolean {
  const { request, finalStatus } = transaction;
  if (response.callId !== request.callId || response.cseq.number !== request.cseq.number) return false;
  return finalStatus === null || finalStatus === response.status;
}

/** The response as the engine gets it. A redirection would send the engine elsewhere: it becomes 480. */
export function ruleClientResponse(
  response: SipResponse,
  transaction: EngineTransaction,
  client: ClientIdentity,
): Checked<SipResponse> {
  const tag = tagOf(response.to);
  if (tag === null && response.status > 100) return refuse('ERR_EDGE_SIP_MANDATORY');
  const headers = inWordsOf(transaction, response, tag);
  if (response.status >= 300) {
    const status = response.status < 400 ? 480 : response.status;
    const reason = status === response.status ? response.reason : reasonPhrase(status);
    const kept = headers.filter(({ key }) => key !== 'contact' && !BODY_HEADERS.includes(key));
    return pass({ ...response, status, reason, headers: kept, body: '' });
  }
  const contact = clientContact(headers);
  if (!contact.ok) return contact;
  if (contact.value === '*') return refuse('ERR_EDGE_CONTACT');
  const body = ruleBody(response, {
    sdp: (text) => holdOneWay(text, client.role),
    mayCarryOthers: false,
  });
  return body.ok ? pass({ ...response, headers, body: body.value }) : body;
}

function inWordsOf(
  transaction: EngineTransaction,
  response: SipResponse,
  tag: string | null,
): readonly SipHeader[] {
  const { request } = transaction;
  const forced = new Map<string, string>();
  for (const key of COPIED) forced.set(key, headerValue(request.headers, key) ?? '');
  const to = headerValue(request.headers, 'to') ?? '';
  forced.set('to', tagOf(request.to) !== null || tag === null ? to : `${to};tag=${tag}`);
  return withForced(allowedHeaders(response.headers), forced);
}
