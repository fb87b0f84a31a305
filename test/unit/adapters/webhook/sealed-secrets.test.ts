import { expect } from 'chai';
import { inspect } from 'node:util';
import { SealedSecrets } from '../../../../control-plane/src/adapters/webhook/sealed-secrets.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import type { WebhookId } from '../../../../control-plane/src/domain/webhook/webhook-ids.ts';

const keyOf = (byte: number): Secret => new Secret(Buffer.alloc(32, byte).toString('base64'));
const one = '5f3c1a52-8f0e-4e7b-9d3e-2f6f6a1f0a11' as WebhookId;
const other = '5f3c1a52-8f0e-4e7b-9d3e-2f6f6a1f0a12' as WebhookId;

describe('adapters/webhook: sealed secrets', () => {
  const secrets = new SealedSecrets(keyOf(1));

  it('are 32 random bytes, sealed so that the sealed form shows nothing of them', () => {
    const made = secrets.create(one)!;
    const text = made.secret.reveal();
    expect(text).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(secrets.create(one)!.secret.reveal()).not.to.equal(text);
    const sealed = Buffer.from(made.sealed);
    expect(sealed.includes(text)).to.equal(false);
    expect(sealed.includes(Buffer.from(text.slice(6), 'base64'))).to.equal(false);
    expect(secrets.open(one, made.sealed)?.reveal()).to.equal(text);
    expect(inspect([made, secrets]) + JSON.stringify(made)).not.to.include(text.slice(6));
  });

  it('open for their own endpoint and key alone, and unaltered', () => {
    const { sealed } = secrets.create(one)!;
    expect(secrets.open(other, sealed)).to.equal(null);
    expect(new SealedSecrets(keyOf(2)).open(one, sealed)).to.equal(null);
    for (let at = 0; at < sealed.length; at += 1) {
      const altered = Buffer.from(sealed);
      altered[at]! ^= 1;
      expect(secrets.open(one, altered), `byte ${at}`).to.equal(null);
    }
    for (const length of [0, 1, 32, 33, sealed.length - 1])
      expect(secrets.open(one, sealed.subarray(0, length)), `${length} bytes`).to.equal(null);
  });

  it('are neither made nor opened without a key', () => {
    const none = new SealedSecrets(null);
    expect(none.create(one)).to.equal(null);
    expect(none.open(one, secrets.create(one)!.sealed)).to.equal(null);
  });
});
