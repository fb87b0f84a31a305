import { expect } from 'chai';
import { sessionEventOf } from '../../../control-plane/src/app/pbx-events.ts';
import { bridgeIdOf, legIdOf } from '../../../control-plane/src/domain/ids.ts';
import type { LegId } from '../../../control-plane/src/domain/ids.ts';
import type { PbxEvent } from '../../../control-plane/src/ports/pbx-driver.ts';
import { instant, PRIYA_AOR, sessionIdOf } from '../../support/core-lab.ts';

const ID = sessionIdOf(1);
const legId = legIdOf(ID, 'citizen-app', 1);
const at = instant(1);

describe('app/pbx-events', () => {
  for (const [given, type] of [
    [{ type: 'leg.ringing', legId, at }, 'pbx.ringing'],
    [{ type: 'leg.progress', legId, at }, 'pbx.progress'],
    [{ type: 'leg.answered', legId, at }, 'pbx.answered'],
    [{ type: 'media.first-packet', legId, at }, 'media.first-packet'],
    [{ type: 'media.streaming', legId, at, packets: 5 }, 'media.streaming'],
    [{ type: 'media.lost', legId, at, silentForMs: 4000 }, 'media.lost'],
    [{ type: 'media.back', legId, at }, 'media.back'],
  ] as const satisfies readonly (readonly [PbxEvent, string])[]) {
    it(`${given.type} is ${type} of the leg's session`, () => {
      expect(sessionEventOf(given)).to.deep.equal({ sessionId: ID, event: { type, legId } });
    });
  }

  it('keeps how a leg ended, its Call-ID, its sound and its bridge', () => {
    const end = { legId, outcome: 'busy', sipStatus: 486, q850: 17 } as const;
    expect(sessionEventOf({ type: 'leg.ended', at, ...end })?.event).to.deep.equal({
      type: 'pbx.ended',
      ...end,
    });
    expect(sessionEventOf({ type: 'leg.carrier-reference', legId, at, callId: 'x@y' })?.event).to.deep.equal({
      type: 'pbx.carrier-reference',
      legId,
      callId: 'x@y',
    });
    expect(sessionEventOf({ type: 'media.sound', legId, at, talking: true })?.event).to.include({
      type: 'media.sound',
      talking: true,
    });
    const bridgeId = bridgeIdOf(ID, 'phone');
    expect(
      sessionEventOf({ type: 'leg.bridged', bridgeId, legIds: [legId], technology: 'native_rtp', at }),
    ).to.deep.equal({
      sessionId: ID,
      event: { type: 'pbx.bridged', bridgeId, legIds: [legId], technology: 'native_rtp' },
    });
  });

  it('knows nothing of channels that are not ours, and of events of no session', () => {
    for (const event of [
      { type: 'leg.answered', legId: 'PJSIP/other-1' as LegId, at },
      { type: 'contact.online', aor: PRIYA_AOR, at },
      { type: 'contact.offline', aor: PRIYA_AOR, at },
      { type: 'trunk.up', trunk: 'carrier', at },
      { type: 'trunk.down', trunk: 'carrier', at },
      { type: 'call.unexpected', source: 'trunk', from: 'carrier', at },
      { type: 'engine.lost', at },
      { type: 'engine.back', at, snapshot: { legs: [], bridges: [], contacts: [] } },
    ] as const satisfies readonly PbxEvent[])
      expect(sessionEventOf(event), event.type).to.be.null;
  });
});
