/**
 * A Vault of our own for tests: AppRole, leases, response wrapping and KV version 2 over HTTP, administered by the same
 * requests as a real one, with time that a test winds, and with every way to fail.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../control-plane/src/ports/clock.ts';
import { AppRoles } from './fake-approles.ts';
import { KvStore } from './fake-kv.ts';
import { VaultTokens } from './fake-tokens.ts';
import { refusal, type VaultBody, type VaultReply } from './vault-wire.ts';

/** What arrived, as it came over the wire. */
export interface VaultRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type VaultFailure =
  /** This status with Vault's error body. */
  | number
  /** Takes the request and says nothing. */
  | 'silent'
  /** Sends the head of an answer, and never its end. */
  | 'halting'
  | 'cut'
  /** 200 with a web page. */
  | 'page'
  /** 200 with JSON of another kind. */
  | 'other-json'
  | 'endless'
  /** To itself. */
  | 'circle';

export interface FakeVaultOptions {
  readonly clock: Clock;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Serves nobody without this header. */
  readonly namespace?: string;
}

export class FakeVault {
  readonly address: string;
  readonly rootToken = 'hvs.root-of-the-fake-vault';
  readonly requests: VaultRequest[] = [];
  /** Of every request, or of those whose path fits. */
  failure: VaultFailure | null = null;
  failing: RegExp = /./;
  readonly #close: () => Promise<void>;

  constructor(address: string, close: () => Promise<void>) {
    this.address = address;
    this.#close = close;
  }

  /** Requests to a path that begins so. */
  to(path: string): readonly VaultRequest[] {
    return this.requests.filter((one) => one.path.startsWith(`/v1/${path}`));
  }

  close(): Promise<void> {
    return this.#close();
  }
}

export async function startFakeVault(options: FakeVaultOptions): Promise<FakeVault> {
  const handlers: RequestListener[] = [];
  const listener: RequestListener = (request, response) => handlers[0]?.(request, response);
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http${options.tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const vault = new FakeVault(address, async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const tokens = new VaultTokens(options.clock, vault.rootToken);
  const routes = [tokens, new AppRoles(options.clock, tokens), new KvStore(options.clock, tokens)];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const { method = '', url: path = '', headers } = request;
    vault.requests.push({ method, path, headers, body });
    const isStranger = options.namespace !== undefined && headers['x-vault-namespace'] !== options.namespace;
    if (vault.failure !== null && vault.failing.test(path)) fail(vault, response);
    else if (isStranger) answer(response, NO_ROUTE);
    else {
      const token = String(headers['x-vault-token'] ?? '');
      const call = { method, path: path.replace(/^\/v1\//, ''), token, body: parsed(body) };
      const reply = routes.map((one) => one.answer(call)).find((one) => one !== null) ?? NO_ROUTE;
      answer(response, tokens.wrapped(call.path, headers['x-vault-wrap-ttl'], reply));
    }
  };
  handlers.push((request, response) => void serve(request, response));
  return vault;
}

const NO_ROUTE = refusal(404, 'no handler for route');

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parsed(body: string): VaultBody {
  return body === '' ? {} : (JSON.parse(body) as VaultBody);
}

function answer(response: ServerResponse, { status, body }: VaultReply): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

const ERRORS: Readonly<Record<number, string>> = {
  503: 'Vault is sealed',
  429: 'request path "…": rate limit quota exceeded',
};

function fail({ failure }: FakeVault, response: ServerResponse): void {
  if (typeof failure === 'number') answer(response, refusal(failure, ERRORS[failure] ?? 'internal error'));
  else if (failure === 'cut') response.destroy();
  else if (failure === 'page')
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>');
  else if (failure === 'other-json')
    answer(response, {
      status: 200,
      body: { data: { data: 'text', metadata: { version: 'one' } }, auth: {} },
    });
  else if (failure === 'circle') response.writeHead(307, { location: '/v1/sys/elsewhere' }).end();
  else if (failure === 'halting') response.writeHead(200, { 'content-length': 100 }).write('{');
  else if (failure === 'endless') {
    response.on('error', () => undefined);
    response.end(Buffer.alloc(3_000_000, 'x'));
  }
}
