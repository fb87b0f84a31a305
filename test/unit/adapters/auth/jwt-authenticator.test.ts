import { expect } from 'chai';
import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose';
import { JwtAuthenticator } from '../../../../control-plane/src/adapters/auth/jwt-authenticator.ts';
import { sharedSecret } from '../../../../control-plane/src/adapters/auth/key-source.ts';
import { mintToken } from '../../../../control-plane/src/adapters/auth/mint-token.ts';
import { systemClock } from '../../../../control-plane/src/adapters/clock/system-clock.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import { bearerOf } from '../../../../control-plane/src/ports/authenticator.ts';

const secret = new Secret('0123456789abcdef'.repeat(4));
const key = new TextEncoder().encode(secret.reveal());
const issuer = 'https://issuer.test';
const audience = 'gateway';

const authenticator = new JwtAuthenticator({
  keys: sharedSecret(secret),
  issuer,
  audience,
  clock: systemClock(),
});

/** A token that is good but for what `change` does to it. */
function signed(
  change: (jwt: SignJWT) => SignJWT,
  claims: Record<string, unknown> = { role: 'citizen' },
  alg = 'HS256',
) {
  const jwt = new SignJWT(claims)
    .setProtectedHeader({ alg })
    .setSubject('priya')
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('1m');
  return change(jwt).sign(key);
}

