/**
 * Signing secrets as the database keeps them: sealed with AES-256-GCM under the data key of the settings, each bound to
 * its endpoint. `version (1) ‖ key mark (4) ‖ nonce (12) ‖ tag (16) ‖ sealed text`.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Secret } from '../../domain/secret.ts';
import type { WebhookId } from '../../domain/webhook/webhook-ids.ts';
import type { WebhookSecrets } from '../../ports/webhook-sender.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const MARK_AT = 1;
const NONCE_AT = 5;
const TAG_AT = 17;
const TEXT_AT = 33;
const SECRET_BYTES = 32;

export class SealedSecrets implements WebhookSecrets {
  readonly #key: Buffer | null;

  /** `dataKey`: 32 bytes in base64; null: none can be made, none opened. */
  constructor(dataKey: Secret | null) {
    this.#key = dataKey && Buffer.from(dataKey.reveal(), 'base64');
  }

  create(id: WebhookId): ReturnType<WebhookSecrets['create']> {
    if (this.#key === null) return null;
    const text = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    const nonce = randomBytes(TAG_AT - NONCE_AT);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(Buffer.from(id));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    const head = Buffer.concat([Buffer.from([VERSION]), markOf(this.#key), nonce, cipher.getAuthTag()]);
    return { secret: new Secret(text), sealed: Buffer.concat([head, sealed]) };
  }

  open(id: WebhookId, sealed: Uint8Array): Secret | null {
    const bytes = Buffer.from(sealed);
    if (this.#key === null || bytes.length <= TEXT_AT || bytes[0] !== VERSION) return null;
    if (!bytes.subarray(MARK_AT, NONCE_AT).equals(markOf(this.#key))) return null;
    const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(NONCE_AT, TAG_AT))
      .setAAD(Buffer.from(id))
      .setAuthTag(bytes.subarray(TAG_AT, TEXT_AT));
    try {
      return new Secret(
        Buffer.concat([decipher.update(bytes.subarray(TEXT_AT)), decipher.final()]).toString(),
      );
    } catch {
      return null;
    }
  }
}

/** Tells keys apart and says nothing else of them: what was sealed under another one is known at once. */
function markOf(key: Buffer): Buffer {
  return createHash('sha256')
    .update('hamrahi/data-key')
    .update(key)
    .digest()
    .subarray(0, NONCE_AT - MARK_AT);
}
