/** KV version 2 of the fake Vault. */
import type { Clock } from '../../../control-plane/src/ports/clock.ts';
import type { VaultTokens } from './fake-tokens.ts';
import { envelope, refusal, type VaultBody, type VaultCall, type VaultReply } from './vault-wire.ts';

interface Version {
  readonly data: VaultBody;
  readonly createdAt: string;
  deletedAt: string;
}

export class KvStore {
  readonly #clock: Clock;
  readonly #tokens: VaultTokens;
  /** By mount, then by path. */
  readonly #mounts = new Map<string, Map<string, Version[]>>();

  constructor(clock: Clock, tokens: VaultTokens) {
    this.#clock = clock;
    this.#tokens = tokens;
  }

  answer({ method, path, token, body }: VaultCall): VaultReply | null {
    const mounted = /^sys\/mounts\/(.+)$/.exec(path)?.[1];
    if (mounted !== undefined) {
      if (!this.#tokens.isRoot(token)) return refusal(403, 'permission denied');
      if (method === 'DELETE') this.#mounts.delete(mounted);
      else this.#mounts.set(mounted, new Map());
      return { status: 204 };
    }
    const mount = [...this.#mounts.keys()].find((one) => path.startsWith(`${one}/`));
    const secrets = mount === undefined ? undefined : this.#mounts.get(mount);
    if (mount === undefined || !secrets) return null;
    const [, kind = '', place = ''] = /^(data|metadata)\/(.+)$/.exec(path.slice(mount.length + 1)) ?? [];
    if (method === 'GET' ? !this.#tokens.mayRead(token, path) : !this.#tokens.isRoot(token))
      return refusal(403, '1 error occurred:\n\t* permission denied\n\n');
    return this.#serve(secrets, `${method} ${kind}`, place, body);
  }

  #serve(secrets: Map<string, Version[]>, what: string, place: string, body: VaultBody): VaultReply {
    const versions = secrets.get(place) ?? [];
    const latest = versions.at(-1);
    const now = new Date(this.#clock.now()).toISOString();
    switch (what) {
      case 'POST data':
        secrets.set(place, [...versions, { data: body['data'] as VaultBody, createdAt: now, deletedAt: '' }]);
        return envelope({ data: metadataOf(secrets.get(place) ?? []) });
      case 'DELETE data':
        if (latest) latest.deletedAt = now;
        return { status: 204 };
      case 'DELETE metadata':
        secrets.delete(place);
        return { status: 204 };
      case 'GET data': {
        if (!latest) return refusal(404);
        const isDeleted = latest.deletedAt !== '';
        const answer = envelope({
          data: { data: isDeleted ? null : latest.data, metadata: metadataOf(versions) },
        });
        return isDeleted ? { ...answer, status: 404 } : answer;
      }
      default:
        return refusal(405, 'unsupported operation');
    }
  }
}

function metadataOf(versions: readonly Version[]): VaultBody {
  const latest = versions.at(-1);
  return {
    version: versions.length,
    created_time: latest?.createdAt ?? '',
    deletion_time: latest?.deletedAt ?? '',
    destroyed: false,
    custom_metadata: null,
  };
}
