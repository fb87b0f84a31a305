/** Rows of the outbox, as the transactions of what they tell of write them. */
import { timestampText } from '../../control-plane/src/adapters/postgres/instant.ts';
import type { OutboxEntry } from './memory/memory-webhooks.ts';
import type { TestDatabase } from './test-database.ts';

export async function commitOutbox(
  database: Pick<TestDatabase, 'sql'>,
  entries: readonly OutboxEntry[],
): Promise<void> {
  await database.sql(
    `INSERT INTO outbox (subject, subject_seq, type, at, data)
     SELECT o.subject, o.subject_seq, o.type, o.at, o.data::json
     FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[]) WITH ORDINALITY
       AS o (subject, subject_seq, type, at, data, place)
     ORDER BY o.place`,
    [
      entries.map(({ subject }) => subject),
      entries.map(({ subjectSeq }) => subjectSeq),
      entries.map(({ type }) => type),
      entries.map(({ at }) => timestampText(at)),
      entries.map(({ data }) => JSON.stringify(data)),
    ],
  );
}
