/** The calls that the engine has offered to one client: what a request inside a dialog must fit. Bounded. */
import type { SipAddress } from './sip-address.ts';
import { headerValue } from './sip-headers.ts';
import { tagOf, type SipRequest } from './sip-message.ts';

export interface Dialog {
  readonly callId: string;
  readonly engineTag: string;
  /** The engine's From as it wrote it: the To of the client's requests. */
  readonly engineAddress: string;
  /** The engine's To of the first INVITE: the client's own address in this dialog, without tag. */
  readonly clientAddress: SipAddress;
  /** Where the client's requests go (RFC 3261 §12.1.2). */
  engineTarget: string;
  /** Tags that the client answered with: one, unless it is odd. */
  readonly clientTags: Set<string>;
  endedAt: number | null;
  readonly startedAt: number;
}

const MAX_DIALOGS = 32;
const MAX_CLIENT_TAGS = 4;
/** RFC 3261's 64 × T1 twice: late retransmissions still find their dialog. */
const KEEP_ENDED_MS = 64_000;
/** Nothing rings longer than this without an answer. */
const KEEP_UNANSWERED_MS = 300_000;

export class DialogTable {
  readonly #dialogs = new Map<string, Dialog>();

  /** Notes an INVITE of the engine; `false` when the client has too many calls. Harmless when repeated. */
  open(invite: SipRequest, now: number): boolean {
    const known = this.#dialogs.get(invite.callId);
    const target = contactUri(invite) ?? '';
    if (known !== undefined) {
      if (target !== '') known.engineTarget = target;
      return true;
    }
    this.#sweep(now);
    if (this.#dialogs.size >= MAX_DIALOGS && !this.#forgetOldestEnded()) return false;
    this.#dialogs.set(invite.callId, {
      callId: invite.callId,
      engineTag: tagOf(invite.from) ?? '',
      engineAddress: headerValue(invite.headers, 'from') ?? '',
      clientAddress: invite.to,
      engineTarget: target,
      clientTags: new Set(),
      endedAt: null,
      startedAt: now,
    });
    return true;
  }

  get hasOpen(): boolean {
    for (const { endedAt } of this.#dialogs.values()) if (endedAt === null) return true;
    return false;
  }

  find(callId: string): Dialog | null {
    return this.#dialogs.get(callId) ?? null;
  }

  /** Notes the tag of a client's response; `false` when it has answered with too many. */
  answer(callId: string, tag: string): boolean {
    const dialog = this.#dialogs.get(callId);
    if (dialog === undefined || dialog.clientTags.has(tag)) return true;
    if (dialog.clientTags.size >= MAX_CLIENT_TAGS) return false;
    dialog.clientTags.add(tag);
    return true;
  }

  end(callId: string, now: number): void {
    const dialog = this.#dialogs.get(callId);
    if (dialog !== undefined) dialog.endedAt ??= now;
  }

  #forgetOldestEnded(): boolean {
    for (const [callId, { endedAt }] of this.#dialogs)
      if (endedAt !== null) return this.#dialogs.delete(callId);
    return false;
  }

  #sweep(now: number): void {
    for (const [callId, dialog] of this.#dialogs) {
      const over = dialog.endedAt !== null && now - dialog.endedAt > KEEP_ENDED_MS;
      const silent = dialog.clientTags.size === 0 && now - dialog.startedAt > KEEP_UNANSWERED_MS;
      if (over || silent) this.#dialogs.delete(callId);
    }
  }
}

function contactUri(request: SipRequest): string | null {
  const contact = headerValue(request.headers, 'contact');
  return /<([^<>"\s]+)>/.exec(contact ?? '')?.[1] ?? null;
}
