import { expect } from 'chai';
import { DEFAULT_FEED_TIMING } from '../../../../control-plane/src/adapters/feed/panel-feed.ts';
import { SESSION_ID } from '../../../support/fake-gateway.ts';
import { refusalOf, startFeedLab, type FeedLab } from '../../../support/feed-lab.ts';
import { tokenFor } from '../../../support/http-lab.ts';

const AOR = 'operator-akram-desk';
const LEG = `${SESSION_ID}.operator-app.1`;

describe('adapters/feed panels', () => {
  let lab: FeedLab;
  beforeEach(async () => {
    lab = await startFeedLab();
  });
  afterEach(() => lab.close());

  const metrics = async () => (await lab.metrics.exposition()).text;
  const bearer = async (...who: Parameters<typeof tokenFor>) => ({
    Authorization: `Bearer ${await tokenFor(...who)}`,
  });
  const shifts = () => lab.gateway.argsOf('shift');
  /** Waits until the gateway was told of this many begins and ends. */
  const untilShifts = async (count: number): Promise<void> => {
    const startedAt = performance.now();
    while (shifts().length < count) {
      if (performance.now() - startedAt > 3000) throw new Error(`only ${shifts().length} shift changes`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  describe('are let in', () => {
    it('by a ticket, once', async () => {
      const token = await tokenFor('operator', 'akram');
      const body = { purpose: 'feed', deviceId: 'desk' };
      const { ticket } = (await lab.call('POST', '/v1/tickets', { token, body })).body as { ticket: string };
      const panel = await lab.connect({ by: 'ticket' });
      await panel.take('snapshot');
      await lab.tickets.redeem(ticket, 'feed', lab.clock.now());
      expect(await refusalOf(`${lab.feedUrl}?ticket=${ticket}`)).to.deep.equal([401, 'ERR_AUTH_TICKET']);
    });

    it('by a token of an operator, supervisor or admin, and by no other', async () => {
      for (const role of ['operator', 'supervisor', 'admin'] as const)
        await (await lab.connect({ role, subject: 'somebody' })).take('snapshot');
      for (const role of ['citizen', 'backend'] as const)
        expect(await refusalOf(lab.feedUrl, await bearer(role, 'somebody'))).to.deep.equal([
          403,
          'ERR_AUTH_ROLE',
        ]);
    });

    it('not without, with an expired or a forged credential', async () => {
      expect(await refusalOf(lab.feedUrl)).to.deep.equal([401, 'ERR_AUTH_MISSING']);
      expect(await refusalOf(lab.feedUrl, await bearer('operator', 'akram', -60))).to.deep.equal([
        401,
        'ERR_AUTH_EXPIRED',
      ]);
      expect(await refusalOf(`${lab.feedUrl}?ticket=guess`)).to.deep.equal([401, 'ERR_AUTH_TICKET']);
      expect(await refusalOf(lab.feedUrl, { Authorization: 'Bearer a.b.c' })).to.deep.equal([
        401,
        'ERR_AUTH_INVALID',
      ]);
      expect(await metrics()).to.contain('hamrahi_http_refused_total{code="ERR_AUTH_TICKET"} 1');
    });

    it('not with a ticket for SIP', async () => {
      const token = await tokenFor('operator', 'akram');
      const body = { purpose: 'sip', deviceId: 'desk' };
      const { ticket } = (await lab.call('POST', '/v1/tickets', { token, body })).body as { ticket: string };
      expect(await refusalOf(`${lab.feedUrl}?ticket=${ticket}`)).to.deep.equal([401, 'ERR_AUTH_TICKET']);
    });

    it('only as many as there may be, in all and of one identity', async () => {
      await lab.close();
      lab = await startFeedLab({}, { maxConnections: 3, maxPerIdentity: 2 });
      const first = await lab.connect({ device: 'one' });
      const second = await lab.connect({ device: 'two' });
      for (const panel of [first, second]) {
        panel.say({ type: 'shift.begin' });
        await panel.take('ok');
      }
      expect(await refusalOf(lab.feedUrl, await bearer('operator', 'akram'))).to.deep.equal([
        503,
        'ERR_FEED_FULL',
      ]);
      await lab.connect({ subject: 'bina' });
      expect(await refusalOf(lab.feedUrl, await bearer('operator', 'chand'))).to.deep.equal([
        503,
        'ERR_FEED_FULL',
      ]);
      first.socket.close();
      await first.untilClosed();
      await (await lab.connect()).take('snapshot');
    });
  });

  describe('are ended', () => {
    it('within 5 s when their token is revoked, and do not come in with it again', async () => {
      await lab.revocations.start();
      const panel = await lab.connect();
      const other = await lab.connect({ subject: 'bina' });
      panel.say({ type: 'shift.begin' });
      await panel.take('ok');
      const token = await tokenFor('supervisor', 'chief');
      const revoked = Date.now();
      const answer = await lab.call('POST', '/v1/tokens/revoke', {
        token,
        body: { role: 'operator', subject: 'akram' },
      });
      expect(answer.status).to.equal(200);
      expect(await panel.untilClosed()).to.deep.equal({ code: 4005, reason: 'ERR_AUTH_REVOKED' });
      expect(Date.now() - revoked).to.be.below(5000);
      expect(other.closed).to.equal(null);
      const { args } = lab.gateway.calls.findLast(({ name }) => name === 'shift')!;
      expect(args, 'his shift').to.deep.equal(['akram', 'operator-akram-desk', false]);
      lab.revocations.stop();
    });

    it('for a newer one of their identity, the oldest without a shift first, of the token that has most', async () => {
      await lab.close();
      lab = await startFeedLab({}, { maxConnections: 10, maxPerIdentity: 3 });
      const hers = await lab.connect({ device: 'hers' });
      const stolen = await tokenFor('operator', 'akram');
      const thief = () => lab.connect({ device: 'thief', token: stolen });
      const [first, second] = [await thief(), await thief()];
      await (await thief()).take('snapshot');
      expect(await first.untilClosed()).to.deep.equal({ code: 4006, reason: 'ERR_FEED_REPLACED' });
      await (await lab.connect({ device: 'hers2' })).take('snapshot');
      await second.untilClosed();
      expect(hers.closed).to.equal(null);
    });
  });

  describe('have a shift', () => {
    it('that begins and ends by their word', async () => {
      const panel = await lab.connect({ by: 'ticket' });
      panel.say({ type: 'shift.begin' });
      expect(await panel.take('ok')).to.include({ of: 'shift.begin' });
      panel.say({ type: 'shift.end' });
      expect(await panel.take('ok')).to.include({ of: 'shift.end' });
      panel.say({ type: 'shift.end' });
      await panel.take('ok');
      expect(shifts()).to.deep.equal([
        ['akram', AOR, true],
        ['akram', AOR, false],
      ]);
    });

    it('that ends with their connection', async () => {
      for (const end of ['close', 'terminate'] as const) {
        const before = shifts().length;
        const panel = await lab.connect();
        panel.say({ type: 'shift.begin' });
        await panel.take('ok');
        panel.socket[end]();
        await untilShifts(before + 2);
        expect(shifts().at(-1)).to.deep.equal(['akram', AOR, false]);
      }
    });

    it('that ends within 10 s of a death that no packet tells', async () => {
      expect(2 * DEFAULT_FEED_TIMING.pingIntervalMs).to.be.below(10_000);
      await lab.close();
      lab = await startFeedLab({ pingIntervalMs: 100 });
      const dead = await lab.connect({ autoPong: false });
      const alive = await lab.connect({ subject: 'bina' });
      dead.say({ type: 'shift.begin' });
      alive.say({ type: 'shift.begin' });
      await Promise.all([dead.take('ok'), alive.take('ok')]);
      const startedAt = performance.now();
      await untilShifts(3);
      expect(performance.now() - startedAt).to.be.below(1000);
      expect(shifts().at(-1)).to.deep.equal(['akram', AOR, false]);
      expect((await dead.untilClosed()).code).to.equal(1006);
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(alive.closed).to.equal(null);
      expect(await metrics()).to.contain('hamrahi_feed_closed_total{reason="dead"} 1');
    });

    it('that a newer connection of the same client takes over, without a gap', async () => {
      const old = await lab.connect();
      old.say({ type: 'shift.begin' });
      await old.take('ok');
      const other = await lab.connect({ device: 'tablet' });
      other.say({ type: 'shift.begin' });
      await other.take('ok');
      const newer = await lab.connect();
      newer.say({ type: 'shift.begin' });
      await newer.take('ok');
      expect(await old.untilClosed()).to.deep.equal({ code: 4001, reason: 'ERR_FEED_SHIFT_TAKEN' });
      expect(shifts()).to.deep.equal([
        ['akram', AOR, true],
        ['akram', 'operator-akram-tablet', true],
        ['akram', AOR, true],
      ]);
      expect(other.closed).to.equal(null);
    });

    it('only as operators, and only with a client that can be called', async () => {
      const nameless = await lab.connect({ device: null });
      nameless.say({ type: 'shift.begin' });
      expect(await nameless.take('error')).to.include({
        of: 'shift.begin',
        code: 'ERR_FEED_DEVICE_REQUIRED',
      });
      const supervisor = await lab.connect({ role: 'supervisor', subject: 'boss' });
      supervisor.say({ type: 'shift.begin' });
      expect(await supervisor.take('error')).to.include({ code: 'ERR_AUTH_ROLE' });
      const admin = await lab.connect({ role: 'admin', subject: 'root' });
      admin.say({ type: 'audio.report', sessionId: SESSION_ID, legId: LEG, packets: 1 });
      expect(await admin.take('error')).to.include({ of: 'audio.report', code: 'ERR_AUTH_ROLE' });
      expect(shifts()).to.deep.equal([]);
    });

    it('that ends for good though the database is away', async () => {
      const panel = await lab.connect();
      panel.say({ type: 'shift.begin' });
      await panel.take('ok');
      let failures = 0;
      lab.gateway.before = (name) => {
        if (name !== 'shift' || failures >= 1) return;
        failures += 1;
        throw new Error('the database is down');
      };
      panel.socket.terminate();
      await untilShifts(3);
      expect(shifts().slice(1)).to.deep.equal([
        ['akram', AOR, false],
        ['akram', AOR, false],
      ]);
    });
  });

  it('RTC-2 report what they hear, of legs of their kind', async () => {
    const panel = await lab.connect();
    panel.say({ type: 'audio.report', sessionId: SESSION_ID, legId: LEG, packets: 12, levelDb: -20 });
    for (const legId of [
      'nonsense',
      `${SESSION_ID}.citizen-app.1`,
      '00000000-0000-4000-8000-000000000001.operator-app.1',
    ]) {
      panel.say({ type: 'audio.report', sessionId: SESSION_ID, legId, packets: 12 });
      expect(await panel.take('error')).to.include({ of: 'audio.report', code: 'ERR_FEED_LEG' });
    }
    expect(lab.gateway.argsOf('heard')).to.deep.equal([['akram', SESSION_ID, LEG, 12]]);
    expect(panel.messages.map(({ type }) => type)).not.to.include('ok');
  });

  it('acknowledge alerts, and hear why not', async () => {
    const panel = await lab.connect();
    const message = { type: 'alert.acknowledge', sessionId: SESSION_ID, kind: 'no-operator' };
    panel.say(message);
    await panel.take('ok');
    lab.gateway.viewed = { ok: false, code: 'ERR_SOS_FOREIGN', detail: 'another zone' };
    panel.say(message);
    expect(await panel.take('error')).to.include({ of: 'alert.acknowledge', code: 'ERR_SOS_FOREIGN' });
    lab.gateway.before = (name) =>
      name === 'acknowledgeAlert' ? Promise.reject(new Error('bug')) : undefined;
    panel.say(message);
    expect(await panel.take('error')).to.include({ code: 'ERR_GATEWAY_UNAVAILABLE' });
    expect(lab.gateway.argsOf('acknowledgeAlert')[0]).to.deep.equal([
      { role: 'operator', subject: 'akram', tokenId: null },
      SESSION_ID,
      'no-operator',
    ]);
  });

  describe('that misbehave', () => {
    it('are told what was wrong, and go on', async () => {
      const panel = await lab.connect();
      const code = async (send: () => void) => {
        send();
        const { of, code: found } = await panel.take('error');
        return `${of} ${String(found)}`;
      };
      expect(await code(() => panel.socket.send('{"type":'))).to.equal('message ERR_FEED_MALFORMED');
      expect(await code(() => panel.say({ type: 'door.open' }))).to.equal('message ERR_FEED_MALFORMED');
      expect(await code(() => panel.say([1]))).to.equal('message ERR_FEED_MALFORMED');
      expect(await code(() => panel.say({ type: 'shift.begin', as: 'bina' }))).to.equal(
        'shift.begin ERR_FEED_MALFORMED',
      );
      expect(await code(() => panel.socket.send(Buffer.from('{}')))).to.equal('message ERR_FEED_MALFORMED');
      panel.say({ type: 'shift.begin' });
      await panel.take('ok');
      expect(await metrics()).to.contain('hamrahi_feed_errors_total{code="ERR_FEED_MALFORMED"} 5');
    });

    it('by flooding are closed with 1008; others notice nothing', async () => {
      const flooder = await lab.connect();
      const other = await lab.connect({ subject: 'bina' });
      await Promise.all([flooder.take('snapshot'), other.take('snapshot')]);
      for (let n = 0; n < 500; n++) flooder.say({ type: 'shift.begin' });
      expect(await flooder.untilClosed()).to.deep.equal({ code: 1008, reason: 'ERR_FEED_FLOOD' });
      expect(shifts().filter(([, , on]) => on).length).to.be.at.most(50);
      lab.source.commit('north', 1);
      await other.take('sos.streaming');
      expect(await metrics()).to.contain('hamrahi_feed_closed_total{reason="ERR_FEED_FLOOD"} 1');
    });

    it('by flooding with pings are closed, too', async () => {
      const flooder = await lab.connect();
      await flooder.take('snapshot');
      for (let n = 0; n < 500; n++) flooder.socket.ping();
      expect((await flooder.untilClosed()).code).to.equal(1008);
    });

    it('by a frame of 1 MB are closed with 1009', async () => {
      const panel = await lab.connect();
      await panel.take('snapshot');
      panel.socket.send('x'.repeat(1_048_576));
      expect((await panel.untilClosed()).code).to.equal(1009);
      expect(await metrics()).to.contain('hamrahi_feed_closed_total{reason="ERR_FEED_TOO_LARGE"} 1');
    });

    it('by reading too slowly are closed; others get everything', async () => {
      await lab.close();
      lab = await startFeedLab({ maxBufferedBytes: 100_000, closeGraceMs: 200 });
      const slow = await lab.connect();
      const other = await lab.connect({ subject: 'bina' });
      await Promise.all([slow.take('snapshot'), other.take('snapshot')]);
      slow.say({ type: 'shift.begin' });
      await slow.take('ok');
      slow.socket.pause();
      const detail = { text: 'x'.repeat(5000) };
      let seq = 0;
      while (!(await metrics()).includes('hamrahi_feed_closed_total{reason="ERR_FEED_SLOW"} 1')) {
        ({ seq } = lab.source.commit('north', 1, { detail }));
        await other.until(
          'this change',
          () => other.messages.at(-1)?.type === 'sos.streaming' && other.seqs().at(-1) === seq,
        );
        expect(seq).to.be.below(10_000);
      }
      await untilShifts(2);
      expect(other.seqs()).to.have.length(seq);
      slow.socket.resume();
      expect((await slow.untilClosed()).code).to.be.oneOf([1006, 1013]);
    });
  });

  it('leave nothing personal and no ticket in the log', async () => {
    const panel = await lab.connect({ by: 'ticket' });
    panel.socket.send('{"phone":"+919811123456"');
    await panel.take('error');
    panel.socket.terminate();
    await panel.untilClosed();
    const text = lab.log.lines.join();
    for (const secret of ['9811123456', 'ticket=', 'Bearer']) expect(text).not.to.contain(secret);
  });
});
