/** Which requests of a client reach the engine, and in what form. */
import { parseSipUri, type SipAddress } from './sip-address.ts';
import { headerValue } from './sip-headers.ts';
import { allowedHeaders, clientContact, isClientVia, routeFault, withForced } from './client-headers.ts';
import { ruleBody } from './sip-body.ts';
import { sipHeader } from './sip-reply.ts';
import { tagOf, type SipRequest } from './sip-message.ts';
import type { DialogTable } from './dialog-table.ts';
import { holdOneWay } from './one-way-sdp.ts';
import { type Checked, pass, refuse } from './refusal-code.ts';

/** Who the client is, by its token. */
export interface ClientIdentity {
  readonly aor: string;
  readonly role: 'citizen' | 'operator';
  readonly sipDomain: string;
}

/** `answer-options`: the edge itself says that it is there. */
export type RequestRuling =
  { readonly action: 'pass'; readonly request: SipRequest } | { readonly action: 'answer-options' };

const IN_DIALOG = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'UPDATE', 'PRACK'];
const MAX_FORWARDS = /^0{0,9}\d{1,3}$/;

export function ruleClientRequest(
  request: SipRequest,
  client: ClientIdentity,
  dialogs: DialogTable,
): Checked<RequestRuling> {
  if (!isClientVia(request.via)) return refuse('ERR_EDGE_SIP_VIA');
  const forwards = headerValue(request.headers, 'max-forwards');
  if (forwards !== null && !MAX_FORWARDS.test(forwards)) return refuse('ERR_EDGE_SIP_SYNTAX');
  const inDialog = tagOf(request.to) !== null && IN_DIALOG.includes(request.method);
  if (!inDialog && !isOwn(request.from, client)) return refuse('ERR_EDGE_IDENTITY');
  if (tagOf(request.from) === null) return refuse('ERR_EDGE_SIP_MANDATORY');
  if (request.method === 'OPTIONS') return pass({ action: 'answer-options' });
  const ruled = inDialog ? ruleInDialog(request, client, dialogs) : ruleOutside(request, client);
  if (!ruled.ok) return ruled;
  const route = routeFault(request.headers, client.sipDomain);
  if (route !== null) return refuse(route);
  const headers = [...ruled.value.headers];
  if (forwards === null) headers.push(sipHeader('Max-Forwards', '70'));
  // Without a reason the engine reports cause 0, as it does for calls whose media failed.
  if (request.method === 'BYE' && headerValue(headers, 'reason') === null)
    headers.push(sipHeader('Reason', 'Q.850;cause=16'));
  return pass({ action: 'pass', request: { ...ruled.value, headers } });
}

function isOwn(address: SipAddress, client: ClientIdentity): boolean {
  const { uri } = address;
  return (
    uri.scheme === 'sip' &&
    uri.user === client.aor &&
    uri.host === client.sipDomain.toLowerCase() &&
    uri.port === null &&
    !uri.hasHeaders &&
    // `maddr` would send it elsewhere; a client writes nothing but its transport.
    [...uri.params.keys()].every((name) => name === 'transport')
  );
}

function ruleOutside(request: SipRequest, client: ClientIdentity): Checked<SipRequest> {
  if (request.method === 'REGISTER') return ruleRegister(request, client);
  if (request.method === 'BYE' || request.method === 'CANCEL' || request.method === 'ACK')
    return refuse('ERR_EDGE_DIALOG');
  return refuse('ERR_EDGE_METHOD');
}

function ruleRegister(request: SipRequest, client: ClientIdentity): Checked<SipRequest> {
  const uri = parseSipUri(request.uri);
  const here = uri !== null && uri.scheme === 'sip' && uri.host === client.sipDomain.toLowerCase();
  if (!here || uri.user !== null || uri.port !== null || uri.hasHeaders || uri.params.has('maddr'))
    return refuse('ERR_EDGE_IDENTITY');
  if (!isOwn(request.to, client) || tagOf(request.to) !== null) return refuse('ERR_EDGE_IDENTITY');
  if (request.body !== '') return refuse('ERR_EDGE_BODY_TYPE');
  const contact = clientContact(request.headers);
  if (!contact.ok) return contact;
  if (contact.value === '*' && headerValue(request.headers, 'expires') !== '0')
    return refuse('ERR_EDGE_CONTACT');
  // by its address alone: a display name is its own invention
  const forced = new Map([
    ['from', `<${request.from.uriText}>;tag=${tagOf(request.from) ?? ''}`],
    ['to', `<${request.to.uriText}>`],
  ]);
  const headers = withForced(allowedHeaders(request.headers), forced);
  return pass({ ...request, uri: `sip:${client.sipDomain}`, headers });
}

/** RFC 3261 §12.2: Call-ID and both tags must be those of a call that the engine offered to this very client. */
function ruleInDialog(
  request: SipRequest,
  client: ClientIdentity,
  dialogs: DialogTable,
): Checked<SipRequest> {
  const dialog = dialogs.find(request.callId);
  const ownTag = tagOf(request.from) ?? '';
  if (dialog === null || tagOf(request.to) !== dialog.engineTag || !dialog.clientTags.has(ownTag))
    return refuse('ERR_EDGE_DIALOG');
  const own = dialog.clientAddress;
  const asInDialog = request.from.uri.user === own.uri.user && request.from.uri.host === own.uri.host;
  if (!asInDialog && !isOwn(request.from, client)) return refuse('ERR_EDGE_IDENTITY');
  const contact = clientContact(request.headers);
  if (!contact.ok) return contact;
  if (contact.value === '*') return refuse('ERR_EDGE_CONTACT');
  const body = ruleBody(request, {
    sdp: (text) => holdOneWay(text, client.role),
    mayCarryOthers: false,
  });
  if (!body.ok) return body;
  const forced = new Map([
    ['from', `<${own.uriText}>;tag=${ownTag}`],
    ['to', dialog.engineAddress],
  ]);
  const headers = withForced(allowedHeaders(request.headers), forced);
  const uri = dialog.engineTarget === '' ? request.uri : dialog.engineTarget;
  return pass({ ...request, uri, headers, body: body.value });
}
