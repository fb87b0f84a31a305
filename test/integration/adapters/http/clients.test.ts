import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import type { ClientConfig } from '../../../../control-plane/src/contracts/sos-api.ts';
import { startHttpLab, tokenFor, type HttpLab } from '../../../support/http-lab.ts';

describe('adapters/http clients', () => {
  let lab: HttpLab;
  beforeEach(async () => {
    lab = await startHttpLab();
  });
  afterEach(() => lab.close());

  const ticketOf = (answer: { body: unknown }) => answer.body as { ticket: string; expiresAt: string };

  it('issues a ticket that is good once, for what it was asked, for 30 s', async () => {
    const token = await tokenFor('citizen', 'priya');
    const answer = await lab.call('POST', '/v1/tickets', {
      token,
      body: { purpose: 'sip', deviceId: 'phone1' },
    });
    expect(answer.status).to.equal(201);
    const { ticket, expiresAt } = ticketOf(answer);
    expect(Date.parse(expiresAt) - lab.clock.now()).to.be.within(28_000, 30_000);
    expect(await lab.tickets.redeem(ticket, 'sip', lab.clock.now())).to.include({
      role: 'citizen',
      subject: 'priya',
      deviceId: 'phone1',
    });
    expect(await lab.tickets.redeem(ticket, 'sip', lab.clock.now())).to.equal(null);
  });

  it('issues tickets only for what a role may do', async () => {
    const ask = async (role: Parameters<typeof tokenFor>[0], body: unknown) => {
      const answer = await lab.call('POST', '/v1/tickets', { token: await tokenFor(role, 'somebody'), body });
      return answer.code ?? answer.status;
    };
    const sip = { purpose: 'sip', deviceId: 'd1' };
    const feed = { purpose: 'feed', deviceId: 'd1' };
    expect(await ask('operator', sip)).to.equal(201);
    expect(await ask('operator', feed)).to.equal(201);
    expect(await ask('supervisor', { purpose: 'feed' })).to.equal(201);
    expect(await ask('admin', { purpose: 'feed' })).to.equal(201);
    expect(await ask('citizen', feed)).to.equal('ERR_AUTH_ROLE');
    expect(await ask('supervisor', sip), 'to listen in').to.equal(201);
    expect(await ask('admin', sip)).to.equal('ERR_AUTH_ROLE');
    expect(await ask('backend', sip)).to.equal('ERR_AUTH_ROLE');
    expect(await ask('citizen', { purpose: 'sip' })).to.equal('ERR_HTTP_VALIDATION');
    expect(await ask('citizen', { purpose: 'sip', deviceId: 'a-b' })).to.equal('ERR_HTTP_VALIDATION');
    expect(await ask('citizen', { purpose: 'door' })).to.equal('ERR_HTTP_VALIDATION');
  });

  it('tells a citizen where she is called and by which ICE servers', async () => {
    const token = await tokenFor('citizen', 'priya');
    const config = (await lab.call('GET', '/v1/client-config?deviceId=phone1', { token }))
      .body as ClientConfig;
    expect(config).to.include({
      sipUri: 'sip:citizen-priya-phone1@sos.test',
      sipWssUrl: 'wss://edge.test/sip',
      iceGatheringTimeoutMs: 500,
      feedUrl: null,
    });
    const [stun, turn] = config.iceServers;
    expect(stun).to.deep.equal({ urls: ['stun:stun.test:3478'] });
    const [expiry, subject] = turn!.username!.split(':');
    expect(subject).to.equal('priya');
    expect(Number(expiry) * 1000 - lab.clock.now()).to.be.within(3_590_000, 3_600_000);
    const expected = createHmac('sha1', 'turn-secret-of-the-tests').update(turn!.username!).digest('base64');
    expect(turn!.credential).to.equal(expected);
  });

  it('tells an operator the feed, too', async () => {
    const token = await tokenFor('operator', 'akram');
    const config = (await lab.call('GET', '/v1/client-config?deviceId=desk', { token })).body;
    expect(config).to.include({
      sipUri: 'sip:operator-akram-desk@sos.test',
      feedUrl: 'wss://gateway.test/v1/panel/feed',
    });
  });

  it('asks which device it is', async () => {
    const token = await tokenFor('citizen', 'priya');
    for (const query of ['', '?deviceId=', '?deviceId=a-b', '?deviceId=a&deviceId=b'])
      expect((await lab.call('GET', `/v1/client-config${query}`, { token })).code).to.equal(
        'ERR_HTTP_VALIDATION',
      );
  });
});
