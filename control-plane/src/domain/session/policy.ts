/** The times and choices of one session. Defaults are those of the deployment's configuration. */
export interface Policy {
  readonly watchdogMs: number;
  readonly firstRetryMs: number;
  /** Packets missing for this long in an active stream: retry; as long again: fallback. */
  readonly mediaLostMs: number;
  readonly noOperatorAlertMs: number;
  readonly citizenRingMs: number;
  readonly operatorRingMs: number;
  /** A duty phone that has to accept: from its answer until the 1 is pressed. */
  readonly operatorAcceptMs: number;
  readonly citizenRedialAfterMs: number;
  readonly citizenRedials: number;
  /** The panel's client is gone: the same one may come back for this long. */
  readonly operatorReofferMs: number;
  readonly maxSessionMs: number;
  /** An alert that nobody has acknowledged is raised again this often. */
  readonly alertRepeatMs: number;
  /** Both phones were told to join: after this long WebRTC is given up although no bridge was reported. */
  readonly handOverMs: number;
  /** A warm-up that is never activated ends by itself. */
  readonly armingMs: number;
  /** Streaming but unheard at the deadline: `dial-operator` leaves her phone in peace. */
  readonly operatorAbsent: 'dial-operator' | 'dial-both';
}

export const DEFAULT_POLICY: Policy = {
  watchdogMs: 5000,
  firstRetryMs: 3000,
  mediaLostMs: 4000,
  noOperatorAlertMs: 10_000,
  citizenRingMs: 25_000,
  operatorRingMs: 8000,
  operatorAcceptMs: 6000,
  citizenRedialAfterMs: 20_000,
  citizenRedials: 1,
  operatorReofferMs: 5000,
  maxSessionMs: 3_600_000,
  alertRepeatMs: 60_000,
  handOverMs: 5000,
  armingMs: 600_000,
  operatorAbsent: 'dial-operator',
};
