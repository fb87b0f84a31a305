/** AppRole of the fake Vault. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../control-plane/src/ports/clock.ts';
import type { VaultTokens } from './fake-tokens.ts';
import { envelope, refusal, type VaultBody, type VaultCall, type VaultReply } from './vault-wire.ts';

interface Role {
  readonly roleId: string;
  settings: VaultBody;
  readonly secretIds: Map<string, { usesLeft: number; readonly expiresAt: number }>;
}

const numberOf = (value: unknown): number => Number(value ?? 0);

export class AppRoles {
  readonly #clock: Clock;
  readonly #tokens: VaultTokens;
  /** By `<mount>/<name>`. */
  readonly #roles = new Map<string, Role>();
  readonly #mounts = new Set<string>();

  constructor(clock: Clock, tokens: VaultTokens) {
    this.#clock = clock;
    this.#tokens = tokens;
  }

  answer({ method, path, token, body }: VaultCall): VaultReply | null {
    const mounted = /^sys\/auth\/(.+)$/.exec(path)?.[1];
    const [, mount = '', rest = ''] = /^auth\/(.+?)\/(login|role\/.+)$/.exec(path) ?? [];
    if (mounted === undefined && rest === '') return null;
    if (mounted === undefined && !this.#mounts.has(mount)) return null;
    if (method === 'POST' && rest === 'login') return this.#login(mount, body);
    if (!this.#tokens.isRoot(token)) return refusal(403, 'permission denied');
    if (mounted !== undefined) {
      if (method === 'DELETE') this.#mounts.delete(mounted);
      else this.#mounts.add(mounted);
      return { status: 204 };
    }
    return this.#administer(mount, rest, method, body);
  }

  #administer(mount: string, rest: string, method: string, body: VaultBody): VaultReply | null {
    const [, name = '', what = ''] = rest.split('/');
    const key = `${mount}/${name}`;
    const role = this.#roles.get(key);
    if (what === '') {
      if (role) role.settings = body;
      else this.#roles.set(key, { roleId: randomUUID(), settings: body, secretIds: new Map() });
      return { status: 204 };
    }
    if (!role) return refusal(404);
    if (what === 'role-id' && method === 'GET') return envelope({ data: { role_id: role.roleId } });
    if (rest.endsWith('secret-id/destroy'))
      return role.secretIds.delete(String(body['secret_id'])) ? { status: 204 } : refusal(404);
    const secretId = randomUUID();
    const ttlS = numberOf(role.settings['secret_id_ttl']);
    const expiresAt = ttlS === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() + ttlS * 1000;
    const uses = numberOf(role.settings['secret_id_num_uses']);
    role.secretIds.set(secretId, { usesLeft: uses === 0 ? Number.POSITIVE_INFINITY : uses, expiresAt });
    return envelope({
      data: {
        secret_id: secretId,
        secret_id_accessor: randomUUID(),
        secret_id_ttl: ttlS,
        secret_id_num_uses: uses,
      },
    });
  }

  #login(mount: string, body: VaultBody): VaultReply {
    const entry = [...this.#roles].find(
      ([key, { roleId }]) => key.startsWith(`${mount}/`) && roleId === body['role_id'],
    );
    const role = entry?.[1];
    const given = role?.secretIds.get(String(body['secret_id']));
    if (!role || !given || given.usesLeft < 1 || this.#clock.now() >= given.expiresAt)
      return refusal(400, 'invalid role or secret ID');
    given.usesLeft -= 1;
    const { token_ttl, token_max_ttl, token_policies, token_type } = role.settings;
    const policies = (token_policies as readonly string[] | undefined) ?? [];
    return envelope({
      auth: this.#tokens.make({
        ttlS: numberOf(token_ttl) || 2_764_800,
        maxTtlS: numberOf(token_max_ttl),
        policies,
        isRenewable: token_type !== 'batch',
      }),
    });
  }
}
