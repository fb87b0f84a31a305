import { expect } from 'chai';
import type { AriEvent, Channel } from '../../../../control-plane/src/adapters/asterisk/ari.gen.ts';
import { LegTable } from '../../../../control-plane/src/adapters/asterisk/leg-table.ts';
import {
  legIdOf,
  type Instant,
  type LegId,
  type SessionId,
} from '../../../../control-plane/src/domain/ids.ts';
import type { HangupReason, PbxEvent } from '../../../../control-plane/src/ports/pbx-driver.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

const SESSION = '11111111-2222-4333-8444-555555555555' as SessionId;
const PHONE = legIdOf(SESSION, 'citizen-phone', 1);
const APP = legIdOf(SESSION, 'citizen-app', 1);
const AT = 1_000 as Instant;

const channel = (id: string, state: Channel['state'] = 'Down'): Channel =>
  ({ id, name: 'PJSIP/trunk-00000001', state }) as Channel;
const event = (type: AriEvent['type'], fields: object): AriEvent =>
  ({ type, ...fields }) as unknown as AriEvent;
const state = (id: LegId, to: Channel['state']): AriEvent =>
  event('ChannelStateChange', { channel: channel(id, to) });
const dialEvent = (id: LegId, dialstatus: string): AriEvent =>
  event('Dial', { peer: channel(id), dialstatus });
const hungUp = (id: LegId, fields: object): AriEvent =>
  event('ChannelHangupRequest', { channel: channel(id), ...fields });
const destroyed = (id: LegId, cause: number, tech_cause?: number): AriEvent =>
  event('ChannelDestroyed', {
    channel: channel(id),
    cause,
    ...(tech_cause === undefined ? {} : { tech_cause }),
  });

function scene(legId: LegId, { isDialled = true } = {}) {
  const events: PbxEvent[] = [];
  const gone: LegId[] = [];
  const legs = new LegTable(
    (told) => events.push(told),
    (leg) => gone.push(leg),
  );
  const leg = legs.add(legId, legId === PHONE ? PLAIN_TRUNK : null, { from: 'dial' });
  if (isDialled) legs.dialled(leg);
  return {
    legs,
    leg,
    events,
    gone,
    play: (...played: AriEvent[]) => {
      for (const one of played) legs.apply(one, AT);
    },
    story: () => events.map(({ type }) => type),
    ended: () => events.find((told) => told.type === 'leg.ended'),
  };
}

describe('adapters/asterisk/leg-table', () => {
  it('tells each step once, though Asterisk says it twice and late', () => {
    const { play, story } = scene(PHONE);
    play(
      dialEvent(PHONE, ''),
      dialEvent(PHONE, 'PROGRESS'),
      dialEvent(PHONE, 'PROGRESS'),
      dialEvent(PHONE, 'RINGING'),
      state(PHONE, 'Ringing'),
      state(PHONE, 'Up'),
      dialEvent(PHONE, 'ANSWER'),
      event('StasisStart', { channel: channel(PHONE, 'Up') }),
      state(PHONE, 'Ringing'),
      dialEvent(PHONE, 'PROGRESS'),
      state(PHONE, 'Up'),
      destroyed(PHONE, 16),
      destroyed(PHONE, 16),
      state(PHONE, 'Up'),
    );
    expect(story()).to.deep.equal(['leg.progress', 'leg.ringing', 'leg.answered', 'leg.ended']);
  });

  it('keeps what happens before the dial order is answered, and tells it then', () => {
    const { legs, leg, play, story, gone } = scene(PHONE, { isDialled: false });
    play(state(PHONE, 'Ringing'), hungUp(PHONE, { cause: 17, tech_cause: 486 }), destroyed(PHONE, 17, 486));
    expect(story()).to.deep.equal([]);
    legs.dialled(leg);
    expect(story()).to.deep.equal(['leg.ringing', 'leg.ended']);
    expect(gone).to.deep.equal([PHONE]);
  });

  it('RTC-7 TEL-7: knows a client, or a carrier, that named somebody else, whether Asterisk hands its response on or not', () => {
    for (const [legId, outcome] of [
      [APP, 'rejected'],
      [PHONE, 'unreachable'],
    ] as const) {
      const sentOn = event('Dial', { peer: channel(legId), dialstatus: 'CANCEL', forward: 'Local/1@x' });
      const early = scene(legId);
      early.play(dialEvent(legId, ''), sentOn, destroyed(legId, 0));
      expect(early.ended()).to.include({ outcome, sipStatus: 302, q850: null });
      const late = scene(legId);
      late.play(hungUp(legId, { cause: 23, tech_cause: 305 }), sentOn, destroyed(legId, 23, 305));
      expect(late.ended()).to.include({ outcome, sipStatus: 305, q850: 23 });
    }
  });

  it('tells nothing of a leg whose dial order failed', () => {
    const { legs, play, story } = scene(PHONE, { isDialled: false });
    play(destroyed(PHONE, 20));
    legs.drop(PHONE);
    play(destroyed(PHONE, 20));
    expect(story()).to.deep.equal([]);
  });

  it('adopts a leg of ours that it does not know when it enters the application', async () => {
    const { legs, play, story } = scene(PHONE);
    play(event('StasisStart', { channel: channel(APP, 'Up') }));
    expect(story()).to.deep.equal(['leg.answered']);
    expect(await legs.get(APP)?.controllable).to.equal(true);
    play(event('StasisStart', { channel: channel('1795183279.12', 'Up') }));
    expect(story()).to.deep.equal(['leg.answered']);
  });

  it('forgets what the engine has lost, without a word', async () => {
    const { legs, leg, events, gone } = scene(PHONE);
    legs.keepOnly(new Set());
    expect(gone).to.deep.equal([PHONE]);
    expect(events).to.deep.equal([]);
    expect(await leg.controllable).to.equal(false);
  });
});

