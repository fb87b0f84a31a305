/** Requests and answers of the fake Vault, in the real one's form. */

export type VaultBody = Readonly<Record<string, unknown>>;

export interface VaultReply {
  readonly status: number;
  readonly body?: VaultBody;
}

export interface VaultCall {
  readonly method: string;
  /** Below /v1/. */
  readonly path: string;
  readonly token: string;
  readonly body: VaultBody;
}

/** Vault's envelope around what a request brings. */
export function envelope(change: VaultBody): VaultReply {
  const empty = { request_id: 'r', lease_id: '', renewable: false, lease_duration: 0 };
  return {
    status: 200,
    body: { ...empty, data: null, wrap_info: null, warnings: null, auth: null, ...change },
  };
}

export function refusal(status: number, ...errors: readonly string[]): VaultReply {
  return { status, body: { errors } };
}
