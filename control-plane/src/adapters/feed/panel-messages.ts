/** What a panel says, and what is done about it. */
import { isErrorCode, type ErrorCode } from '../../contracts/error-table.ts';
import { panelMessage, type PanelMessage } from '../../contracts/panel-feed.ts';
import { parseLegId, type LegId, type SessionId } from '../../domain/ids.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { FeedConnection } from './feed-connection.ts';
import type { ShiftDesk, ShiftHolder } from './shift-desk.ts';

export interface PanelMessageContext {
  readonly gateway: Pick<Gateway, 'heard' | 'acknowledgeAlert'>;
  readonly desk: ShiftDesk;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Messages of one panel that are not answered yet. */
const MAX_UNANSWERED = 20;

type Done = { readonly ok: true } | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };
const DONE: Done = { ok: true };

export class PanelMessages {
  readonly #context: PanelMessageContext;
  readonly #unanswered = new WeakMap<FeedConnection, number>();

  constructor(context: PanelMessageContext) {
    this.#context = context;
  }

  /** Reads one frame and answers it: `ok`, or `error` with a code. A good audio report gets no answer. */
  receive(connection: FeedConnection, holder: ShiftHolder, text: string): void {
    const message = parse(text);
    if (!message.ok) {
      connection.refuse(message.of, 'ERR_FEED_MALFORMED', message.detail);
      return;
    }
    const { value } = message;
    this.#context.metrics.count('hamrahi_feed_messages_total', { type: value.type });
    const unanswered = this.#unanswered.get(connection) ?? 0;
    if (unanswered >= MAX_UNANSWERED) {
      connection.refuse(value.type, 'ERR_FEED_BUSY', `${MAX_UNANSWERED} messages are not answered yet`);
      return;
    }
    this.#unanswered.set(connection, unanswered + 1);
    void this.#answer(connection, holder, value);
  }

  async #answer(connection: FeedConnection, holder: ShiftHolder, message: PanelMessage): Promise<void> {
    let done: Done;
    try {
      done = await this.#perform(connection, holder, message);
    } catch (error) {
      this.#context.log.error('a message of a panel failed', { of: message.type, reason: String(error) });
      const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
      done = refused(isErrorCode(code) ? code : 'ERR_GATEWAY_UNAVAILABLE', 'try again after a second');
    }
    this.#unanswered.set(connection, (this.#unanswered.get(connection) ?? 1) - 1);
    if (!done.ok) connection.refuse(message.type, done.code, done.detail);
    else if (message.type !== 'audio.report') connection.send({ type: 'ok', of: message.type });
  }

  async #perform(connection: FeedConnection, holder: ShiftHolder, message: PanelMessage): Promise<Done> {
    const { gateway, desk } = this.#context;
    const { role, subject, aor } = connection.panel;
    switch (message.type) {
      case 'shift.begin':
      case 'shift.end':
        if (role !== 'operator') return refused('ERR_AUTH_ROLE', 'only operators have shifts');
        if (aor === null) return refused('ERR_FEED_DEVICE_REQUIRED', 'this connection names no client');
        if (message.type === 'shift.begin') await desk.begin(subject, aor, holder);
        else await desk.end(aor, holder);
        return DONE;
      case 'audio.report':
        if (role === 'admin') return refused('ERR_AUTH_ROLE', 'an admin has no audio to report');
        return this.#heard(connection, message);
      case 'alert.acknowledge': {
        const caller = { role, subject, tokenId: null };
        const result = await gateway.acknowledgeAlert(caller, message.sessionId as SessionId, message.kind);
        return result.ok ? DONE : refused(result.code, result.detail);
      }
    }
  }

  async #heard(
    connection: FeedConnection,
    message: Extract<PanelMessage, { type: 'audio.report' }>,
  ): Promise<Done> {
    const leg = parseLegId(message.legId);
    if (!leg || leg.kind !== 'operator-app' || leg.sessionId !== message.sessionId)
      return refused('ERR_FEED_LEG', 'legId is not an operator leg of this session');
    const { sessionId } = leg;
    await this.#context.gateway.heard(
      connection.panel.subject,
      sessionId,
      message.legId as LegId,
      message.packets,
    );
    return DONE;
  }
}

function refused(code: ErrorCode, detail: string): Done {
  return { ok: false, code, detail };
}

type Parsed =
  | { readonly ok: true; readonly value: PanelMessage }
  | { readonly ok: false; readonly of: string; readonly detail: string };

/** What was sent is not repeated in the answer, except for the type's name when it is one that exists. */
function parse(text: string): Parsed {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, of: 'message', detail: 'not JSON' };
  }
  const result = panelMessage.safeParse(json);
  if (result.success) return { ok: true, value: result.data };
  const named: unknown = typeof json === 'object' && json !== null && 'type' in json ? json.type : undefined;
  const of = TYPES.find((type) => type === named) ?? 'message';
  const issue = result.error.issues[0];
  return {
    ok: false,
    of,
    detail: issue ? `${issue.path.join('.')}: ${issue.message}`.slice(0, 200) : 'not known',
  };
}

const TYPES = panelMessage.options.map((option) => option.shape.type.value);
