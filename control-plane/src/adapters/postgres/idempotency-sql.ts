/** Idempotency keys: claimed once, then remembered for 24 h. */

/** How long a key is remembered. */
export const IDEMPOTENCY_KEY_LIFE = '24 hours';

/**
 * `$1` citizen, `$2` hash of the key, `$3` hash of the body, `$4` session. A claim past its life is taken over. The
 * row that comes back is this claim's own exactly when it was written by this very statement.
 */
export const CLAIM_KEY_SQL = `
INSERT INTO idempotency_keys AS k (citizen_id, key_hash, body_hash, session_id, claimed_at)
VALUES ($1, $2, $3, $4::uuid, statement_timestamp())
ON CONFLICT (citizen_id, key_hash) DO UPDATE SET
  (body_hash, session_id, claimed_at) = (
    SELECT n.body_hash, n.session_id, n.claimed_at FROM (VALUES
      (true, excluded.body_hash, excluded.session_id, excluded.claimed_at),
      (false, k.body_hash, k.session_id, k.claimed_at)
    ) AS n (is_new, body_hash, session_id, claimed_at)
    WHERE n.is_new = (k.claimed_at <= statement_timestamp() - interval '${IDEMPOTENCY_KEY_LIFE}')
  )
RETURNING body_hash, session_id, claimed_at = statement_timestamp() AS fresh`;
