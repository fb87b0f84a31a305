import { expect } from 'chai';
import {
  dialString,
  endpointOwner,
  outgoingEndpoint,
} from '../../../../control-plane/src/adapters/asterisk/trunk-endpoint.ts';

describe('adapters/asterisk/trunk-endpoint', () => {
  it('dials by an endpoint that what is read before an @ does not name', () => {
    expect(dialString(outgoingEndpoint('tata'), 'sip:+919876543210@192.0.2.1:5060;transport=udp')).to.equal(
      'PJSIP/@dial@tata.out/sip:+919876543210@192.0.2.1:5060;transport=udp',
    );
  });

  it('dials by the endpoint of the trunk’s name where the engine has no other', () => {
    expect(dialString('tata', 'sip:1@192.0.2.1')).to.equal('PJSIP/tata/sip:1@192.0.2.1');
  });

  it('knows the trunk by either of its endpoints', () => {
    expect(endpointOwner(outgoingEndpoint('vi-2'))).to.equal('vi-2');
    for (const name of ['tata', 'tata-out', 'citizen-c1-d1', 'Local', 'dial@a.b.out'])
      expect(endpointOwner(name)).to.equal(name);
  });
});
