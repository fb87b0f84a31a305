/** The secret id of AppRole, read anew at each login, and opened first where it is wrapped. */
import { basename } from 'node:path';
import type { Secret } from '../../domain/secret.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';
import { readSecretFile } from './secret-file.ts';
import { isPassing, type VaultApi, type VaultResult } from './vault-api.ts';

export interface SecretIdOptions {
  readonly from:
    | { readonly kind: 'value'; readonly value: Secret }
    | { readonly kind: 'file'; readonly file: string; readonly isSystemds: boolean };
  readonly isWrapped: boolean;
  readonly api: VaultApi;
  readonly alerts: OpsAlerts;
}

export class SecretId {
  readonly #options: SecretIdOptions;
  /** The wrapping token that was opened last, and what came of it: it is opened once, whatever came. */
  #opened: { readonly wrapping: string; readonly result: VaultResult<Secret> } | null = null;

  constructor(options: SecretIdOptions) {
    this.#options = options;
  }

  async get(): Promise<VaultResult<Secret>> {
    const given = await this.#given();
    return given.ok && this.#options.isWrapped ? this.#unwrapped(given.value) : given;
  }

  async #given(): Promise<VaultResult<Secret>> {
    const { from } = this.#options;
    if (from.kind === 'value') return { ok: true, value: from.value };
    const account = process.geteuid?.() ?? -1;
    const read = await readSecretFile(from.file, basename(from.file), {
      account,
      isSystemds: from.isSystemds,
    });
    return 'value' in read ? { ok: true, value: read.value } : { ok: false, fault: read.fault };
  }

  /**
   * Refused, it was opened already or has expired. If it was not us, somebody has the secret id: that is an alert. It may
   * have been us, when Vault's answer was lost on its way.
   */
  async #unwrapped(wrapping: Secret): Promise<VaultResult<Secret>> {
    const { api, alerts } = this.#options;
    if (this.#opened?.wrapping === wrapping.reveal()) return this.#opened.result;
    let result = await api.unwrapSecretId(wrapping);
    if (!result.ok && isPassing(result.fault)) return result;
    if (result.ok) {
      alerts.resolve('secret-unwrap', 'vault');
    } else {
      const { reason } = result.fault;
      result = {
        ok: false,
        fault: { code: 'ERR_SECRETS_UNWRAP', reason: `the wrapped secret id cannot be opened: ${reason}` },
      };
      alerts.raise({
        kind: 'secret-unwrap',
        subject: 'vault',
        severity: 'critical',
        summary:
          'The wrapped secret id of Vault cannot be opened: it is no such token, it has expired, or somebody opened it before us and has it. Revoke it, and put a new one there.',
      });
    }
    this.#opened = { wrapping: wrapping.reveal(), result };
    return result;
  }
}
