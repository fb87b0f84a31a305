/** Single-use tickets; the database knows their hashes alone. */
import { createHash, randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Instant } from '../../domain/ids.ts';
import type { TicketGrant, TicketStore } from '../../ports/tickets.ts';
import { guarded } from './guarded.ts';
import { instantSql, timestampText, timestampTextOrNull } from './instant.ts';

const TICKET_BYTES = 32;

export class PostgresTickets implements TicketStore {
  readonly #knex: Knex;

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async issue(grant: TicketGrant, expiresAt: Instant): Promise<string> {
    const ticket = randomBytes(TICKET_BYTES).toString('base64url');
    await guarded(
      this.#knex('tickets').insert({
        hash: hashOf(ticket),
        role: grant.role,
        subject: grant.subject,
        purpose: grant.purpose,
        device_id: grant.deviceId,
        token_id: grant.tokenId,
        token_issued_at: timestampTextOrNull(grant.issuedAt ?? null),
        expires_at: timestampText(expiresAt),
      }),
    );
    return ticket;
  }

  async redeem(ticket: string, purpose: 'sip' | 'feed', now: Instant): Promise<TicketGrant | null> {
    // One DELETE: of two that present the same ticket at once, one gets the row.
    const rows = await guarded<TicketRow[]>(
      this.#knex('tickets')
        .where({ hash: hashOf(ticket), purpose })
        .where('expires_at', '>', timestampText(now))
        .delete([
          'role',
          'subject',
          'purpose',
          'device_id',
          'token_id',
          this.#knex.raw(`${instantSql('token_issued_at')} AS token_issued_at`),
        ] as unknown as string[]),
    );
    const [row] = rows;
    if (!row) return null;
    const { role, subject, device_id: deviceId, token_id: tokenId, token_issued_at: issuedAt } = row;
    return { role, subject, purpose: row.purpose, deviceId, tokenId, issuedAt };
  }
}

interface TicketRow {
  readonly role: TicketGrant['role'];
  readonly subject: string;
  readonly purpose: TicketGrant['purpose'];
  readonly device_id: string | null;
  readonly token_id: string | null;
  readonly token_issued_at: Instant | null;
}

function hashOf(ticket: string): Buffer {
  return createHash('sha256').update(ticket).digest();
}
