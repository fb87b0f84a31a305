/** Who administers a Vault, the fake one or a real one (VAULT_ADDR, VAULT_TOKEN): makes a mount, a role and a policy of one test. */
import { randomBytes } from 'node:crypto';
import { Secret } from '../../../control-plane/src/domain/secret.ts';

const DEADLINE_MS = 10_000;

export interface RoleWishes {
  /** Seconds; whole numbers, as Vault wants them. */
  readonly token_ttl?: number;
  readonly token_max_ttl?: number;
  readonly token_type?: 'batch' | 'service';
  readonly secret_id_ttl?: number;
  readonly secret_id_num_uses?: number;
}

export class VaultAdmin {
  readonly mount = `kv-${randomBytes(6).toString('hex')}`;
  readonly authMount = `approle-${randomBytes(6).toString('hex')}`;
  readonly prefix = 'sos/gateway';
  readonly #address: string;
  readonly #token: string;
  readonly #namespace: string | null;

  constructor(address: string, token: string, namespace: string | null = null) {
    this.#address = address;
    this.#token = token;
    this.#namespace = namespace;
  }

  async setUp(wishes: RoleWishes = {}): Promise<void> {
    await this.#ask('POST', `sys/mounts/${this.mount}`, { type: 'kv', options: { version: '2' } });
    await this.#ask('POST', `sys/auth/${this.authMount}`, { type: 'approle' });
    await this.allow(`${this.mount}/data/${this.prefix}/*`);
    await this.#ask('POST', `auth/${this.authMount}/role/gateway`, {
      token_policies: [this.#policy],
      token_ttl: 3600,
      token_max_ttl: 86_400,
      ...wishes,
    });
  }

  async tearDown(): Promise<void> {
    await this.#ask('DELETE', `sys/mounts/${this.mount}`);
    await this.#ask('DELETE', `sys/auth/${this.authMount}`);
  }

  async allow(path: string): Promise<void> {
    await this.#ask('POST', `sys/policies/acl/${this.#policy}`, {
      policy: `path "${path}" { capabilities = ["read"] }`,
    });
  }

  async roleId(): Promise<Secret> {
    const { data } = await this.#ask('GET', `auth/${this.authMount}/role/gateway/role-id`);
    return new Secret((data as { role_id: string }).role_id);
  }

  async secretId(): Promise<Secret> {
    const { data } = await this.#ask('POST', `auth/${this.authMount}/role/gateway/secret-id`, {});
    return new Secret((data as { secret_id: string }).secret_id);
  }

  /** A token that can be opened once, within `ttlS`. `path`: wraps the answer of another request. */
  async wrappedSecretId(ttlS = 60, path = `auth/${this.authMount}/role/gateway/secret-id`): Promise<Secret> {
    const { wrap_info } = await this.#ask('POST', path, {}, { 'x-vault-wrap-ttl': `${ttlS}s` });
    return new Secret((wrap_info as { token: string }).token);
  }

  async unwrap(token: Secret): Promise<void> {
    await this.#ask('POST', 'sys/wrapping/unwrap', undefined, { 'x-vault-token': token.reveal() });
  }

  async destroySecretId(secretId: Secret): Promise<void> {
    await this.#ask('POST', `auth/${this.authMount}/role/gateway/secret-id/destroy`, {
      secret_id: secretId.reveal(),
    });
  }

  async revoke(token: string): Promise<void> {
    await this.#ask('POST', 'auth/token/revoke', { token });
  }

  async put(path: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#ask('POST', `${this.mount}/data/${this.prefix}/${path}`, { data });
  }

  /** Softly: its metadata stay. */
  async delete(path: string): Promise<void> {
    await this.#ask('DELETE', `${this.mount}/data/${this.prefix}/${path}`);
  }

  async erase(path: string): Promise<void> {
    await this.#ask('DELETE', `${this.mount}/metadata/${this.prefix}/${path}`);
  }

  get #policy(): string {
    return `read-${this.mount}`;
  }

  async #ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`${this.#address}/v1/${path}`, {
      method,
      headers: {
        'x-vault-token': this.#token,
        'x-vault-request': 'true',
        ...(this.#namespace === null ? {} : { 'x-vault-namespace': this.#namespace }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }
}
