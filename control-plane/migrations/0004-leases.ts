/** Who may act: the lease of the core, and the fence that every session's write passes. Why so: docs/adr/0017-one-lease.md. */
import type { Knex } from 'knex';

export const name = '0004-leases';

/** First key of the locks that hold the fence ("LEAS"). */
const LOCK_CLASS = 0x4c454153;

const DDL = `
CREATE TABLE leases (
  name text PRIMARY KEY,
  -- Grows with each change of the holder. Whoever acts under an older one is fenced.
  epoch bigint NOT NULL DEFAULT 0,
  -- Node that holds it; null when it was given back.
  holder text,
  -- Grows with each renewal: who waits sees that the holder lives, and no clock is compared with another one.
  beat bigint NOT NULL DEFAULT 0,
  -- For people who look.
  renewed_at timestamptz,
  -- The holder's connection: gone with its process.
  backend_pid integer,
  backend_start timestamptz
) WITH (fillfactor = 10);
-- Nobody takes the second one: rehearsals, which are never committed, write under it.
INSERT INTO leases (name) VALUES ('core'), ('uncontested');
-- Never used; the lease is the core's, and each session names the node that wrote it last.
DROP TABLE nodes;

-- To be called by a transaction that writes under a lease. Until its end nobody can take the lease over: what it
-- commits is there before the next holder looks.
CREATE FUNCTION hold_lease(lease text, held bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${LOCK_CLASS}, hashtext(lease));
  -- A statement of its own, so that its snapshot is younger than the lock.
  IF (SELECT l.epoch FROM leases l WHERE l.name = lease) IS DISTINCT FROM held THEN
    RAISE EXCEPTION 'the lease has moved on' USING ERRCODE = 'ZH001';
  END IF;
  RETURN true;
END $$;

-- The new epoch; null when the lease is no longer as it was seen.
CREATE FUNCTION take_lease(lease text, node text, seen_epoch bigint, seen_beat bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  taken bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(lease));
  -- Renewals need not be on disk; this must.
  PERFORM set_config('synchronous_commit', 'on', true);
  UPDATE leases l SET epoch = l.epoch + 1, beat = l.beat + 1, holder = node, renewed_at = clock_timestamp(),
    backend_pid = pg_backend_pid(),
    backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid())
  WHERE l.name = lease AND l.epoch = seen_epoch AND l.beat = seen_beat
  RETURNING l.epoch INTO taken;
  RETURN taken;
END $$;

-- Presence goes with the lease under which it was seen.
ALTER TABLE operator_presence ADD COLUMN lease text NOT NULL DEFAULT 'core';
ALTER TABLE contacts ADD COLUMN lease text NOT NULL DEFAULT 'core';
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
