/** RTC-3: only the citizen's microphone is sent, whatever anybody's client says or does. */
import { expect } from 'chai';
import type { Session } from 'sip.js';
import type { IncomingLeg } from '../../control-plane/client/incoming-leg.ts';
import type { SipRecord } from '../../control-plane/client/headless/index.ts';
import type { District } from './support/district.ts';
import { eventually } from './support/eventually.ts';
import { useGateway } from './support/gateway.ts';
import { press, told } from './support/sos.ts';
import { startSipTap, type SipTap } from './support/sip-tap.ts';

const DIRECTION = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/gm;
/** Two seconds of packets. */
const MANY_PACKETS = 100;

describe('e2e: one way', function () {
  this.timeout(30_000);
  let tap: SipTap;
  let district: District;
  const gateway = useGateway(async () => {
    tap = await startSipTap();
    return { env: { HAMRAHI_ENGINE_SIP_WS_URL: tap.url } };
  });
  before(async () => {
    tap.lead(`${gateway.file.ari.url.replace('http', 'ws')}/ws`);
    district = await gateway.district();
  });
  after(() => tap.close());

  /** The directions in what the edge passed to the engine for this client. */
  const passed = (aor: string): string[] =>
    directionsIn(
      tap.messages.filter((one) => one.from === 'edge' && one.aor === aor).map(({ message }) => message),
    );

  it('RTC-3 says so in every message that carries SDP, in each direction of both legs, re-INVITEs included', async () => {
    const operatorId = district.operators[0]!.id;
    const panel = await gateway.panel(operatorId);
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1300 });
    const [hers, his] = [legsOf(citizen.client), legsOf(panel.client)];
    const id = await press(citizen, district.location);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(1300, 10_000)]);
    const aors = { citizen: `citizen-${citizen.id}-phone1`, operator: `operator-${operatorId}-panel1` };

    for (const [leg, aor] of [
      [hers[0]!, aors.citizen],
      [his[0]!, aors.operator],
    ] as const) {
      const before = passed(aor).length;
      await reinvite(leg);
      expect(passed(aor).length, 'the re-INVITE has passed').to.be.above(before);
    }
    const heard = panel.heard()[0]!.packets;
    await eventually('her voice goes on', () => (panel.heard()[0]!.packets > heard + 25 ? true : null));

    // The offer and the answer of the first INVITE, and of the re-INVITE.
    expect(directionsIn(said(citizen.sip, 'received')), 'to her app').to.deep.equal(['recvonly', 'recvonly']);
    expect(directionsIn(said(citizen.sip, 'sent')), 'by her app').to.deep.equal(['sendonly', 'sendonly']);
    expect(passed(aors.citizen), 'passed on for her app').to.deep.equal(['sendonly', 'sendonly']);
    // Asterisk 22 answers a re-INVITE with recvonly by inactive, and goes on sending.
    const toPanel = directionsIn(said(panel.sip, 'received'));
    expect(toPanel[0], 'to the panel').to.equal('sendonly');
    expect(toPanel.slice(1)).to.have.length(1);
    expect(toPanel[1]).to.be.oneOf(['sendonly', 'inactive']);
    expect(directionsIn(said(panel.sip, 'sent')), 'by the panel').to.deep.equal(['recvonly', 'recvonly']);
    expect(passed(aors.operator), 'passed on for the panel').to.deep.equal(['recvonly', 'recvonly']);
    expect(citizen.rtp().packetsReceived).to.equal(0);
    expect(panel.rtp().packetsSent).to.equal(0);
  });

  it('RTC-3 lets nothing of an operator through whose client answers sendrecv and sends in spite of everything', async () => {
    const operatorId = district.operators[0]!.id;
    const panel = await gateway.panel(operatorId, { sendAnywayHz: 1900 });
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1400 });
    const id = await press(citizen, district.location);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(1400, 10_000)]);

    await eventually('both have sent for two seconds', () =>
      [panel, citizen].every((one) => one.rtp().packetsSent >= MANY_PACKETS) ? true : null,
    );

    expect(directionsIn(said(panel.sip, 'sent')), 'the client did try').to.include('sendrecv');
    expect(new Set(passed(`operator-${operatorId}-panel1`))).to.deep.equal(new Set(['recvonly']));
    expect(citizen.rtp().packetsReceived, 'no packet reached her').to.equal(0);
  });

  it('RTC-3 holds both to it when they ask for both directions in a re-INVITE', async () => {
    const operatorId = district.operators[0]!.id;
    const panel = await gateway.panel(operatorId, { sendAnywayHz: 1900 });
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1500 });
    const [hers, his] = [legsOf(citizen.client), legsOf(panel.client)];
    const id = await press(citizen, district.location);
    await Promise.all([told(panel, id, 'sos.active'), panel.tone(1500, 10_000)]);

    for (const leg of [hers[0]!, his[0]!]) {
      askForBothWays(leg);
      await reinvite(leg);
    }
    const [sent, heard] = [panel.rtp().packetsSent, panel.heard()[0]!.packets];
    await eventually('the operator has sent for two seconds more, and heard her', () =>
      panel.rtp().packetsSent >= sent + MANY_PACKETS && panel.heard()[0]!.packets > heard ? true : null,
    );

    for (const { sip } of [citizen, panel])
      expect(directionsIn(said(sip, 'sent')).at(-1), 'the client did ask').to.equal('sendrecv');
    expect(new Set(passed(`citizen-${citizen.id}-phone1`))).to.deep.equal(new Set(['sendonly']));
    expect(new Set(passed(`operator-${operatorId}-panel1`))).to.deep.equal(new Set(['recvonly']));
    expect(directionsIn(said(citizen.sip, 'received')).at(-1)).to.equal('recvonly');
    expect(directionsIn(said(panel.sip, 'received')).at(-1)).to.be.oneOf(['sendonly', 'inactive']);
    expect(citizen.rtp().packetsReceived).to.equal(0);
  });
});

