/** Tokens of the fake Vault: policies, leases, and tokens that wrap an answer. */
import type { Clock } from '../../../control-plane/src/ports/clock.ts';
import { envelope, refusal, type VaultBody, type VaultCall, type VaultReply } from './vault-wire.ts';

interface Token {
  readonly policies: readonly string[];
  readonly isRenewable: boolean;
  readonly ttlS: number;
  readonly endsAt: number;
  expiresAt: number;
}

interface Wrapping {
  readonly body: VaultBody;
  readonly creationPath: string;
  readonly expiresAt: number;
}

const PERMISSION_DENIED = refusal(403, '1 error occurred:\n\t* permission denied\n\n');

export class VaultTokens {
  readonly #clock: Clock;
  readonly #root: string;
  readonly #tokens = new Map<string, Token>();
  readonly #wrappings = new Map<string, Wrapping>();
  /** Paths that may be read, by policy. */
  readonly #policies = new Map<string, readonly string[]>();
  #made = 0;

  constructor(clock: Clock, root: string) {
    this.#clock = clock;
    this.#root = root;
  }

  /** The `auth` part of a login's answer. */
  make(wish: {
    ttlS: number;
    maxTtlS: number;
    policies: readonly string[];
    isRenewable: boolean;
  }): VaultBody {
    const { ttlS, maxTtlS, policies, isRenewable } = wish;
    const now = this.#clock.now();
    const id = this.#name('hvs');
    const lifeS = Math.min(ttlS, maxTtlS === 0 ? ttlS : maxTtlS);
    const endsAt = maxTtlS === 0 ? Number.POSITIVE_INFINITY : now + maxTtlS * 1000;
    this.#tokens.set(id, { policies, isRenewable, ttlS, endsAt, expiresAt: now + lifeS * 1000 });
    return this.#auth(id, lifeS);
  }

  isRoot(token: string): boolean {
    return token === this.#root;
  }

  mayRead(token: string, path: string): boolean {
    if (this.isRoot(token)) return true;
    const paths = this.#alive(token)?.policies.flatMap((name) => this.#policies.get(name) ?? []) ?? [];
    return paths.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one));
  }

  answer(call: VaultCall): VaultReply | null {
    const { method, path, token, body } = call;
    const policy = /^sys\/policies\/acl\/(.+)$/.exec(path)?.[1];
    if (policy !== undefined) {
      if (!this.isRoot(token)) return PERMISSION_DENIED;
      const text = String(body['policy']);
      this.#policies.set(
        policy,
        [...text.matchAll(/path "([^"]+)" *\{ *capabilities *= *\["read"\] *\}/g)].map(
          ([, one]) => one ?? '',
        ),
      );
      return { status: 204 };
    }
    switch (`${method} ${path}`) {
      case 'POST auth/token/renew-self':
        return this.#renew(token, body['increment']);
      case 'POST auth/token/revoke-self':
        return this.#tokens.delete(token) ? { status: 204 } : PERMISSION_DENIED;
      case 'POST auth/token/revoke':
        return this.isRoot(token) && this.#tokens.delete(String(body['token']))
          ? { status: 204 }
          : PERMISSION_DENIED;
      case 'POST sys/wrapping/lookup':
        return this.#lookup(String(body['token']));
      case 'POST sys/wrapping/unwrap':
        return this.#unwrap(token, body['token']);
      case 'POST sys/wrapping/wrap':
        return this.isRoot(token) ? envelope({ data: body }) : PERMISSION_DENIED;
      default:
        return null;
    }
  }

  /** The answer, or a token that wraps it. */
  wrapped(path: string, ttl: string | string[] | undefined, reply: VaultReply): VaultReply {
    if (typeof ttl !== 'string' || reply.status !== 200 || !reply.body) return reply;
    const ttlS = Number(ttl.replace(/s$/, ''));
    const id = this.#name('hvs.wrap');
    this.#wrappings.set(id, {
      body: reply.body,
      creationPath: path,
      expiresAt: this.#clock.now() + ttlS * 1000,
    });
    const creation_time = new Date(this.#clock.now()).toISOString();
    return envelope({
      wrap_info: {
        token: id,
        accessor: 'a',
        ttl: ttlS,
        creation_time,
        creation_path: path,
        wrapped_accessor: '',
      },
    });
  }

  #renew(id: string, increment: unknown): VaultReply {
    const token = this.#alive(id);
    if (!token) return PERMISSION_DENIED;
    if (!token.isRenewable) return refusal(400, 'lease is not renewable');
    const now = this.#clock.now();
    const wishedS = Number(String(increment).replace(/s$/, '')) || token.ttlS;
    const givenS = Math.floor(Math.min(wishedS, (token.endsAt - now) / 1000));
    token.expiresAt = now + givenS * 1000;
    return envelope({ auth: this.#auth(id, givenS) });
  }

  #auth(id: string, leaseS: number): VaultBody {
    const { policies = [], isRenewable = false } = this.#tokens.get(id) ?? {};
    return {
      client_token: id,
      accessor: `accessor-${id}`,
      policies,
      token_policies: policies,
      metadata: {},
      lease_duration: leaseS,
      renewable: isRenewable,
      entity_id: 'e',
      token_type: isRenewable ? 'service' : 'batch',
      orphan: true,
    };
  }

  #lookup(id: string): VaultReply {
    const wrapping = this.#wrapping(id);
    if (!wrapping) return refusal(400, 'wrapping token is not valid or does not exist');
    return envelope({
      data: { creation_path: wrapping.creationPath, creation_time: 'then', creation_ttl: 60 },
    });
  }

  /** Named in header and body, it is used up and gives nothing. */
  #unwrap(header: string, inBody: unknown): VaultReply {
    const id = typeof inBody === 'string' ? inBody : header;
    const wrapping = this.#wrapping(id);
    this.#wrappings.delete(id);
    const isTwice = inBody !== undefined && this.#wrappings.has(header);
    if (!wrapping || isTwice || (inBody !== undefined && header === inBody))
      return refusal(400, 'wrapping token is not valid or does not exist');
    return { status: 200, body: wrapping.body };
  }

  #wrapping(id: string): Wrapping | undefined {
    const wrapping = this.#wrappings.get(id);
    return wrapping && this.#clock.now() < wrapping.expiresAt ? wrapping : undefined;
  }

  #alive(id: string): Token | undefined {
    const token = this.#tokens.get(id);
    return token && this.#clock.now() < token.expiresAt ? token : undefined;
  }

  #name(kind: string): string {
    this.#made += 1;
    return `${kind}.fake-${this.#made}-${'x'.repeat(24)}`;
  }
}
