/** What the ledger says of many sessions. Percentiles are values that were measured, found by the database. */
import type { Instant, SessionId } from '../domain/ids.ts';

export interface ReportRange {
  /** Activated at or after it. */
  readonly since: Instant;
  /** Activated before it. */
  readonly until: Instant;
  readonly zoneId: string | null;
  /** Sessions of this zone are left out. */
  readonly exceptZoneId: string | null;
}

/** Milliseconds. */
export interface Spread {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export interface LedgerReport {
  readonly sessions: {
    readonly activated: number;
    readonly open: number;
    /** Over and not entered in the ledger: they are in no line below. */
    readonly waiting: number;
  };
  /** From the activation to the first of each kind, in the order of their medians. */
  readonly milestones: readonly ({ readonly name: string; readonly count: number } & Spread)[];
  readonly requirements: readonly ({
    readonly id: string;
    /** The highest in force; `null`: a rule without a time. */
    readonly limitMs: number | null;
    /** Sessions that it applies to, and the others. */
    readonly judged: number;
    readonly notApplicable: number;
    readonly breaches: number;
  } & Spread)[];
  /** By requirement, the worst first; at most as many as asked for. */
  readonly breaches: readonly {
    readonly requirement: string;
    readonly sessionId: SessionId;
    readonly activatedAt: Instant;
    readonly limitMs: number | null;
    /** `null`: it never came about. */
    readonly valueMs: number | null;
    readonly reason: string | null;
  }[];
}

export interface LedgerReports {
  /** Throws `StoreError`. */
  report(range: ReportRange, maxBreaches: number): Promise<LedgerReport>;
}
