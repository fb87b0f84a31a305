/** The carrier's side of SIP digest authentication (RFC 8760), reckoned by hand. */
import { createHash, randomBytes } from 'node:crypto';
import type { SipMessage } from '../../control-plane/sandbox/carrier/sip-message.ts';
import { headerOf } from './sip-peer.ts';

export type DigestAlgorithm = 'MD5' | 'SHA-256';

export interface DigestAccount {
  readonly username: string;
  /** As the carrier has it. */
  password: string;
}

const REALM = 'carrier.invalid';
const HASHES = { MD5: 'md5', 'SHA-256': 'sha256' } as const;

/** One carrier's challenges; each nonce counts for as long as this lives. */
export class DigestCarrier {
  readonly #algorithm: DigestAlgorithm;
  readonly #nonces = new Set<string>();

  constructor(algorithm: DigestAlgorithm = 'MD5') {
    this.#algorithm = algorithm;
  }

  /** A status line with the challenge as a header behind it. */
  challenge(): string {
    const nonce = randomBytes(12).toString('hex');
    this.#nonces.add(nonce);
    const fields = `realm="${REALM}", nonce="${nonce}", algorithm=${this.#algorithm}, qop="auth"`;
    return `401 Unauthorized\r\nWWW-Authenticate: Digest ${fields}`;
  }

  /** Whether the request proves to know the account's password. */
  accepts(request: SipMessage, { username, password }: DigestAccount): boolean {
    const header = headerOf(request, 'authorization');
    if (header === undefined) return false;
    const field = (name: string): string =>
      new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^", ]*))`).exec(header)?.slice(1).find(Boolean) ?? '';
    const hash = (text: string): string =>
      createHash(HASHES[this.#algorithm]).update(text, 'utf8').digest('hex');
    const [nonce, uri] = [field('nonce'), field('uri')];
    const known = hash(`${username}:${REALM}:${password}`);
    const asked = hash(`${request.cseq.method}:${uri}`);
    const wanted = hash(`${known}:${nonce}:${field('nc')}:${field('cnonce')}:${field('qop')}:${asked}`);
    return field('username') === username && this.#nonces.has(nonce) && field('response') === wanted;
  }
}
