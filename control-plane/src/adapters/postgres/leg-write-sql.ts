/** What the writes of sessions and of calls have in common: how a leg goes on, its tries, and what webhooks tell. */

/** Of the row `l` from `excluded`: nothing that is known is forgotten, and an end stays as it was told first. */
export const LEG_GOES_ON_SQL = `
    ringing_at = coalesce(l.ringing_at, excluded.ringing_at), progress_at = coalesce(l.progress_at, excluded.progress_at),
    answered_at = coalesce(l.answered_at, excluded.answered_at),
    carrier_call_id = coalesce(l.carrier_call_id, excluded.carrier_call_id),
    trunk = CASE WHEN l.answered_at IS NULL THEN coalesce(excluded.trunk, l.trunk) ELSE l.trunk END,
    ended_at = coalesce(l.ended_at, excluded.ended_at), outcome = coalesce(l.outcome, excluded.outcome),
    sip_status = CASE WHEN l.ended_at IS NULL THEN excluded.sip_status ELSE l.sip_status END,
    q850 = CASE WHEN l.ended_at IS NULL THEN excluded.q850 ELSE l.q850 END`;

/** Nine parameters from `$first` on: arrays of leg, try, trunk, dialled, carrier's call, ended, outcome, SIP status, cause. */
export function tryRowsSql(first: number): string {
  const types = [
    'text',
    'integer',
    'text',
    'timestamptz',
    'text',
    'timestamptz',
    'text',
    'integer',
    'integer',
  ];
  return `
  INSERT INTO leg_tries AS t (leg_id, try, trunk, dialed_at, carrier_call_id, ended_at, outcome, sip_status, q850)
  SELECT n.leg_id, n.try, coalesce(n.trunk, ''), n.dialed_at, n.carrier_call_id, n.ended_at, n.outcome, n.sip_status, n.q850
  FROM unnest(${types.map((type, index) => `$${first + index}::${type}[]`).join(', ')})
    AS n (leg_id, try, trunk, dialed_at, carrier_call_id, ended_at, outcome, sip_status, q850)
  ON CONFLICT (leg_id, try) DO UPDATE SET
    trunk = CASE WHEN t.trunk = '' THEN excluded.trunk ELSE t.trunk END,
    dialed_at = coalesce(t.dialed_at, excluded.dialed_at),
    carrier_call_id = coalesce(t.carrier_call_id, excluded.carrier_call_id),
    ended_at = coalesce(t.ended_at, excluded.ended_at), outcome = coalesce(t.outcome, excluded.outcome),
    sip_status = CASE WHEN t.ended_at IS NULL THEN excluded.sip_status ELSE t.sip_status END,
    q850 = CASE WHEN t.ended_at IS NULL THEN excluded.q850 ELSE t.q850 END`;
}

/** `subject`, `seq`: parameters of the session or call and its change. Three from `$first` on: arrays of type, time, data. */
export function outboxRowsSql(subject: string, seq: string, first: number): string {
  return `
  INSERT INTO outbox (subject, subject_seq, type, at, data)
  SELECT ${subject}, ${seq}::bigint, o.type, o.at, o.data::json
  FROM unnest($${first}::text[], $${first + 1}::timestamptz[], $${first + 2}::text[])
    WITH ORDINALITY AS o (type, at, data, place)
  ORDER BY o.place`;
}
