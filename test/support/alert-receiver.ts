/** An on-call system by hand: a real HTTP server that keeps what it is told, and answers as a test likes. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface ToldAlert {
  readonly status?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly fingerprint?: string;
}

export interface ToldMessage {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: unknown;
  /** By this process's monotonic clock. */
  readonly atMs: number;
  readonly alerts: readonly ToldAlert[];
}

export interface AlertReceiver {
  readonly url: string;
  readonly messages: readonly ToldMessage[];
  /** What it answers; 0: nothing at all. */
  status: number;
  /** The first alert that fits, told already or yet to come. Throws after `deadlineMs`. */
  until(
    what: string,
    fits: (alert: ToldAlert) => boolean,
    deadlineMs: number,
  ): Promise<{ readonly alert: ToldAlert; readonly message: ToldMessage }>;
  close(): Promise<void>;
}

const LOOK_AGAIN_MS = 10;

export async function startAlertReceiver(): Promise<AlertReceiver> {
  const messages: ToldMessage[] = [];
  const receiver = { status: 200 };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString('utf8');
      const body = JSON.parse(text) as unknown;
      const alerts = (Array.isArray(body) ? body : (body as { alerts: unknown }).alerts) as ToldAlert[];
      const { url: path = '', headers } = request;
      messages.push({ path, headers, text, body, atMs: performance.now(), alerts });
      if (receiver.status !== 0) response.writeHead(receiver.status, { location: '/elsewhere' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    messages,
    get status() {
      return receiver.status;
    },
    set status(status: number) {
      receiver.status = status;
    },
    async until(what, fits, deadlineMs) {
      const deadline = performance.now() + deadlineMs;
      for (;;) {
        for (const message of messages) {
          const alert = message.alerts.find(fits);
          if (alert) return { alert, message };
        }
        if (performance.now() > deadline)
          throw new Error(
            `not within ${deadlineMs} ms: ${what}; told was ${JSON.stringify(messages.map(({ alerts }) => alerts))}`,
          );
        await delay(LOOK_AGAIN_MS);
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The signature as whoever has the secret computes it (Standard Webhooks). */
export function signatureOf({ headers, text }: ToldMessage, secret: string): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}
