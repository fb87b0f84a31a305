/** Alerts by e-mail, plain text, over SMTP (RFC 5321) with TLS or STARTTLS. */
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { Secret } from '../../domain/secret.ts';
import { AlertError } from '../../ports/ops-alerts.ts';
import type { AlertErrorCode, AlertSender, OpsAlertNews, OpsAlertRecord } from '../../ports/ops-alerts.ts';

const STEP_MS = 5000;
const DEADLINE_MS = 10_000;

export interface MailSenderOptions {
  readonly name: string;
  /** `smtps://<user>:<password>@host:port`, or `smtp://` with STARTTLS, which is insisted on beyond loopback. */
  readonly url: Secret;
  readonly from: string;
  readonly to: readonly string[];
  readonly publicUrl: string;
  /** PEM of an authority beside those that Node trusts. */
  readonly ca?: string;
}

export class MailSender implements AlertSender {
  readonly name: string;
  readonly resendMs = null;
  readonly #options: MailSenderOptions;
  readonly #transport: { sendMail(mail: SendMailOptions): Promise<unknown>; close(): void };

  constructor(options: MailSenderOptions) {
    this.name = options.name;
    this.#options = options;
    this.#transport = createTransport(transportOf(options));
  }

  async send(news: readonly OpsAlertNews[]): Promise<void> {
    const { from, to, publicUrl } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new AlertError('ERR_ALERT_TIMEOUT', `not within ${DEADLINE_MS} ms`)),
      DEADLINE_MS,
    );
    try {
      const sent = this.#transport.sendMail({
        from,
        to: [...to],
        subject: subjectOf(news),
        text: textOf(news, publicUrl),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        priority: 'high',
      });
      await Promise.race([sent, late.promise]);
    } catch (error) {
      // Its own message quotes hosts and addresses.
      throw error instanceof AlertError ? error : new AlertError(codeOf(error), 'the mail was not taken');
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#transport.close();
  }
}

function transportOf({ url, ca }: MailSenderOptions): Parameters<typeof createTransport>[0] {
  const parsed = new URL(url.reveal());
  const secure = parsed.protocol === 'smtps:';
  const host = parsed.hostname.replace(/[[\]]/g, '');
  const isLocal = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return {
    host,
    port: parsed.port === '' ? (secure ? 465 : 587) : Number(parsed.port),
    secure,
    requireTLS: !secure && !isLocal,
    ...(parsed.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) } }),
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: DEADLINE_MS,
    dnsTimeout: STEP_MS,
    // Mail is made of our own words alone.
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
  };
}

function codeOf(error: unknown): AlertErrorCode {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
    case 'ETLS':
      return 'ERR_ALERT_AUTH';
    case 'EENVELOPE':
    case 'EMESSAGE':
    case 'EPROTOCOL':
      return 'ERR_ALERT_REFUSED';
    case 'ETIMEDOUT':
      return 'ERR_ALERT_TIMEOUT';
    default:
      return 'ERR_ALERT_UNREACHABLE';
  }
}

export function subjectOf(news: readonly OpsAlertNews[]): string {
  const [first] = news;
  const others = news.length > 1 ? ` and ${news.length - 1} more` : '';
  return first ? oneLine(`[${stateOf(first)}] ${first.record.kind} ${first.record.subject}${others}`) : '';
}

export function textOf(news: readonly OpsAlertNews[], publicUrl: string): string {
  const parts = news.map((one) => {
    const { kind, subject, severity, summary, raisedAt, resolvedAt, acknowledged } = one.record;
    return [
      `${stateOf(one)}  ${kind}  ${subject}  (${severity})`,
      oneLine(summary),
      `since ${timeText(raisedAt)}${resolvedAt === null ? '' : `, over ${timeText(resolvedAt)}`}`,
      ...(acknowledged ? [`acknowledged by ${acknowledged.by}`] : []),
    ].join('\n');
  });
  return `${parts.join('\n\n')}\n\n-- \n${publicUrl}\nWhat each kind means and what to do: docs/runbook.md, "An alert has come".\n`;
}

function stateOf({ what, record }: { what: OpsAlertNews['what']; record: OpsAlertRecord }): string {
  if (record.resolvedAt !== null) return 'RESOLVED';
  return what === 'repeated' ? 'STILL FIRING' : 'FIRING';
}

function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
