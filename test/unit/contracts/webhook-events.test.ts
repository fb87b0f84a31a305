/** What the gateway writes for webhooks is what the contract promises to receivers. */
import { expect } from 'chai';
import { outboxOf } from '../../../control-plane/src/app/outbox-of.ts';
import { webhookBody } from '../../../control-plane/src/app/webhooks/webhook-body.ts';
import { feedEventType } from '../../../control-plane/src/contracts/panel-feed.ts';
import {
  callEvent,
  callEventType,
  eventFilter,
  sosEvent,
  sosEventType,
  testEvent,
} from '../../../control-plane/src/contracts/webhook-events.ts';
import { legIdOf } from '../../../control-plane/src/domain/ids.ts';
import type { LegChange } from '../../../control-plane/src/domain/session/command.ts';
import { CALL_EVENT_TYPES } from '../../../control-plane/src/ports/outbox.ts';
import type { OutboxDraft } from '../../../control-plane/src/ports/outbox.ts';
import { startCallLab } from '../../support/call-lab.ts';
import { activation, T0 } from '../../support/session-writes.ts';

const { after: session } = activation();
const hers = legIdOf(session.id, 'citizen-phone', 1);
const bodyOf = ({ type, at, data }: OutboxDraft): unknown =>
  JSON.parse(webhookBody({ type, at, data, sequence: 3 }));

describe('contracts: webhook events', () => {
  it('TEL-3: are told of each change of a telephone leg, as ringing, answered, failed or ended', () => {
    const end = { state: 'ended', at: T0, sipStatus: 486, q850: 17 } as const;
    const changes: readonly (readonly [LegChange, string])[] = [
      [{ state: 'ringing', at: T0 }, 'call.ringing'],
      [{ state: 'answered', at: T0, trunk: 'tata' }, 'call.answered'],
      [{ ...end, outcome: 'completed' }, 'call.ended'],
      [{ ...end, outcome: 'cancelled' }, 'call.ended'],
      [{ ...end, outcome: 'busy' }, 'call.failed'],
      [{ ...end, outcome: 'trunk-unreachable', sipStatus: null, q850: null }, 'call.failed'],
    ];
    const drafts = outboxOf(
      session,
      T0,
      [],
      changes.map(([change]) => ({ legId: hers, change })),
    );
    expect(drafts.map(({ type }) => type)).to.deep.equal(changes.map(([, type]) => type));
    for (const draft of drafts) {
      const body = bodyOf(draft);
      expect(callEvent.parse(body), 'nothing is lost').to.deep.equal(body);
    }
    expect(bodyOf(drafts[4]!)).to.deep.include({
      type: 'call.failed',
      data: {
        callId: hers,
        sessionId: session.id,
        leg: 'citizen-phone',
        outcome: 'busy',
        sipStatus: 486,
        q850: 17,
        sequence: 3,
      },
    });
  });

  it('TEL-3: are told of calls that were asked for in the same shape', async () => {
    const lab = await startCallLab();
    await lab.joined();
    await lab.hangsUp('other');
    await lab.create();
    await lab.rings('to');
    await lab.forward(200_000);
    const types = new Set(lab.memory.outbox.map(({ type }) => type));
    expect([...types]).to.have.members(['call.ringing', 'call.answered', 'call.ended', 'call.failed']);
    for (const row of lab.memory.outbox) {
      const body = bodyOf(row);
      expect(callEvent.parse(body)).to.deep.equal(body);
      expect(Object.keys(callEvent.shape.data.shape)).to.include.members(Object.keys(row.data));
    }
  });

  it('are told of each change of a session, and every type of it is known to the contract', () => {
    const feed = feedEventType.options.map((type) => ({
      type,
      detail: { reason: 'x', ms: 1.5, repeated: true },
    }));
    const drafts = outboxOf(session, T0, feed, []);
    expect(drafts.map(({ type }) => type)).to.have.members(sosEventType.options);
    for (const draft of drafts) {
      const body = bodyOf(draft);
      expect(sosEvent.parse(body)).to.deep.equal(body);
    }
    expect(callEventType.options).to.deep.equal([...CALL_EVENT_TYPES]);
  });

  it('are known in their short form, too', () => {
    const long = { sessionId: session.id, note: 'x'.repeat(30_000) };
    const body: unknown = JSON.parse(webhookBody({ type: 'sos.active', at: T0, sequence: 1, data: long }));
    expect(sosEvent.safeParse(body).success).to.equal(true);
    const call: unknown = JSON.parse(
      webhookBody({ type: 'call.ended', at: T0, sequence: 1, data: { ...long, callId: hers } }),
    );
    expect(callEvent.safeParse(call).success).to.equal(true);
    const test: unknown = JSON.parse(
      webhookBody({ type: 'webhook.test', at: T0, sequence: 1, data: { webhookId: session.id } }),
    );
    expect(testEvent.safeParse(test).success).to.equal(true);
  });

  it('can be asked for by type, by family, or all at once', () => {
    for (const filter of [
      '*',
      'call.*',
      'sos.*',
      'webhook.*',
      ...callEventType.options,
      ...sosEventType.options,
    ])
      expect(eventFilter.safeParse(filter).success, filter).to.equal(true);
    for (const filter of [
      '',
      '**',
      'call',
      'call.',
      '.*',
      'call.rings',
      'phone.*',
      'call.*.x',
      'Call.*',
      'sos.phone.ringing',
    ])
      expect(eventFilter.safeParse(filter).success, filter).to.equal(false);
  });
});
