/**
 * Judges everything that passes between one client and its engine: who speaks as whom, with which methods, in which
 * dialogs, and that audio flows one way (RTC-3). It holds the state that this needs (open transactions, dialogs) and
 * no more; it neither waits nor writes: the verdict says what goes where.
 */
import { DialogTable } from './dialog-table.ts';
import { EDGE_BRANCH, endRefusedCall, optionsAnswer, refusalOf } from './sip-reply.ts';
import { TransactionTable, type EngineTransaction } from './transaction-table.ts';
import { answersTransaction, ruleClientResponse } from './client-response-rules.ts';
import { headerValue } from './sip-headers.ts';
import { holdOneWay } from './one-way-sdp.ts';
import {
  parseSipMessage,
  renderSipMessage,
  tagOf,
  type SipRequest,
  type SipResponse,
} from './sip-message.ts';
import { REFUSAL_STATUS, type Checked, type SipRefusalCode } from './refusal-code.ts';
import { clientContact } from './client-headers.ts';
import { ruleBody } from './sip-body.ts';
import { ruleClientRequest, type ClientIdentity } from './client-request-rules.ts';

/** A message for the client. */
export interface ClientFrame {
  readonly text: string;
  /** The leg whose first offer this is: to be stamped when it has been written. */
  readonly offerOf: string | null;
  /** A request that is kept until it is answered: where no client is there now, it goes out later by itself. */
  readonly kept: boolean;
}

export interface Verdict {
  readonly toEngine: readonly string[];
  readonly toClient: readonly ClientFrame[];
  /** Something was not passed on, and why. */
  readonly refused: SipRefusalCode | null;
  /** The client's first final answer to the first INVITE of a leg. */
  readonly answered: { readonly legId: string; readonly status: number } | null;
}

const NOTHING: Verdict = { toEngine: [], toClient: [], refused: null, answered: null };
const ENGINE_METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'UPDATE', 'PRACK', 'INFO', 'NOTIFY'];
const MAX_LEG_ID_LENGTH = 120;

export class LaneGuard {
  readonly #client: ClientIdentity;
  readonly #transactions = new TransactionTable();
  readonly #dialogs = new DialogTable();

  constructor(client: ClientIdentity) {
    this.#client = client;
  }

  /** A dialog that neither side has ended: a call that rings or stands. */
  get hasCall(): boolean {
    return this.#dialogs.hasOpen;
  }

  /** `frame` is a byte string (see sip-message.ts), `now` milliseconds. */
  fromClient(frame: string, now: number): Verdict {
    const parsed = parseSipMessage(frame);
    if (!parsed.ok) {
      const answer = parsed.answerable === null ? [] : [toClient(refusalOf(parsed.answerable, parsed.code))];
      return { ...NOTHING, toClient: answer, refused: parsed.code };
    }
    return parsed.message.kind === 'request'
      ? this.#clientRequest(parsed.message, now)
      : this.#clientResponse(parsed.message, now);
  }

  fromEngine(frame: string, now: number): Verdict {
    const parsed = parseSipMessage(frame);
    if (!parsed.ok) {
      const answer = parsed.answerable === null ? [] : [refusalText(parsed.answerable, parsed.code)];
      return { ...NOTHING, toEngine: answer, refused: parsed.code };
    }
    const { message } = parsed;
    if (message.kind === 'request') return this.#engineRequest(message, now);
    const body = this.#engineBody(message);
    if (!body.ok) return { ...NOTHING, refused: body.code };
    return { ...NOTHING, toClient: [toClient({ ...message, body: body.value })] };
  }

