/** Alerts for whoever is on call (TEL-8): who raises them, who tells them, who keeps them, who reads them. */
import type { OpsAlertView } from '../contracts/alert-api.ts';
import type { OpsAlert, OpsAlertKind, OpsAlertNews, OpsAlertRecord } from '../domain/alert/ops-alert.ts';

export type { OpsAlert, OpsAlertKind, OpsAlertNews, OpsAlertRecord } from '../domain/alert/ops-alert.ts';

export interface OpsAlerts {
  /** Repeat-safe: an alert that stands is not raised anew. Never throws, never waits. */
  raise(alert: OpsAlert): void;
  /** One that does not stand is none. */
  resolve(kind: OpsAlertKind, subject: string): void;
}

/**
 * Whether an alert that an earlier process left may be true still, although nobody has raised it in this one: for kinds whose
 * watcher sees only what happens, or looks seldom. It is asked again and again. Of a kind that nobody minds, what is not
 * raised within two minutes is over.
 */
export type AlertMinders = Partial<Readonly<Record<OpsAlertKind, (alert: OpsAlert) => boolean>>>;

/** One way to whoever is on call. */
export interface AlertSender {
  /** For logs and metrics: `webhook-1`. Names no address. */
  readonly name: string;
  /** It forgets what is not told again so often (milliseconds); `null`: it forgets nothing. */
  readonly resendMs: number | null;
  /** Resolves when it was taken; rejects with an `AlertError`, at the latest after ten seconds. Repeatable. */
  send(news: readonly OpsAlertNews[]): Promise<void>;
  close(): void;
}

export type AlertErrorCode =
  /** It answered, and did not take it. */
  | 'ERR_ALERT_REFUSED'
  | 'ERR_ALERT_UNREACHABLE'
  | 'ERR_ALERT_TIMEOUT'
  /** Name or password, or a certificate. */
  | 'ERR_ALERT_AUTH';

/** Its message names no address, for it is logged. */
export class AlertError extends Error {
  readonly code: AlertErrorCode;
  constructor(code: AlertErrorCode, message: string) {
    super(message);
    this.name = 'AlertError';
    this.code = code;
  }
}

/** Alerts as they are kept: best effort, for nothing waits for it. Errors throw `StoreError`. */
export interface OpsAlertStore {
  /** What stands, and the newest that do not, at most `limit` together. */
  load(limit: number): Promise<readonly OpsAlertRecord[]>;
  /** As they are now. Repeatable. */
  save(records: readonly OpsAlertRecord[]): Promise<void>;
}

export interface OpsAlertFilter {
  readonly state: 'standing' | 'resolved' | null;
  /** Continue after the alert of this id. */
  readonly before: string | null;
  readonly limit: number;
}

export type AcknowledgeResult =
  | { readonly ok: true; readonly alert: OpsAlertView }
  | { readonly ok: false; readonly code: 'ERR_ALERT_NOT_FOUND' | 'ERR_ALERT_RESOLVED' };

/** Alerts for people to see. Everything is answered from memory. */
export interface OpsAlertBoard {
  /** Newest first: what stands and the last thousand that do not. */
  list(filter: OpsAlertFilter): readonly OpsAlertView[];
  standing(): readonly OpsAlertView[];
  acknowledge(id: string, by: string): AcknowledgeResult;
  /** Told of each change. Returns how to stop listening. */
  watch(listener: (alert: OpsAlertView) => void): () => void;
  /** Each way to whoever is on call, and why it did not take the last alert (`null`: it did). */
  channels(): readonly { readonly name: string; readonly failing: AlertErrorCode | null }[];
}
