import { expect } from 'chai';
import { MAX_BODY_BYTES, webhookBody } from '../../../../control-plane/src/app/webhooks/webhook-body.ts';
import type { Instant } from '../../../../control-plane/src/domain/ids.ts';

const at = Date.UTC(2026, 5, 1, 10, 20, 30, 456) as Instant;

describe('app/webhooks: what a receiver reads', () => {
  it('is type, time and data with the number of the change, which nothing in the data displaces', () => {
    const data = { sessionId: 's', detail: { ms: 3 }, sequence: 99 };
    expect(webhookBody({ type: 'sos.active', at, sequence: 4, data })).to.equal(
      '{"type":"sos.active","timestamp":"2026-06-01T10:20:30.456Z","data":{"sessionId":"s","detail":{"ms":3},"sequence":4}}',
    );
  });

  it('TEL-3: is less than 20 kB, whatever happened: then ids alone', () => {
    const data = { sessionId: 's', callId: 'c', note: 'न'.repeat(7000) };
    const text = webhookBody({ type: 'call.ended', at, sequence: 4, data });
    expect(Buffer.byteLength(text)).to.be.below(MAX_BODY_BYTES);
    expect(JSON.parse(text)).to.deep.equal({
      type: 'call.ended',
      timestamp: '2026-06-01T10:20:30.456Z',
      data: { sessionId: 's', callId: 'c', truncated: true, sequence: 4 },
    });
    const fits = webhookBody({ type: 'call.ended', at, sequence: 4, data: { note: 'x'.repeat(19_800) } });
    expect(fits).to.include('xxx');
  });
});
