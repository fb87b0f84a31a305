/** By which Asterisk knows a registration, in its configuration and in its metrics. */
import { escapedUser } from '../../domain/sip/escaped-user.ts';
import { bracketed } from '../../domain/trunk/trunk-dial.ts';
import type { Trunk, TrunkAuth } from '../../domain/trunk/trunk.ts';

export type RegistrationAuth = Extract<TrunkAuth, { kind: 'registration' }>;

export interface RegistrationUris {
  /** Our address of record. */
  readonly client: string;
  readonly server: string;
  /** The user part of both our addresses, that of record and the contact's. */
  readonly user: string;
}

export function registrationUris(auth: RegistrationAuth, transport: Trunk['transport']): RegistrationUris {
  const user = escapedUser(auth.username);
  return {
    client: `sip:${user}@${bracketed(auth.domain)}`,
    server: `sip:${auth.registrar};transport=${transport}`,
    user,
  };
}
