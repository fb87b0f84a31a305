/** Ed25519 keys (RFC 8032) that heads and bundles are signed with. Whoever holds the public one can check offline. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export interface AuditSigner {
  readonly keyId: string;
  readonly publicPem: string;
  sign(text: string): Buffer;
}

export interface AuditVerifier {
  readonly keyId: string;
  verify(text: string, signature: Buffer): boolean;
}

/** A new private key, PKCS #8 in PEM. */
export function newAuditKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** `null`: it is no Ed25519 private key in PEM. */
export function auditSigner(privatePem: string): AuditSigner | null {
  const key = read(() => createPrivateKey(privatePem));
  if (key === null) return null;
  const publicKey = createPublicKey(key);
  return {
    keyId: keyIdOf(publicKey),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (text) => sign(null, Buffer.from(text), key),
  };
}

/** `null`: it is no Ed25519 public key in PEM. */
export function auditVerifier(publicPem: string): AuditVerifier | null {
  if (publicPem.includes('PRIVATE KEY')) return null;
  const key = read(() => createPublicKey(publicPem));
  if (key === null) return null;
  return {
    keyId: keyIdOf(key),
    verify: (text, signature) => verify(null, Buffer.from(text), key, signature),
  };
}

/** The first 16 hex digits of the SHA-256 of the public key (SPKI, DER). */
function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

function read(make: () => KeyObject): KeyObject | null {
  try {
    const key = make();
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}