  /**
   * What a client that is (back) on the line must be given: the engine's unanswered requests, first come first.
   * One that had reached it already is a retransmission to it (RFC 3261 §17.2). A first INVITE is addressed to the
   * address of record, as the client may have restarted and forgotten the Contact that it had registered.
   */
  redeliver(now: number): readonly ClientFrame[] {
    return this.#transactions.unanswered(now).map((transaction) => ({
      text: isFirstInvite(transaction.request)
        ? renderSipMessage({
            ...transaction.request,
            uri: `sip:${this.#client.aor}@${this.#client.sipDomain}`,
          })
        : transaction.text,
      offerOf: offerOf(transaction),
      kept: true,
    }));
  }

  /** The first INVITE of the leg has been written to the client's socket. */
  markOffered(legId: string, now: number): void {
    for (const transaction of this.#transactions.unanswered(now))
      if (transaction.legId === legId) transaction.offered = true;
  }

  #clientRequest(request: SipRequest, now: number): Verdict {
    const ruled = ruleClientRequest(request, this.#client, this.#dialogs);
    if (!ruled.ok) {
      // RFC 3261 §17: an ACK is never answered.
      const status = request.method === 'INVITE' && ruled.code === 'ERR_EDGE_METHOD' ? 403 : undefined;
      const answer = request.method === 'ACK' ? [] : [toClient(refusalOf(request, ruled.code, status))];
      return { ...NOTHING, toClient: answer, refused: ruled.code };
    }
    if (ruled.value.action === 'answer-options')
      return { ...NOTHING, toClient: [toClient(optionsAnswer(request))] };
    if (request.method === 'BYE') this.#dialogs.end(request.callId, now);
    return { ...NOTHING, toEngine: [renderSipMessage(ruled.value.request)] };
  }

  #clientResponse(response: SipResponse, now: number): Verdict {
    const branch = response.via.branch ?? '';
    if (branch.startsWith(EDGE_BRANCH)) return NOTHING;
    const transaction = this.#transactions.find(branch, response.cseq.method);
    if (transaction === null || !answersTransaction(response, transaction))
      return { ...NOTHING, refused: 'ERR_EDGE_TRANSACTION' };
    if (transaction.overruled) return NOTHING;
    const ruled = ruleClientResponse(response, transaction, this.#client);
    if (!ruled.ok) return this.#overrule(response, transaction, ruled.code, now);
    const tag = tagOf(ruled.value.to);
    if (transaction.request.method === 'INVITE' && tag !== null)
      if (!this.#dialogs.answer(response.callId, tag))
        return this.#overrule(response, transaction, 'ERR_EDGE_TABLE_FULL', now);
    const answered = this.#settle(transaction, response.status, ruled.value.status, now);
    return { ...NOTHING, toEngine: [renderSipMessage(ruled.value)], answered };
  }

  /**
   * A refused provisional response is left out; a refused final one is answered in its stead, so that the engine
   * does not wait, and the client is told that there is no call.
   */
  #overrule(
    response: SipResponse,
    transaction: EngineTransaction,
    code: SipRefusalCode,
    now: number,
  ): Verdict {
    if (response.status < 200) return { ...NOTHING, refused: code };
    const status = REFUSAL_STATUS[code];
    const answered = this.#settle(transaction, response.status, status, now);
    const toEngine = [refusalText(transaction.request, code)];
    if (transaction.request.method !== 'INVITE' || response.status >= 300)
      return { ...NOTHING, toEngine, refused: code, answered };
    transaction.overruled = true;
    const contact = clientContact(response.headers);
    const target =
      contact.ok && contact.value !== null && contact.value !== '*' ? contact.value.uriText : null;
    const end = endRefusedCall(transaction.request, response, code, target ?? transaction.request.uri);
    return { toEngine, toClient: end.map(toClient), refused: code, answered };
  }

  #settle(
    transaction: EngineTransaction,
    status: number,
    told: number,
    now: number,
  ): { legId: string; status: number } | null {
    if (status < 200 || transaction.finalStatus !== null) return null;
    transaction.finalStatus = status;
    transaction.finalAt = now;
    if (told >= 300 && isFirstInvite(transaction.request)) this.#dialogs.end(transaction.request.callId, now);
    return transaction.legId === null ? null : { legId: transaction.legId, status: told };
  }

  #engineRequest(request: SipRequest, now: number): Verdict {
    if (request.method === 'ACK') return this.#engineAck(request);
    if (!ENGINE_METHODS.includes(request.method)) return this.#refuseEngine(request, 'ERR_EDGE_METHOD');
    const body = this.#engineBody(request);
    if (!body.ok) return this.#refuseEngine(request, body.code);
    const forClient = { ...request, body: body.value };
    if (request.method === 'INVITE' && !this.#dialogs.open(request, now))
      return this.#refuseEngine(request, 'ERR_EDGE_TABLE_FULL');
    if (request.method === 'BYE') this.#dialogs.end(request.callId, now);
    const text = renderSipMessage(forClient);
    if (!this.#transactions.open(forClient, text, legOf(request), now))
      return this.#refuseEngine(request, 'ERR_EDGE_TABLE_FULL');
    return { ...NOTHING, toClient: [{ text, offerOf: legOf(request), kept: true }] };
  }

  #engineAck(request: SipRequest): Verdict {
    const invite = this.#transactions.find(request.via.branch ?? '', 'INVITE');
    if (invite?.overruled === true) return NOTHING;
    const body = this.#engineBody(request);
    if (!body.ok) return { ...NOTHING, refused: body.code };
    return { ...NOTHING, toClient: [toClient({ ...request, body: body.value })] };
  }

  #refuseEngine(request: SipRequest, code: SipRefusalCode): Verdict {
    return { ...NOTHING, toEngine: [refusalText(request, code)], refused: code };
  }

  #engineBody(message: SipRequest | SipResponse): Checked<string> {
    return ruleBody(message, {
      sdp: (text) => holdOneWay(text, `engine-to-${this.#client.role}`),
      mayCarryOthers: true,
    });
  }
}

function toClient(message: SipRequest | SipResponse): ClientFrame {
  return { text: renderSipMessage(message), offerOf: null, kept: false };
}

function refusalText(request: SipRequest, code: SipRefusalCode): string {
  return renderSipMessage(refusalOf(request, code));
}

function isFirstInvite(request: SipRequest): boolean {
  return request.method === 'INVITE' && tagOf(request.to) === null;
}

function offerOf(transaction: EngineTransaction): string | null {
  return transaction.offered ? null : transaction.legId;
}

function legOf(request: SipRequest): string | null {
  if (!isFirstInvite(request)) return null;
  const legId = headerValue(request.headers, 'x-hamrahi-leg');
  return legId === null || legId.length === 0 || legId.length > MAX_LEG_ID_LENGTH ? null : legId;
}