/** The calls of a client from now on. */
function legsOf(client: {
  on(name: 'leg', listener: (leg: IncomingLeg) => void): () => void;
}): IncomingLeg[] {
  const legs: IncomingLeg[] = [];
  client.on('leg', (leg) => legs.push(leg));
  return legs;
}

function said(sip: readonly SipRecord[], direction: SipRecord['direction']): string[] {
  return sip.filter((record) => record.direction === direction).map(({ message }) => message);
}

/** One word for each message with SDP; `none` where one carries SDP and no direction. */
function directionsIn(messages: readonly string[]): string[] {
  return messages
    .filter((message) => /^content-type:\s*application\/sdp/im.test(message))
    .map((message) => [...message.matchAll(DIRECTION)].map(([, word]) => word).join('+') || 'none');
}

/** The client negotiates anew, as after a change of network; resolves when that was accepted. */
async function reinvite(leg: IncomingLeg): Promise<void> {
  const { invitation } = leg as unknown as { readonly invitation: Session };
  await new Promise<void>((resolve, reject) => {
    const refuse = (what: string): void => reject(new Error(`the re-INVITE was ${what}`));
    setTimeout(() => refuse('not answered in time'), 5_000).unref();
    invitation
      .invite({
        requestDelegate: {
          onAccept: () => resolve(),
          onReject: ({ message }) => refuse(`answered ${message.statusCode ?? 0}`),
        },
      })
      .catch(reject);
  });
}

/** From now on this client's descriptions ask to send and to receive. */
function askForBothWays({ media }: IncomingLeg): void {
  if (media === null) throw new Error('the call has no media');
  const describe = media.getDescription.bind(media);
  media.getDescription = async () => {
    const { body, contentType } = await describe();
    return { contentType, body: body.replaceAll(/^a=(sendonly|recvonly)/gm, 'a=sendrecv') };
  };
}
