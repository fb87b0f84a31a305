/** Receivers in memory: a test says what each answers, and when. */
import type { AttemptResult } from '../../control-plane/src/domain/webhook/judge-attempt.ts';
import type { WebhookMessage, WebhookSender } from '../../control-plane/src/ports/webhook-sender.ts';

export const answered = (status: number, retryAfterMs: number | null = null): AttemptResult => ({
  kind: 'answered',
  status,
  retryAfterMs,
});

export class FakeWebhookSender implements WebhookSender {
  readonly sent: WebhookMessage[] = [];
  /** By what comes; a promise that never settles hangs until `close`. */
  answer: (message: WebhookMessage) => AttemptResult | Promise<AttemptResult> = () => answered(204);
  readonly #closing = Promise.withResolvers<AttemptResult>();

  refusal(): string | null {
    return null;
  }

  async send(message: WebhookMessage): Promise<AttemptResult> {
    this.sent.push(message);
    return Promise.race([this.answer(message), this.#closing.promise]);
  }

  close(): void {
    this.#closing.resolve({ kind: 'unanswered', reason: 'connection' });
  }

  /** What was sent, as subject and number of its change. */
  get told(): string[] {
    return this.sent.map(({ body }) => {
      const { data } = JSON.parse(body) as { data: { sessionId: string; sequence: number } };
      return `${data.sessionId}/${data.sequence}`;
    });
  }
}
