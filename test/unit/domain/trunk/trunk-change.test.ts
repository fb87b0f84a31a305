import { expect } from 'chai';
import { trunkChanges } from '../../../../control-plane/src/domain/trunk/trunk-change.ts';
import type { Trunk } from '../../../../control-plane/src/domain/trunk/trunk.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const needsOf = (changes: Partial<Trunk>): unknown => {
  const [change, ...more] = trunkChanges([PLAIN_TRUNK], [{ ...PLAIN_TRUNK, ...changes }]);
  expect(more).to.deep.equal([]);
  return change?.needs;
};

describe('domain/trunk/trunk-change', () => {
  it('sees nothing where nothing changed, whatever the order of fields', () => {
    const turned = Object.fromEntries(Object.entries(PLAIN_TRUNK).reverse()) as unknown as Trunk;
    expect(trunkChanges([PLAIN_TRUNK], [turned])).to.deep.equal([]);
    expect(trunkChanges([], [])).to.deep.equal([]);
  });

  it('tells what came, what went, and what it takes', () => {
    const other = { ...PLAIN_TRUNK, name: 'other' };
    expect(trunkChanges([PLAIN_TRUNK], [other])).to.deep.equal([
      { trunk: 'other', change: 'added', needs: ['engine-configuration', 'firewall'] },
      { trunk: 'plain', change: 'removed', needs: ['engine-configuration', 'firewall'] },
    ]);
  });

  it('needs the control plane alone for what only it uses', () => {
    for (const changes of [
      { priority: 11 },
      { description: 'other' },
      { callerId: { ...PLAIN_TRUNK.callerId, default: '+911140000101' } },
      { capacity: { ...PLAIN_TRUNK.capacity, channels: 31 } },
      { causeOverrides: [{ sipStatus: 403, outcome: 'busy', tryOtherTrunk: false }] },
      { p95PostDialDelayMs: 5000 },
      { failover: { ...PLAIN_TRUNK.failover, noResponseMs: 500 } },
      { numbers: { ...PLAIN_TRUNK.numbers, requestUri: 'national_0' } },
    ] as Partial<Trunk>[])
      expect(needsOf(changes), JSON.stringify(changes)).to.deep.equal([]);
  });

  it('needs the engine’s file for what stands in it', () => {
    for (const changes of [
      { hosts: [] },
      { localTransport: 'other-udp' },
      { outboundProxy: '192.0.2.9:5060' },
      { media: { ...PLAIN_TRUNK.media, codecs: ['alaw'] } },
      { sip: { ...PLAIN_TRUNK.sip, optionsIntervalSeconds: 5 } },
      { numbers: { ...PLAIN_TRUNK.numbers, userPhone: true } },
      { numbers: { ...PLAIN_TRUNK.numbers, from: 'national10' } },
      { callerId: { ...PLAIN_TRUNK.callerId, identityHeader: 'ppi' } },
      { callerId: { ...PLAIN_TRUNK.callerId, fromDomain: 'x.invalid' } },
      { auth: { kind: 'digest', username: 'u', secret: 'trunks/plain/password' } },
    ] as Partial<Trunk>[])
      expect(needsOf(changes), JSON.stringify(changes)).to.deep.equal(['engine-configuration']);
  });

  it('needs the firewall too where the carrier has other addresses', () => {
    expect(needsOf({ sources: ['192.0.2.99'] })).to.deep.equal(['engine-configuration', 'firewall']);
    expect(needsOf({ media: { ...PLAIN_TRUNK.media, addresses: [] } })).to.deep.equal(['firewall']);
  });

  it('needs nothing of a file for an account: that goes into the engine’s memory', () => {
    const before = {
      ...PLAIN_TRUNK,
      auth: { kind: 'digest', username: 'u', secret: 'trunks/plain/password' },
    } as const;
    const after = { ...before, auth: { ...before.auth, username: 'v' } };
    expect(trunkChanges([before], [after])).to.deep.equal([{ trunk: 'plain', change: 'changed', needs: [] }]);
  });
});