describe('adapters/asterisk/leg-ending', () => {
  const refused = (legId: LegId, cause: number, status: number, before: AriEvent[] = []) => {
    const { play, ended } = scene(legId);
    play(...before, hungUp(legId, { cause, tech_cause: status }), destroyed(legId, cause, status));
    return ended();
  };
  const cancelled = (reason: HangupReason, before: AriEvent[] = [], cause = 16) => {
    const { leg, play, ended } = scene(PHONE);
    play(...before);
    leg.hangup = reason;
    play(hungUp(PHONE, { cause: 32, soft: true }), destroyed(PHONE, cause));
    return ended();
  };

  it('FB-7: takes the status of a refusal', () => {
    expect(refused(PHONE, 17, 486)).to.include({ outcome: 'busy', sipStatus: 486, q850: 17 });
    expect(refused(PHONE, 21, 603)).to.include({ outcome: 'rejected', sipStatus: 603 });
    expect(refused(PHONE, 21, 403)).to.include({ outcome: 'trunk-unreachable', sipStatus: 403 });
    expect(refused(PHONE, 19, 480)).to.include({ outcome: 'unreachable' });
    expect(refused(PHONE, 19, 480, [state(PHONE, 'Ringing')])).to.include({ outcome: 'no-answer' });
    expect(refused(APP, 34, 503)).to.include({ outcome: 'unreachable', sipStatus: 503 });
  });

  it('knows Asterisk’s own timeout by its missing hangup request, and gives no status for it', () => {
    const timeout = (legId: LegId, before: AriEvent[] = []) => {
      const { play, ended } = scene(legId);
      play(...before, destroyed(legId, 19, 480));
      return ended();
    };
    expect(timeout(PHONE, [state(PHONE, 'Ringing')])).to.include({ outcome: 'no-answer', sipStatus: null });
    expect(timeout(PHONE, [dialEvent(PHONE, 'PROGRESS')])).to.include({
      outcome: 'no-answer',
      sipStatus: null,
    });
    expect(timeout(PHONE)).to.include({ outcome: 'trunk-unreachable', sipStatus: null });
    expect(timeout(APP)).to.include({ outcome: 'unreachable', sipStatus: null });
    expect(timeout(APP, [state(APP, 'Ringing')])).to.include({ outcome: 'no-answer', sipStatus: null });
  });

  it('FB-8: says of a leg that we ended why we did', () => {
    expect(cancelled('stream-won', [state(PHONE, 'Ringing')])).to.include({
      outcome: 'cancelled',
      sipStatus: null,
    });
    expect(cancelled('no-answer', [state(PHONE, 'Ringing')])).to.include({ outcome: 'no-answer' });
    expect(cancelled('no-answer', [state(PHONE, 'Up')])).to.include({ outcome: 'completed' });
  });

  it('FB-8: a refusal that crossed our cancel is a refusal, the 487 that answers it is not', () => {
    const crossed = (status: number) => {
      const { leg, play, ended } = scene(PHONE);
      play(state(PHONE, 'Ringing'));
      leg.hangup = 'cancelled';
      play(hungUp(PHONE, { cause: 17, tech_cause: status }), destroyed(PHONE, 17, status));
      return ended();
    };
    expect(crossed(486)).to.include({ outcome: 'busy', sipStatus: 486 });
    expect(crossed(487)).to.include({ outcome: 'cancelled' });
  });

  it('RTC-7: tells media that failed from a call that was over', () => {
    const bye = (legId: LegId, cause: number, status?: number) => {
      const { play, ended } = scene(legId);
      play(state(legId, 'Up'), hungUp(legId, { cause, tech_cause: status }), destroyed(legId, cause, status));
      return ended();
    };
    expect(bye(APP, 18, 408)).to.include({ outcome: 'media-failed', sipStatus: 408 });
    expect(bye(APP, 16)).to.include({ outcome: 'completed', sipStatus: null, q850: 16 });
    expect(bye(PHONE, 18, 408)).to.include({ outcome: 'completed' });
    // DTLS that failed, outside a bridge and in one: nobody asked for the end
    for (const [cause, q850] of [
      [0, null],
      [16, 16],
    ] as const) {
      const { play, ended } = scene(APP);
      play(state(APP, 'Up'), destroyed(APP, cause));
      expect(ended()).to.include({ outcome: 'media-failed', sipStatus: null, q850 });
    }
  });
});
