import { expect } from 'chai';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';
import { orderedHosts, trunkDial } from '../../../../control-plane/src/domain/trunk/trunk-dial.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const CITIZEN = PhoneNumber.parse('+919876543210')!;
const SECOND_DID = PhoneNumber.parse('+911140000101')!;
const withCallerId = (changes: Partial<Trunk['callerId']>): Trunk => ({
  ...PLAIN_TRUNK,
  callerId: { ...PLAIN_TRUNK.callerId, ...changes },
});

describe('domain/trunk/trunk-dial', () => {
  it('TEL-2 calls by request URI with the default number as caller', () => {
    expect(trunkDial(PLAIN_TRUNK, CITIZEN, null)).to.deep.equal({
      ok: true,
      value: {
        requestUri: 'sip:+919876543210@192.0.2.10:5060;transport=udp',
        fromUser: '+911140000100',
        identityHeader: null,
      },
    });
  });

  it('writes each number in the form that the trunk wants, and the identity header where From does not say it', () => {
    const trunk: Trunk = {
      ...withCallerId({ identityHeader: 'ppi', fromDomain: 'customer.invalid' }),
      transport: 'tcp',
      numbers: { requestUri: 'national_0', from: 'national10', identity: 'e164', userPhone: true },
    };
    expect(trunkDial(trunk, CITIZEN, null)).to.deep.equal({
      ok: true,
      value: {
        requestUri: 'sip:09876543210@192.0.2.10:5060;transport=tcp',
        fromUser: '1140000100',
        identityHeader: { name: 'P-Preferred-Identity', value: '<sip:911140000100@customer.invalid>' },
      },
    });
  });

  it('brackets IPv6 addresses, in the request URI and in the identity header', () => {
    const trunk: Trunk = {
      ...withCallerId({ identityHeader: 'ppi' }),
      hosts: [{ address: '2001:db8::10', port: 5060, priority: 10 }],
    };
    const result = trunkDial(trunk, CITIZEN, null);
    expect(result.ok && result.value).to.deep.include({
      requestUri: 'sip:+919876543210@[2001:db8::10]:5060;transport=udp',
      identityHeader: { name: 'P-Preferred-Identity', value: '<sip:+911140000100@[2001:db8::10]>' },
    });
  });

  it('brackets an IPv6 address for a domain too', () => {
    const trunk = withCallerId({ identityHeader: 'ppi', fromDomain: '2001:db8::1' });
    const result = trunkDial(trunk, CITIZEN, null);
    expect(result.ok && result.value.identityHeader?.value).to.equal('<sip:+911140000100@[2001:db8::1]>');
  });

  it('goes to the host of the lowest priority first, or to the one that is named', () => {
    const hosts = [
      { address: '192.0.2.30', port: 5060, priority: 30 },
      { address: '192.0.2.20', port: 5070, priority: 20 },
    ];
    const trunk = { ...PLAIN_TRUNK, hosts };
    expect(orderedHosts(trunk).map(({ address }) => address)).to.deep.equal(['192.0.2.20', '192.0.2.30']);
    const first = trunkDial(trunk, CITIZEN, null);
    expect(first.ok && first.value.requestUri).to.include('@192.0.2.20:5070;');
    const named = trunkDial(trunk, CITIZEN, null, hosts[0]);
    expect(named.ok && named.value.requestUri).to.include('@192.0.2.30:5060;');
  });

  it('TEL-2 presents another number only when the trunk owns it and its policy allows it', () => {
    const allowed = trunkDial(withCallerId({ policy: 'any-owned' }), CITIZEN, SECOND_DID);
    expect(allowed.ok && allowed.value.fromUser).to.equal('+911140000101');
    const refused = { ok: false, code: 'ERR_TRUNK_CALLER_ID_NOT_OWNED' };
    expect(trunkDial(PLAIN_TRUNK, CITIZEN, SECOND_DID)).to.deep.equal(refused);
    expect(trunkDial(withCallerId({ policy: 'any-owned' }), CITIZEN, CITIZEN)).to.deep.equal(refused);
  });

  it('a foreign number cannot go out nationally', () => {
    const trunk: Trunk = { ...PLAIN_TRUNK, numbers: { ...PLAIN_TRUNK.numbers, requestUri: 'national10' } };
    expect(trunkDial(trunk, PhoneNumber.parse('+14155550100')!, null)).to.deep.equal({
      ok: false,
      code: 'ERR_NUMBER_NOT_NATIONAL',
    });
  });

  it('TEL-2 presents no default that the trunk does not own, were the files ever so wrong', () => {
    const foreign = withCallerId({ default: '+911149999999', policy: 'any-owned' });
    const refused = { ok: false, code: 'ERR_TRUNK_CALLER_ID_NOT_OWNED' };
    expect(trunkDial(foreign, CITIZEN, null)).to.deep.equal(refused);
    expect(trunkDial(foreign, CITIZEN, PhoneNumber.parse('+911149999999'))).to.deep.equal(refused);
  });

  it('a trunk without host or number is not provisioned', () => {
    const bare: Trunk = { ...withCallerId({ default: null, owned: [] }), hosts: [] };
    expect(trunkDial(bare, CITIZEN, null)).to.deep.equal({ ok: false, code: 'ERR_TRUNK_NOT_PROVISIONED' });
  });
});
