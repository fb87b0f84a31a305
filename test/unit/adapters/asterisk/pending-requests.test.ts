import { expect } from 'chai';
import { PendingRequests } from '../../../../control-plane/src/adapters/asterisk/pending-requests.ts';
import { manualClock } from '../../../support/manual-clock.ts';

describe('adapters/asterisk/pending-requests', () => {
  it('gives each request its own answer, in whatever order they come', async () => {
    const pending = new PendingRequests(manualClock());
    const one = pending.open('GET /one', 1_000);
    const two = pending.open('GET /two', 1_000);
    expect(pending.answer(two.id, { status: 200, body: '{"n":2}' })).to.equal(true);
    expect(pending.answer(one.id, { status: 204, body: undefined })).to.equal(true);
    expect(await one.result).to.deep.equal({ ok: true, value: null });
    expect(await two.result).to.deep.equal({ ok: true, value: { n: 2 } });
    expect(pending.size).to.equal(0);
  });

  it('fails at the deadline, and knows nothing of an answer after it', async () => {
    const clock = manualClock();
    const pending = new PendingRequests(clock);
    const { id, result } = pending.open('GET /slow', 2_000);
    await clock.advance(1_999);
    expect(pending.size).to.equal(1);
    await clock.advance(1);
    expect(await result).to.deep.equal({
      ok: false,
      code: 'ERR_PBX_TIMEOUT',
      httpStatus: null,
      detail: 'GET /slow: no answer',
    });
    expect(pending.answer(id, { status: 200, body: '{}' })).to.equal(false);
  });

  it('fails all at once when the connection is lost, and leaves no timer', async () => {
    const clock = manualClock();
    const pending = new PendingRequests(clock);
    const results = [1, 2, 3].map((n) => pending.open(`GET /${n}`, 1_000).result);
    pending.failAll('ERR_PBX_DISCONNECTED');
    for (const result of await Promise.all(results))
      expect(result).to.include({ code: 'ERR_PBX_DISCONNECTED' });
    expect(clock.waiting).to.equal(0);
  });

  for (const [status, code] of [
    [400, 'ERR_PBX_REFUSED'],
    [404, 'ERR_PBX_NOT_FOUND'],
    [409, 'ERR_PBX_CONFLICT'],
    [412, 'ERR_PBX_CONFLICT'],
    [422, 'ERR_PBX_CONFLICT'],
    [500, 'ERR_PBX_REFUSED'],
    [503, 'ERR_PBX_OVERLOAD'],
  ] as const) {
    it(`${status} is ${code}, told without Asterisk's own words`, async () => {
      const pending = new PendingRequests(manualClock());
      const { id, result } = pending.open('POST /channels/{channelId}', 1_000);
      pending.answer(id, { status, body: '{"message":"+919812345678 is no endpoint"}' });
      const detail = `POST /channels/{channelId}: ${status}`;
      expect(await result).to.deep.equal({ ok: false, code, httpStatus: status, detail });
    });
  }

  it('takes an answer that is no JSON for a failure', async () => {
    const pending = new PendingRequests(manualClock());
    const { id, result } = pending.open('GET /one', 1_000);
    pending.answer(id, { status: 200, body: 'half a mess' });
    expect(await result).to.include({ ok: false, code: 'ERR_PBX_REFUSED' });
  });
});
