import { expect } from 'chai';
import { webrtcEndpointFields } from '../../../../control-plane/src/adapters/engine-config/webrtc-endpoint.ts';

describe('adapters/engine-config/webrtc-endpoint', () => {
  const { aor, endpoint } = webrtcEndpointFields({
    aor: 'citizen-c1-d1',
    transport: 'webrtc',
    context: 'from-client',
    permit: ['127.0.0.1', '10.8.0.0/24'],
  });
  const valueOf = (fields: typeof aor, name: string): string | undefined =>
    fields.find(({ attribute }) => attribute === name)?.value;

  it('names its aor, transport and context', () => {
    expect(valueOf(endpoint, 'aors')).to.equal('citizen-c1-d1');
    expect(valueOf(endpoint, 'transport')).to.equal('webrtc');
    expect(valueOf(endpoint, 'context')).to.equal('from-client');
  });

  it('RTC-10 denies all before it permits the relay', () => {
    const names = endpoint.map(({ attribute }) => attribute);
    expect(names.indexOf('deny')).to.be.lessThan(names.indexOf('permit'));
    expect(valueOf(endpoint, 'deny')).to.equal('0.0.0.0/0.0.0.0,::/0');
    expect(valueOf(endpoint, 'permit')).to.equal('127.0.0.1,10.8.0.0/24');
  });

  it('is no endpoint without a permitted address', () => {
    expect(() => webrtcEndpointFields({ aor: 'citizen-c1-d1', permit: [] })).to.throw();
  });

  it('has one contact, the newest, and no password', () => {
    expect(valueOf(aor, 'max_contacts')).to.equal('1');
    expect(valueOf(aor, 'remove_existing')).to.equal('yes');
    expect(valueOf(endpoint, 'auth')).to.equal(undefined);
  });

  it('RTC-3 never ends a leg for being silent one way', () => {
    expect(valueOf(endpoint, 'rtp_timeout')).to.equal('0');
    expect(valueOf(endpoint, 'rtp_timeout_hold')).to.equal('0');
    expect(valueOf(endpoint, 'suppress_moh_on_sendonly')).to.equal('yes');
  });

  it('every field once', () => {
    for (const fields of [aor, endpoint]) {
      const names = fields.map(({ attribute }) => attribute);
      expect(new Set(names).size).to.equal(names.length);
    }
  });
});
