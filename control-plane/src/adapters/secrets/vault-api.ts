/** The few things that we ask of Vault or OpenBao, by node-vault, with failures as values. */
import NodeVault from 'node-vault';
import type { z } from 'zod';
import { Secret } from '../../domain/secret.ts';
import type { SecretFault } from './held-secrets.ts';
import { authAnswer, deletedAnswer, secretAnswer, unwrapAnswer, wrappingAnswer } from './vault-answers.ts';
import { NoAnswer, type VaultTransport } from './vault-transport.ts';

export type VaultResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: SecretFault };

export interface VaultGrant {
  readonly token: Secret;
  /** 0: for ever. */
  readonly leaseS: number;
  readonly isRenewable: boolean;
}

export interface VaultApiOptions {
  readonly address: string;
  readonly namespace: string | null;
  readonly authMount: string;
  readonly mount: string;
  readonly transport: VaultTransport;
}

type Client = NodeVault.client & { namespace: string; pathPrefix: string };

export class VaultApi {
  readonly #options: VaultApiOptions;

  constructor(options: VaultApiOptions) {
    this.#options = options;
  }

  async login(roleId: Secret, secretId: Secret): Promise<VaultResult<VaultGrant>> {
    const order = {
      mount_point: this.#options.authMount,
      role_id: roleId.reveal(),
      secret_id: secretId.reveal(),
    };
    return grantOf(await answerOf(authAnswer, this.#client().approleLogin(order)));
  }

  /** Vault may give less than `increment`, or nothing. */
  async renew(token: Secret, incrementS: number): Promise<VaultResult<VaultGrant>> {
    const order = { increment: `${incrementS}s` };
    return grantOf(await answerOf(authAnswer, this.#client(token).tokenRenewSelf(order)));
  }

  async revoke(token: Secret): Promise<void> {
    await answerOf(null, this.#client(token).tokenRevokeSelf());
  }

  /** The values of one secret by their keys. */
  async read(token: Secret, path: string): Promise<VaultResult<Readonly<Record<string, unknown>>>> {
    const read = await answerOf(
      secretAnswer,
      this.#client(token).read(`${this.#options.mount}/data/${path}`),
    );
    return read.ok ? { ok: true, value: read.value.data.data } : read;
  }

  /**
   * Opens a wrapping token that holds a secret id; it can be opened once. First it is looked at: one that wraps anything but
   * a secret id of AppRole was put there by somebody else. The token goes in the header alone: in header and body it is
   * used up without an answer.
   */
  async unwrapSecretId(wrapping: Secret): Promise<VaultResult<Secret>> {
    const { authMount } = this.#options;
    const lookup = this.#client().write('sys/wrapping/lookup', { token: wrapping.reveal() });
    const looked = await answerOf(wrappingAnswer, lookup);
    if (!looked.ok) return looked;
    const made = looked.value.data.creation_path;
    // Below a namespace, perhaps.
    if (!`/${made}`.includes(`/auth/${authMount}/role/`) || !made.endsWith('/secret-id'))
      return {
        ok: false,
        fault: { code: 'ERR_SECRETS_UNWRAP', reason: 'what is wrapped is no secret id of AppRole' },
      };
    const opened = await answerOf(unwrapAnswer, this.#client(wrapping).unwrap());
    return opened.ok ? { ok: true, value: new Secret(opened.value.data.secret_id) } : opened;
  }

  /**
   * A client of its own for each request, so that no token of one stands in another. node-vault fills what is missing from
   * VAULT_TOKEN and its like: everything is set after it.
   */
  #client(token?: Secret): Client {
    const { address, namespace, transport } = this.#options;
    const client = NodeVault({
      endpoint: address,
      // It would print what is written.
      debug: () => undefined,
      'request-promise': { defaults: () => transport.send },
    }) as Client;
    client.token = token?.reveal() ?? '';
    client.namespace = namespace ?? '';
    client.pathPrefix = '';
    return client;
  }
}

/** Whether Vault is to be asked again soon, or whether it has said its word. */
export function isPassing({ code }: SecretFault): boolean {
  return PASSING.has(code);
}

const PASSING: ReadonlySet<string> = new Set([
  'ERR_SECRETS_UNREACHABLE',
  'ERR_SECRETS_SEALED',
  'ERR_SECRETS_BUSY',
  'ERR_SECRETS_FAILING',
  'ERR_SECRETS_NONSENSE',
]);

function grantOf(answer: VaultResult<z.infer<typeof authAnswer>>): VaultResult<VaultGrant> {
  if (!answer.ok) return answer;
  const { client_token, lease_duration, renewable } = answer.value.auth;
  return {
    ok: true,
    value: { token: new Secret(client_token), leaseS: lease_duration, isRenewable: renewable },
  };
}

/** `schema` null: whatever it is. What Vault says of a failure is left out: a proxy's page may repeat what it was sent. */
async function answerOf<T>(schema: z.ZodType<T>, request: Promise<unknown>): Promise<VaultResult<T>>;
async function answerOf(schema: null, request: Promise<unknown>): Promise<VaultResult<null>>;
async function answerOf<T>(
  schema: z.ZodType<T> | null,
  request: Promise<unknown>,
): Promise<VaultResult<T | null>> {
  let body: unknown;
  try {
    body = await request;
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
  if (schema === null) return { ok: true, value: null };
  const result = schema.safeParse(body);
  if (result.success) return { ok: true, value: result.data };
  const isDeleted = deletedAnswer.safeParse(body).success;
  return {
    ok: false,
    fault: isDeleted ? DELETED : fault('ERR_SECRETS_NONSENSE', 'Vault answers what is no answer'),
  };
}

function faultOf(error: unknown): SecretFault {
  if (error instanceof NoAnswer)
    return fault('ERR_SECRETS_UNREACHABLE', `Vault does not answer: ${error.message}`);
  const { response } = error as Partial<NodeVault.ApiResponseError>;
  if (!response) return fault('ERR_SECRETS_NONSENSE', 'Vault answers what is no answer');
  if (response.statusCode === 404 && deletedAnswer.safeParse(response.body).success) return DELETED;
  return statusFault(response.statusCode);
}

function statusFault(status: number): SecretFault {
  if (status === 503) return fault('ERR_SECRETS_SEALED', 'Vault is sealed or in maintenance (503)');
  if (status === 429) return fault('ERR_SECRETS_BUSY', 'Vault takes no more requests now (429)');
  // 412: a standby that is behind; 472 and 473: one that serves nobody.
  if (status >= 500 || [412, 472, 473].includes(status))
    return fault('ERR_SECRETS_FAILING', `Vault fails (${status})`);
  if (status === 403) return fault('ERR_SECRETS_DENIED', 'Vault denies it (403)');
  if (status === 404) return fault('ERR_SECRETS_ABSENT', 'Vault has none, or hides it (404)');
  if (status < 400) return fault('ERR_SECRETS_NONSENSE', `Vault answers what is no answer (${status})`);
  return fault('ERR_SECRETS_REFUSED', `Vault refuses it (${status})`);
}

function fault(code: SecretFault['code'], reason: string): SecretFault {
  return { code, reason };
}

const DELETED = fault('ERR_SECRETS_DELETED', 'it was deleted in Vault');
