import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { JwtAuthenticator } from '../../../../control-plane/src/adapters/auth/jwt-authenticator.ts';
import { IssuerKeys } from '../../../../control-plane/src/adapters/auth/key-source.ts';
import { keptLog } from '../../../support/kept-log.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';

const issuer = 'https://issuer.test';
const audience = 'gateway';

async function signer(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  const sign = () =>
    new SignJWT({ role: 'citizen' })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setSubject('priya')
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('10m')
      .sign(privateKey);
  return { jwk, sign };
}

describe('adapters/auth issuer-keys', () => {
  let server: Server;
  let url: string;
  let served: () => JWK[] | 'hang' | 'fail';
  let fetches: number;

  beforeEach(async () => {
    fetches = 0;
    server = createServer((_request, response) => {
      fetches += 1;
      const keys = served();
      if (keys === 'hang') return;
      if (keys === 'fail') response.writeHead(500).end();
      else response.end(JSON.stringify({ keys }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function lab() {
    const clock = manualClock(Date.now());
    const log = keptLog();
    const keys = new IssuerKeys({ url, clock, log, metrics: silentMetrics, fetchTimeoutMs: 200 });
    const authenticator = new JwtAuthenticator({ keys, issuer, audience, clock });
    const codeOf = async (token: string) => {
      const result = await authenticator.authenticate(token);
      return result.ok ? 'ok' : result.code;
    };
    return { clock, log, keys, codeOf };
  }

  it('fetches once for many tokens', async () => {
    const one = await signer('one');
    served = () => [one.jwk];
    const { codeOf } = lab();
    const token = await one.sign();
    expect(await Promise.all([codeOf(token), codeOf(token), codeOf(token)])).to.deep.equal([
      'ok',
      'ok',
      'ok',
    ]);
    expect(await codeOf(token)).to.equal('ok');
    expect(fetches).to.equal(1);
  });

  it('finds a new key of the issuer, but asks for unknown ones at most every 10 s', async () => {
    const one = await signer('one');
    const two = await signer('two');
    let keys = [one.jwk];
    served = () => keys;
    const { clock, codeOf } = lab();
    expect(await codeOf(await one.sign())).to.equal('ok');
    expect(await codeOf(await two.sign())).to.equal('ERR_AUTH_INVALID');
    expect(fetches, 'cooling down').to.equal(1);
    keys = [one.jwk, two.jwk];
    await clock.advance(10_001);
    expect(await codeOf(await two.sign())).to.equal('ok');
    expect(fetches).to.equal(2);
  });

  it('goes on with the keys it has while the issuer is out of reach', async () => {
    const one = await signer('one');
    served = () => [one.jwk];
    const { clock, keys, log, codeOf } = lab();
    expect(await codeOf(await one.sign())).to.equal('ok');
    served = () => 'fail';
    await clock.advance(400_000);
    expect(await codeOf(await one.sign())).to.equal('ok');
    expect(await keys.refresh()).to.equal(false);
    expect(await codeOf(await one.sign())).to.equal('ok');
    expect(log.lines.join()).to.contain('"usingOlderKeys":true');
  });

  it('does not wait for ever for its first keys', async () => {
    const one = await signer('one');
    served = () => 'hang';
    const { codeOf } = lab();
    const startedAt = performance.now();
    expect(await codeOf(await one.sign())).to.equal('ERR_AUTH_UNAVAILABLE');
    expect(performance.now() - startedAt).to.be.below(1000);
    served = () => [one.jwk];
    expect(await codeOf(await one.sign())).to.equal('ok');
  });

  it('accepts no shared-secret signature made with a public key', async () => {
    const one = await signer('one');
    served = () => [one.jwk];
    const { codeOf } = lab();
    const confused = await new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setSubject('priya')
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('10m')
      .sign(new TextEncoder().encode(JSON.stringify(one.jwk)));
    expect(await codeOf(confused)).to.equal('ERR_AUTH_INVALID');
  });
});
