import { expect } from 'chai';
import { ari, type AriOperation } from '../../../../control-plane/src/adapters/asterisk/ari.gen.ts';
import { encodeAriRequest } from '../../../../control-plane/src/adapters/asterisk/ari-request.ts';

function encoded<Parameters>(
  operation: AriOperation<Parameters, unknown>,
  parameters: Record<string, unknown>,
) {
  return JSON.parse(encodeAriRequest(operation, parameters, '7')) as Record<string, unknown>;
}

describe('adapters/asterisk/ari-request', () => {
  it('puts each parameter where the operation wants it', () => {
    const request = encoded(ari.channels.originateWithId, {
      channelId: 'leg-1',
      endpoint: 'PJSIP/trunk/sip:+919812345678@127.0.0.2:5060;transport=udp',
      app: 'hamrahi',
      timeout: 9,
      variables: { 'PJSIP_HEADER(add,X-Hamrahi-Leg)': 'leg-1' },
    });
    expect(request).to.deep.equal({
      type: 'RESTRequest',
      transaction_id: '',
      request_id: '7',
      method: 'POST',
      uri: 'channels/leg-1?endpoint=PJSIP%2Ftrunk%2Fsip%3A%2B919812345678%40127.0.0.2%3A5060%3Btransport%3Dudp&app=hamrahi&timeout=9',
      content_type: 'application/json',
      message_body: '{"variables":{"PJSIP_HEADER(add,X-Hamrahi-Leg)":"leg-1"}}',
    });
  });

  it('joins repeated parameters by commas and leaves out what is not given', () => {
    const request = encoded(ari.bridges.addChannel, {
      bridgeId: 'b',
      channel: ['one', 'two'],
      role: undefined,
    });
    expect(request['uri']).to.equal('bridges/b/addChannel?channel=one%2Ctwo');
    expect(request).to.not.have.property('message_body');
  });

  it('sends a parameter that is the whole body as the body', () => {
    const filter = { disallowed: [{ type: 'ChannelVarset' }] };
    const request = encoded(ari.applications.filter, { applicationName: 'hamrahi', filter });
    expect(request['message_body']).to.equal(JSON.stringify(filter));
  });

  it('lets no id reach another resource', () => {
    const request = encoded(ari.channels.get, { channelId: '../bridges/b?x=1#y' });
    expect(request['uri']).to.equal('channels/..%2Fbridges%2Fb%3Fx%3D1%23y');
  });

  it('throws on a path parameter that is missing', () => {
    expect(() => encoded(ari.channels.get, {})).to.throw(TypeError, 'channelId');
    expect(() => encoded(ari.channels.get, { channelId: '' })).to.throw(TypeError, 'channelId');
  });
});
