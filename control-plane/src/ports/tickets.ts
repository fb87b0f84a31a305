/** Single-use tickets for browsers, whose WebSockets cannot carry a header. */
import type { Instant } from '../domain/ids.ts';

export interface TicketGrant {
  readonly role: 'citizen' | 'operator' | 'supervisor' | 'admin';
  readonly subject: string;
  readonly purpose: 'sip' | 'feed';
  /** Device or panel client; `null` only for a feed that begins no shift. */
  readonly deviceId: string | null;
  readonly tokenId: string | null;
  /** When the token was issued that it was got with. */
  readonly issuedAt?: Instant | null;
}

export interface TicketStore {
  /** A random ticket of at least 128 bits; only its hash is stored. */
  issue(grant: TicketGrant, expiresAt: Instant): Promise<string>;
  /** What it grants, once; `null` when unknown, used or past its time. */
  redeem(ticket: string, purpose: 'sip' | 'feed', now: Instant): Promise<TicketGrant | null>;
}
