import { expect } from 'chai';
import {
  engineGap,
  faultSentence,
  trunkFault,
} from '../../../../control-plane/src/domain/trunk/trunk-fault.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const REGISTERING: Trunk = {
  ...PLAIN_TRUNK,
  auth: {
    ...{ kind: 'registration', username: '', secret: 'trunks/plain/password' },
    ...{ registrar: '', domain: '', expirySeconds: 300 },
  },
};
const withCallerId = (changes: Partial<Trunk['callerId']>): Trunk => ({
  ...PLAIN_TRUNK,
  callerId: { ...PLAIN_TRUNK.callerId, ...changes },
});

describe('domain/trunk/trunk-fault', () => {
  it('finds nothing wrong with a trunk that is complete', () => {
    expect(trunkFault(PLAIN_TRUNK)).to.equal(null);
    expect(engineGap(PLAIN_TRUNK)).to.deep.equal([]);
  });

  it('names everything that an account still has to bring, for the engine and for calls', () => {
    const bare = {
      ...REGISTERING,
      hosts: [],
      callerId: { ...PLAIN_TRUNK.callerId, default: null, owned: [] },
    };
    const missing = ['hosts', 'auth.username', 'auth.registrar', 'auth.domain'];
    expect(engineGap(bare)).to.deep.equal(missing);
    const fault = trunkFault(bare)!;
    expect(fault).to.deep.equal({
      code: 'ERR_TRUNK_NOT_PROVISIONED',
      fields: [...missing, 'callerId.default'],
    });
    expect(faultSentence(fault)).to.equal(
      'The account is not complete: hosts, auth.username, auth.registrar, auth.domain, callerId.default.',
    );
  });

  it('asks for a user name wherever a password is sent', () => {
    for (const kind of ['digest', 'ip-digest'] as const) {
      const trunk = { ...PLAIN_TRUNK, auth: { kind, username: '', secret: 'trunks/plain/password' } };
      expect(engineGap(trunk), kind).to.deep.equal(['auth.username']);
    }
  });

  it('TEL-2 does not use a trunk whose own number is none of its own, and says so without the number', () => {
    const fault = trunkFault(withCallerId({ default: '+911149999999' }))!;
    expect(fault.code).to.equal('ERR_TRUNK_CALLER_ID_NOT_OWNED');
    expect(faultSentence(fault)).to.equal('callerId.default is none of callerId.owned.');
    expect(trunkFault(withCallerId({ default: null }))?.fields).to.deep.equal(['callerId.default']);
  });

  it('TEL-2 does not use a trunk that cannot write its own number', () => {
    const foreign = withCallerId({ default: '+14155550100', owned: ['+14155550100'] });
    const fault = trunkFault({ ...foreign, numbers: { ...foreign.numbers, from: 'national10' } })!;
    expect(fault).to.deep.equal({
      code: 'ERR_NUMBER_NOT_NATIONAL',
      fields: ['callerId.default', 'numbers.from'],
    });
    expect(faultSentence(fault)).to.equal('callerId.default cannot be written as numbers.from wants it.');
    expect(trunkFault(foreign)).to.equal(null);
  });
});
