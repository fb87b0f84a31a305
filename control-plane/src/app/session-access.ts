/** Gathers what the rule of `domain/rights` asks about a caller, and applies it. */
import { judgeDeed, SESSION_RIGHTS } from '../domain/rights/session-rights.ts';
import type { Deed } from '../domain/rights/session-rights.ts';
import type { OperatorId, SessionId } from '../domain/ids.ts';
import type { Session } from '../domain/session/session.ts';
import type { Caller, FeedSource, GatewayErrorCode } from '../ports/gateway.ts';
import type { SessionStore, StoredSession } from '../ports/session-store.ts';
import type { MasterData } from './master-data.ts';

export interface AccessPorts {
  readonly store: Pick<SessionStore, 'find'>;
  readonly masterData: Pick<MasterData, 'isActive'>;
  readonly feedSource: Pick<FeedSource, 'zonesOf'>;
}

export type Access =
  | { readonly ok: true; readonly stored: StoredSession }
  | { readonly ok: false; readonly code: GatewayErrorCode; readonly detail: string };

export class SessionAccess {
  readonly #ports: AccessPorts;

  constructor(ports: AccessPorts) {
    this.#ports = ports;
  }

  /** The session as it stands, for a caller who may do this to it. Who has her is judged once more where it is decided. */
  async open(caller: Caller, deed: Deed, id: SessionId): Promise<Access> {
    const stored = await this.#ports.store.find(id);
    const judged = stored ? await this.#judge(caller, deed, stored.session) : 'unknown';
    if (stored && judged === 'yes') return { ok: true, stored };
    return judged === 'foreign'
      ? { ok: false, code: 'ERR_SOS_FOREIGN', detail: foreignDetail(caller, deed) }
      : { ok: false, code: 'ERR_SOS_NOT_FOUND', detail: 'There is no such SOS.' };
  }

  async #judge(
    { role, subject }: Pick<Caller, 'role' | 'subject'>,
    deed: Deed,
    session: Session,
  ): Promise<ReturnType<typeof judgeDeed>> {
    const operatorId = subject as OperatorId;
    const asksDuty = role === 'operator' || (role === 'supervisor' && SESSION_RIGHTS[deed][role] === 'zone');
    if (asksDuty && !(await this.#ports.masterData.isActive(operatorId)))
      return role === 'operator' ? 'unknown' : 'foreign';
    const zones = asksDuty
      ? await this.#ports.feedSource.zonesOf(operatorId, role === 'supervisor' ? 'supervisor' : undefined)
      : [];
    return judgeDeed(deed, { role, subject, zones }, session);
  }
}

function foreignDetail({ role }: Caller, deed: Deed): string {
  switch (SESSION_RIGHTS[deed][role]) {
    case 'zone':
      return 'Only a supervisor of her zone may do this.';
    case 'has':
      return 'Only the operator who has her may do this.';
    case 'every':
    case 'hers':
    case 'none':
      return 'Not for this role.';
  }
}
