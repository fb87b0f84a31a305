/** Calls as a backend asks for them, and what it can see of them. */
import { randomUUID } from 'node:crypto';
import type { CallRecordView, CallView } from '../../../control-plane/src/contracts/call-api.ts';
import { eventually } from './eventually.ts';
import type { Gateway } from './gateway.ts';
import type { Answer } from './http.ts';

/** First digits of the numbers of the four operators, as the simulator has them. */
export const SERIES = { jio: '70', airtel: '98', vi: '99', bsnl: '94' } as const;

let numbers = 0;

/** A number that no other test dials. `tone` chooses what its phone plays, `behaviour` what it does. */
export function newCallee(behaviour = '00', tone = 1, series: keyof typeof SERIES = 'airtel'): string {
  numbers += 1;
  return `+91${SERIES[series]}${String(50_000 + numbers)}${tone}${behaviour}`;
}

export interface CallWishes {
  readonly bridgeTo?: string | readonly string[];
  readonly bridgeWhen?: 'answered' | 'at-once';
  readonly ringTimeoutS?: number;
  readonly maxDurationS?: number;
  readonly callerId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export class Backend {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  get token(): string {
    return this.#gateway.file.tokens.backend.token;
  }

  post(body: unknown, key: string = randomUUID()): Promise<Answer> {
    const headers = { 'idempotency-key': key };
    return this.#gateway.send(this.token, 'POST', '/v1/calls', { body, headers });
  }

  async call(to: string, wishes: CallWishes = {}): Promise<CallView> {
    const { status, body } = await this.post({ to, ...wishes });
    if (status !== 201) throw new Error(`POST /v1/calls: ${status} ${JSON.stringify(body)}`);
    return body as unknown as CallView;
  }

  async view(id: string): Promise<CallView> {
    const { status, body } = await this.#gateway.send(this.token, 'GET', `/v1/calls/${id}`);
    if (status !== 200) throw new Error(`GET /v1/calls/{id}: ${status}`);
    return body as unknown as CallView;
  }

  /** As soon as it is so: `ringing`, `answered/joined`, `failed/busy`. */
  when(id: string, state: string, deadlineMs = 12_000): Promise<CallView> {
    return eventually(
      `the call is ${state}`,
      async () => {
        const view = await this.view(id);
        return stateOf(view).startsWith(state) ? view : null;
      },
      deadlineMs,
    );
  }

  async ask(id: string, deed: 'hold' | 'unhold' | 'transfer', body?: unknown): Promise<CallView> {
    const path = `/v1/calls/${id}/${deed}`;
    const answer = await this.#gateway.send(this.token, 'POST', path, body === undefined ? {} : { body });
    if (answer.status !== 200) throw new Error(`${deed}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as unknown as CallView;
  }

  async hangUp(id: string): Promise<CallView> {
    const { body } = await this.#gateway.send(this.token, 'DELETE', `/v1/calls/${id}`);
    return body as unknown as CallView;
  }

  async records(owner: string): Promise<readonly CallRecordView[]> {
    const { body } = await this.#gateway.send(this.token, 'GET', `/v1/call-records?owner=${owner}`);
    return (body as unknown as { readonly records: readonly CallRecordView[] }).records;
  }
}

export function stateOf({ state, talk, reason }: CallView): string {
  return `${state}/${reason ?? talk}`;
}

/** Keeps what is written for webhooks, which whoever delivers them takes away. Begins now. */
export async function keepOutbox(gateway: Gateway): Promise<void> {
  await gateway.sql(`
    CREATE TABLE IF NOT EXISTS outbox_seen (id bigint, subject text, subject_seq bigint, type text, at timestamptz, data json);
    CREATE OR REPLACE FUNCTION see_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO outbox_seen VALUES (NEW.id, NEW.subject, NEW.subject_seq, NEW.type, NEW.at, NEW.data);
      RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER outbox_seen AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION see_outbox();`);
}

export interface SeenNews {
  readonly type: string;
  readonly at: Date;
  readonly subject_seq: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function newsOf(gateway: Gateway, id: string): Promise<SeenNews[]> {
  return gateway.sql<SeenNews>(
    'SELECT type, at, subject_seq, data FROM outbox_seen WHERE subject = $1 ORDER BY id',
    [id],
  );
}
