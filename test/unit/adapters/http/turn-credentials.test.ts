import { expect } from 'chai';
import { turnCredentials } from '../../../../control-plane/src/adapters/http/turn-credentials.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';

describe('adapters/http turn-credentials', () => {
  it('are what openssl makes of the same secret and name', () => {
    // printf '1700003600:priya' | openssl dgst -sha1 -hmac north-secret -binary | base64
    expect(
      turnCredentials(new Secret('north-secret'), 'priya', 1_700_000_000_999 as Instant, 3600),
    ).to.deep.equal({
      username: '1700003600:priya',
      credential: 'iPjdy2kMy+cYV7wVld6FAfOucsU=',
    });
  });
});
