/**
 * How requests travel to Vault. node-vault takes a transport of another's making, and gets this one: its own knows only a
 * deadline for silence, reads answers of any length, follows redirects with the token wherever they lead, goes through the
 * environment's proxies, and leaves certificates unchecked where VAULT_SKIP_VERIFY is set.
 */
import { readFile } from 'node:fs/promises';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Instant } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';

/** What node-vault asks of a transport; `json` is the body. */
export interface VaultOrder {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export interface VaultAnswer {
  readonly statusCode: number;
  /** Parsed; text where it is no JSON. */
  readonly body: unknown;
  readonly request: { readonly path: string };
}

export interface VaultTransportOptions {
  readonly caFile: string | null;
  readonly clock: Clock;
  /** Of one request, redirect included. */
  readonly deadlineMs: number;
}

/** There was no answer; the message says why, and holds nothing of what was sent. */
export class NoAnswer extends Error {}

const MAX_ANSWER_BYTES = 1_048_576;
const REDIRECTS = new Set([301, 302, 307, 308]);

type Raw = { readonly status: number; readonly location: string | undefined; readonly text: string };

export class VaultTransport {
  readonly #options: VaultTransportOptions;
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  constructor(options: VaultTransportOptions) {
    this.#options = options;
  }

  /** Rejects with `NoAnswer`. */
  readonly send = async (order: VaultOrder): Promise<VaultAnswer> => {
    if (this.#isClosed) throw new NoAnswer('it is being stopped');
    const { clock, deadlineMs } = this.#options;
    const abort = new AbortController();
    this.#open.add(abort);
    const late = new NoAnswer(`no answer within ${deadlineMs} ms`);
    const cancel = clock.at((clock.now() + deadlineMs) as Instant, () => abort.abort(late));
    try {
      return await this.#exchange(order, abort.signal);
    } catch (error) {
      if (abort.signal.reason instanceof NoAnswer) throw abort.signal.reason;
      throw error instanceof NoAnswer ? error : new NoAnswer(causeOf(error));
    } finally {
      cancel();
      this.#open.delete(abort);
    }
  };

  /** Ends what is under way, and sends nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const one of this.#open) one.abort(new NoAnswer('it is being stopped'));
  }

  /** A standby may send us on to the active node, once, and never from https to http. */
  async #exchange(order: VaultOrder, signal: AbortSignal): Promise<VaultAnswer> {
    const ca = await this.#authority();
    const url = new URL(order.uri);
    let raw = await ask(url, order, ca, signal);
    if (REDIRECTS.has(raw.status)) {
      const next = raw.location === undefined ? null : URL.parse(raw.location, url);
      if (!next || next.protocol !== url.protocol)
        throw new NoAnswer('it redirects to where we do not follow');
      raw = await ask(next, order, ca, signal);
    }
    return { statusCode: raw.status, body: parsed(raw.text), request: { path: url.pathname } };
  }

  async #authority(): Promise<string | undefined> {
    const { caFile } = this.#options;
    if (caFile === null) return undefined;
    try {
      return await readFile(caFile, 'utf8');
    } catch (error) {
      throw new NoAnswer(`the file with its certificate authority cannot be read (${causeOf(error)})`);
    }
  }
}

function ask(url: URL, order: VaultOrder, ca: string | undefined, signal: AbortSignal): Promise<Raw> {
  const body = order.json === undefined ? '' : JSON.stringify(order.json);
  const headers = {
    ...order.headers,
    accept: 'application/json',
    // Vault agents may insist on it: no page in a browser can send it.
    'x-vault-request': 'true',
    ...(order.method === 'GET'
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  const common = { method: order.method, headers, agent: false as const, signal };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => void textOf(response).then(resolve, reject);
    const request =
      url.protocol === 'https:'
        ? requestHttps(
            url,
            { ...common, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
            answered,
          )
        : requestHttp(url, common, answered);
    request.on('error', reject);
    request.end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<Raw> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new NoAnswer('its answer is too long');
    chunks.push(chunk);
  }
  const { statusCode = 0, headers } = response;
  return { status: statusCode, location: headers.location, text: Buffer.concat(chunks).toString('utf8') };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** By its code alone: messages name hosts, and may name more. */
function causeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code ?? (error instanceof Error ? error.name : 'unknown');
}
