/**
 * What comes in by a socket and should not: SIP clients, panels, tickets, slow senders, and a call that nobody ordered.
 * Each gets a stable code and is counted, and a session beside it, whose tone an operator hears, notices nothing.
 */
import { expect } from 'chai';
import { bodyOf, headerOf, RawClient, statusOf } from '../integration/adapters/edge/raw-client.ts';
import { useBadInputLab } from './support/bad-input-lab.ts';
import { eventually } from './support/eventually.ts';
import { openFeed, type FeedRefusal, type FeedSocket } from './support/feed-socket.ts';
import { dripInto } from './support/raw-connection.ts';
import { speakSip, type SipSpeaker } from './support/sip-speaker.ts';

const MEGABYTE = 1_048_576;
/** Longer than the deadlines of HTTP headers (5 s) and of an edge's handshake (5 s). */
const DRIPPED_MS = 9_000;

describe('e2e: bad input by a socket', function () {
  this.timeout(20_000);
  const lab = useBadInputLab();
  const { gateway } = lab;

  describe('a SIP client that misbehaves', () => {
    let speaker: SipSpeaker;

    beforeEach('registers as itself', async () => {
      const citizen = await gateway.citizen();
      const aor = `citizen-${citizen.id}-phone1`;
      lab.endpointsThatStay.add(aor);
      speaker = await speakSip(gateway, { token: citizen.token, aor });
      expect(await answerTo(speaker.request('REGISTER'))).to.deep.include({ status: 200 });
    });

    const answerTo = async (request: string): Promise<{ status: number; code: string }> => {
      speaker.client.send(request);
      const answer = await speaker.client.response();
      return { status: statusOf(answer), code: headerOf(answer, 'X-Hamrahi-Code') };
    };
    const refusedAtEdge = async (request: () => string, status: number, code: string): Promise<void> => {
      const answer = await lab.counted('hamrahi_edge_refused_total', { code }, () => answerTo(request()));
      expect(answer).to.deep.equal({ status, code });
      expect(await answerTo(speaker.request('REGISTER')), 'it may go on').to.deep.include({ status: 200 });
    };
    const closedAtEdge = async (act: () => void, closeCode: number, code: string): Promise<void> => {
      const closed = await lab.counted('hamrahi_edge_refused_total', { code }, () => {
        act();
        return speaker.client.end();
      });
      expect(closed.code).to.equal(closeCode);
    };

    for (const what of ['registers', 'takes back the registration'] as const)
      it(`RTC-10 refuses one that ${what} as someone else's address of record: 403`, () => {
        const other = `<sip:${lab.steady.aor}@${gateway.file.sipDomain}>`;
        const changes = what === 'registers' ? {} : { contact: '*', headers: ['Expires: 0'] };
        return refusedAtEdge(
          () => speaker.request('REGISTER', { from: other, to: other, ...changes }),
          403,
          'ERR_EDGE_IDENTITY',
        );
      });

    for (const [method, status] of [
      ['INVITE', 403],
      ['MESSAGE', 405],
      ['REFER', 405],
      ['SUBSCRIBE', 405],
    ] as const)
      it(`RTC-10 refuses ${method} out of a dialog: ${status}`, () =>
        refusedAtEdge(
          () => speaker.request(method, { uri: `sip:${lab.steady.aor}@${gateway.file.sipDomain}` }),
          status,
          'ERR_EDGE_METHOD',
        ));

    it('RTC-10 refuses BYE for a call that is not its own: 481', () =>
      refusedAtEdge(
        () => speaker.request('BYE', { uri: `sip:${lab.steady.aor}@${gateway.file.sipDomain}` }),
        481,
        'ERR_EDGE_DIALOG',
      ));

    it('RTC-10 ends a flood with 4008', () =>
      closedAtEdge(
        () => {
          for (let count = 0; count < 120; count += 1) speaker.client.send(speaker.request('OPTIONS'));
        },
        4008,
        'ERR_EDGE_FLOOD',
      ));

    it('RTC-10 ends a frame of 1 MB with 1009', () =>
      closedAtEdge(() => speaker.client.send('x'.repeat(MEGABYTE)), 1009, 'ERR_EDGE_FRAME_SIZE'));

    it('RTC-10 ends garbage with 4002, and says each time what is wrong', async () => {
      await lab.counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_SIP_SYNTAX' }, () =>
        closedAtEdge(
          () => {
            for (let count = 0; count < 20; count += 1) speaker.client.send(`{"noise":${count}}`);
          },
          4002,
          'ERR_EDGE_MALFORMED',
        ),
      );
    });

    it('RTC-10 counts a binary frame that is no UTF-8, and lets it go on', async () => {
      await lab.counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_FRAME' }, async () => {
        speaker.client.socket.send(Buffer.from([0xff, 0xfe, 0x00]));
        expect(await answerTo(speaker.request('REGISTER'))).to.deep.include({ status: 200 });
      });
    });
  });

  describe('a panel feed that misbehaves', () => {
    let feed: FeedSocket;

    beforeEach('opens a feed of another zone', async () => {
      const token = await gateway.token('operator', lab.district.operators[0]!.id);
      feed = opened(await openFeed(gateway, { token }));
    });

    it('RTC-10 answers garbage with ERR_FEED_MALFORMED and stays open', async () => {
      await lab.counted('hamrahi_feed_errors_total', { code: 'ERR_FEED_MALFORMED' }, async () => {
        feed.socket.send('{"type":');
        feed.socket.send(Buffer.from([0, 1, 2]));
        feed.socket.send('{"type":"shift.begin","as":"somebody else"}');
        await eventually('three answers', () => (errorsOf(feed).length === 3 ? true : null));
      });
      expect(new Set(errorsOf(feed))).to.deep.equal(new Set(['ERR_FEED_MALFORMED']));
      expect(feed.socket.readyState).to.equal(feed.socket.OPEN);
    });

    it("RTC-10 refuses what it says of somebody else's session", async () => {
      const { legs } = lab.steady.citizen;
      await lab.counted('hamrahi_feed_errors_total', {}, async () => {
        const about = { sessionId: lab.steady.id };
        feed.socket.send(JSON.stringify({ type: 'alert.acknowledge', ...about, kind: 'no-operator' }));
        feed.socket.send(
          JSON.stringify({ type: 'audio.report', ...about, legId: legs[0]!.legId, packets: 9 }),
        );
        await eventually('two answers', () => (errorsOf(feed).length === 2 ? true : null));
      });
      expect(
        feed.messages.some((message) => JSON.stringify(message).includes(lab.steady.citizen.id)),
      ).to.equal(false);
    });

    it('RTC-10 ends a flood with 1008', async () => {
      const end = await lab.counted('hamrahi_feed_closed_total', { reason: 'ERR_FEED_FLOOD' }, () => {
        for (let count = 0; count < 120; count += 1) feed.socket.send('{}');
        return feed.end();
      });
      expect(end).to.deep.equal({ code: 1008, reason: 'ERR_FEED_FLOOD' });
    });

    it('RTC-10 ends a frame of 1 MB with 1009', async () => {
      const end = await lab.counted('hamrahi_feed_closed_total', { reason: 'ERR_FEED_TOO_LARGE' }, () => {
        feed.socket.send('x'.repeat(MEGABYTE));
        return feed.end();
      });
      expect(end.code).to.equal(1009);
    });
  });

  describe('a ticket', () => {
    it('RTC-10 is refused at the feed when it is used or expired', async () => {
      const token = await gateway.token('operator', lab.district.operators[0]!.id);
      const [used, expired] = [await ticket(token, 'feed'), await ticket(token, 'feed')];
      opened(await openFeed(gateway, { ticket: used }));
      for (const shown of [used, expired]) {
        if (shown === expired) await expire();
        const refusal = await lab.counted('hamrahi_http_refused_total', { code: 'ERR_AUTH_TICKET' }, () =>
          openFeed(gateway, { ticket: shown }),
        );
        expect(refusal).to.deep.equal({ status: 401, code: 'ERR_AUTH_TICKET' });
      }
    });

    it('RTC-10 is refused at the edge when it is used, expired or meant for the feed', async () => {
      const citizen = await gateway.citizen();
      const aor = `citizen-${citizen.id}-phone1`;
      lab.endpointsThatStay.add(aor);
      const other = await ticket(await gateway.token('operator', lab.district.operators[0]!.id), 'feed');
      const [used, expired] = [await ticket(citizen.token, 'sip'), await ticket(citizen.token, 'sip')];
      const first = await RawClient.connect({
        url: `${gateway.file.urls.sip}?ticket=${used}`,
        aor,
        headers: {},
      });
      first.terminate();
      expect(await lab.refusalAtEdge(other, aor, 'ticket'), 'meant for the feed').to.deep.include({
        status: 401,
      });
      for (const shown of [used, expired]) {
        if (shown === expired) await expire();
        const refusal = await lab.counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_ADMISSION' }, () =>
          lab.refusalAtEdge(shown, aor, 'ticket'),
        );
        expect(refusal).to.deep.equal({ status: 401, code: 'ERR_AUTH_TICKET' });
      }
    });

    const ticket = async (token: string, purpose: 'sip' | 'feed'): Promise<string> => {
      const { body } = await gateway.send(token, 'POST', '/v1/tickets', {
        body: { purpose, deviceId: 'phone1' },
      });
      return String(body!['ticket']);
    };
    const expire = (): Promise<object[]> =>
      gateway.sql(`UPDATE tickets SET expires_at = now() - interval '1 s'`);
  });

  it('RTC-10 refuses a call from the trunk that nobody expects: 480', async () => {
    const name = 'hamrahi_core_unexpected_calls_total';
    const placed = await lab.counted(name, { source: 'trunk' }, () =>
      gateway.carrier.placeCall({ to: '+911204567890', from: '+919811111100' }),
    );
    expect(placed.finalStatus).to.equal(480);
  });

  it('ends slow senders at the API and at the edge after 5 s', async () => {
    const { api, sip } = gateway.file.urls;
    const slowly = 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ';
    const [http, edge] = await Promise.all([
      lab.counted('hamrahi_http_refused_total', { code: 'ERR_HTTP_TIMEOUT' }, () =>
        dripInto(api, slowly, 500, DRIPPED_MS),
      ),
      lab.counted('hamrahi_edge_refused_total', { code: 'ERR_EDGE_HANDSHAKE' }, () =>
        dripInto(sip, slowly, 500, DRIPPED_MS),
      ),
    ]);
    expect(http.text).to.match(/^HTTP\/1\.1 408 /);
    expect(JSON.parse(bodyOf(http.text))).to.deep.include({ code: 'ERR_HTTP_TIMEOUT' });
    for (const { afterMs } of [http, edge]) expect(afterMs).to.be.within(4_500, 7_000);
  });
});

function opened(feed: FeedSocket | FeedRefusal): FeedSocket {
  if (!('socket' in feed)) throw new Error(`the feed was refused: ${JSON.stringify(feed)}`);
  return feed;
}

function errorsOf({ messages }: FeedSocket): readonly (string | undefined)[] {
  return messages.flatMap((message) => (message.type === 'error' ? [message.code] : []));
}