describe('adapters/auth jwt-authenticator', () => {
  const codeOf = async (token: string | null) => {
    const result = await authenticator.authenticate(token);
    return result.ok ? 'ok' : result.code;
  };

  it('knows the caller by a token that the mint made', async () => {
    const token = await mintToken({ secret, issuer, audience, role: 'operator', subject: 'akram', ttlS: 60 });
    const result = await authenticator.authenticate(token);
    if (!result.ok) throw new Error(result.code);
    expect(result.caller).to.include({ role: 'operator', subject: 'akram' });
    expect(result.caller.tokenId).to.match(/^[0-9a-f-]{36}$/);
  });

  it('needs no token id', async () => {
    const result = await authenticator.authenticate(await signed((jwt) => jwt));
    const caller = { role: 'citizen', subject: 'priya', tokenId: null, issuedAt: null };
    expect(result).to.deep.equal({ ok: true, caller });
  });

  it('knows when a token was issued, and one whose id is too long to be revoked by it by no id', async () => {
    const token = await signed((jwt) => jwt.setIssuedAt(1_700_000_000).setJti('x'.repeat(201)));
    const result = await authenticator.authenticate(token);
    expect(result).to.deep.include({
      caller: { role: 'citizen', subject: 'priya', tokenId: null, issuedAt: 1_700_000_000_000 },
    });
  });

  it('RTC-10 refuses a good token that was revoked, and asks of no other', async () => {
    const asked: unknown[] = [];
    const strict = new JwtAuthenticator({
      keys: sharedSecret(secret),
      issuer,
      audience,
      clock: systemClock(),
      revocations: {
        refuses: (caller) => {
          asked.push(caller.tokenId);
          return Promise.resolve(caller.tokenId === 'stolen');
        },
      },
    });
    const codeFor = async (token: string): Promise<string> => {
      const result = await strict.authenticate(token);
      return result.ok ? 'ok' : result.code;
    };
    expect(await codeFor(await signed((jwt) => jwt.setJti('stolen')))).to.equal('ERR_AUTH_REVOKED');
    expect(await codeFor(await signed((jwt) => jwt.setJti('own')))).to.equal('ok');
    expect(await codeFor('a.b.c')).to.equal('ERR_AUTH_INVALID');
    expect(asked).to.deep.equal(['stolen', 'own']);
  });

  it('tells a missing, an expired and a forged token apart', async () => {
    expect(await codeOf(null)).to.equal('ERR_AUTH_MISSING');
    expect(await codeOf('')).to.equal('ERR_AUTH_MISSING');
    expect(await codeOf(await signed((jwt) => jwt.setExpirationTime('-31s')))).to.equal('ERR_AUTH_EXPIRED');
    const other = new TextEncoder().encode('another-secret-another-secret-xx');
    const forged = await new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('priya')
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('1m')
      .sign(other);
    expect(await codeOf(forged)).to.equal('ERR_AUTH_INVALID');
  });

  it('forgives clocks that differ by up to 30 s', async () => {
    expect(await codeOf(await signed((jwt) => jwt.setExpirationTime('-25s')))).to.equal('ok');
    expect(await codeOf(await signed((jwt) => jwt.setNotBefore('25s')))).to.equal('ok');
    expect(await codeOf(await signed((jwt) => jwt.setNotBefore('60s')))).to.equal('ERR_AUTH_INVALID');
  });

  it('takes no algorithm but its own', async () => {
    const unsecured = new UnsecuredJWT({ role: 'admin' })
      .setSubject('priya')
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('1m')
      .encode();
    expect(await codeOf(unsecured)).to.equal('ERR_AUTH_INVALID');
    expect(await codeOf(await signed((jwt) => jwt, { role: 'admin' }, 'HS512'))).to.equal('ERR_AUTH_INVALID');
    const { privateKey } = await generateKeyPair('ES256');
    const elliptic = await new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject('priya')
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('1m')
      .sign(privateKey);
    expect(await codeOf(elliptic)).to.equal('ERR_AUTH_INVALID');
  });

  it('checks issuer, audience, expiry and subject', async () => {
    expect(await codeOf(await signed((jwt) => jwt.setIssuer('https://else.test')))).to.equal(
      'ERR_AUTH_INVALID',
    );
    expect(await codeOf(await signed((jwt) => jwt.setAudience('else')))).to.equal('ERR_AUTH_INVALID');
    const endless = await new SignJWT({ role: 'citizen', sub: 'priya' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(issuer)
      .setAudience(audience)
      .sign(key);
    expect(await codeOf(endless)).to.equal('ERR_AUTH_INVALID');
    for (const subject of ['', 'pri-ya', 'priya@sos', 'a b', 'x'.repeat(65)])
      expect(await codeOf(await signed((jwt) => jwt.setSubject(subject))), subject).to.equal(
        'ERR_AUTH_INVALID',
      );
  });

  it('takes no subject that only looks like text', async () => {
    for (const role of ['citizen', 'operator', 'backend'])
      for (const sub of [5, true, ['priya'], { length: 5 }, null]) {
        const token = await new SignJWT({ role, sub: sub as never })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer(issuer)
          .setAudience(audience)
          .setExpirationTime('1m')
          .sign(key);
        expect(await codeOf(token), JSON.stringify(sub)).to.equal('ERR_AUTH_INVALID');
      }
  });

  it('lets a backend have a name that could be no address of record', async () => {
    expect(
      await codeOf(await signed((jwt) => jwt.setSubject('ham-rahi.backend'), { role: 'backend' })),
    ).to.equal('ok');
  });

  it('knows five roles', async () => {
    for (const role of ['backend', 'citizen', 'operator', 'supervisor', 'admin'])
      expect(await codeOf(await signed((jwt) => jwt, { role }))).to.equal('ok');
    for (const role of ['root', '', 7, ['admin'], undefined])
      expect(await codeOf(await signed((jwt) => jwt, { role }))).to.equal('ERR_AUTH_ROLE');
  });

  it('survives anything that is no token, and repeats nothing of it', async () => {
    for (const token of ['x', '..', 'a.b.c', 'eyJhbGciOiJub25lIn0..', '\u0000', 'x'.repeat(5000)]) {
      const result = await authenticator.authenticate(token);
      expect(result).to.include({ ok: false, code: 'ERR_AUTH_INVALID' });
      if (token.length > 2) expect(JSON.stringify(result)).not.to.contain(token);
    }
  });

  it('reads bearer headers as RFC 6750 writes them', () => {
    expect(bearerOf('Bearer abc.def-_~+/=')).to.equal('abc.def-_~+/=');
    expect(bearerOf('bearer abc')).to.equal('abc');
    for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic abc', 'Bearer a b', 'xBearer abc'])
      expect(bearerOf(header)).to.equal(null);
  });
});
