/** An SOS whose first carrier fails: the second takes her call, and where none does, a supervisor knows at once (TEL-7). */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { openUdpPeer, type SipPeer } from '../support/sip-peer.ts';
import { callTo, callsTo } from './support/calls.ts';
import { eventually } from './support/eventually.ts';
import { useGateway, type Citizen } from './support/gateway.ts';
import { press, told } from './support/sos.ts';
import type { District } from './support/district.ts';

const NEVER_MS = 60_000;
const NO_MEDIA = { failIce: true, iceTimeoutMs: NEVER_MS } as const;
const ESCALATED_MS = 5000;

interface TryRow {
  readonly try: number;
  readonly trunk: string;
  readonly outcome: string | null;
  readonly sip_status: number | null;
}

describe('e2e: a carrier fails', function () {
  this.timeout(60_000);
  const target = { host: '127.0.0.1', port: 9 };
  let peer: SipPeer;
  const gateway = useGateway(async () => {
    peer = await openUdpPeer('127.0.0.5', target);
    return { moreTrunks: [{ name: 'first', address: peer.host, port: peer.port, priority: 1 }] };
  });
  before(() => {
    target.port = gateway.file.ports.gatewaySip;
    gateway.lingers('first');
  });
  after(() => peer.close());

  const INVITE = ({ start }: SipPeer['requests'][number]) =>
    start.kind === 'request' && start.method === 'INVITE';

  const playFirst = (...statuses: readonly string[]): void => {
    peer.answer = ({ start }) => {
      if (start.kind !== 'request' || start.method === 'ACK') return [];
      return start.method === 'INVITE' ? statuses : ['200 OK'];
    };
  };

  /** Nothing would be tried first of a trunk that has not answered OPTIONS yet. */
  const firstIsUp = () =>
    eventually('the first trunk answers', async () => {
      const endpoints = await gateway.witness.endpoints();
      return endpoints.some(({ name, online }) => name === 'first' && online) ? true : null;
    });

  async function pressed(
    digits: string,
    dutyDigits: string,
  ): Promise<{ id: string; citizen: Citizen; district: District; at: number }> {
    const district = await gateway.district({ operators: [{ phone: dutyDigits }] });
    const citizen = await gateway.armedCitizen(district.location, { ...NO_MEDIA, phone: digits });
    const at = performance.now();
    return { id: await press(citizen, district.location), citizen, district, at };
  }

  /** As soon as so many of them are over: what ends one is written down when it is heard of. */
  const triesOf = (id: string, over: number): Promise<TryRow[]> =>
    eventually(`${over} tries are over`, async () => {
      const tries = await gateway.sql<TryRow>(
        `SELECT try, trunk, outcome, sip_status FROM leg_tries WHERE leg_id = $1 ORDER BY try`,
        [`${id}.citizen-phone.1`],
      );
      return tries.filter(({ outcome }) => outcome !== null).length >= over ? tries : null;
    });

  it('TEL-7 TEL-10 FB-2: a first carrier that refuses costs her nothing that she would notice', async () => {
    playFirst('100 Trying', '503 Service Unavailable');
    await firstIsUp();
    const { id, citizen, at } = await pressed('00', '00');
    const call = await callTo(gateway, citizen.phone);
    expect(performance.now() - at).to.be.below(7000);
    const { fallback } = await gateway.viewWhen(
      id,
      'she has answered',
      ({ phase }) => phase === 'phone-connected',
    );
    expect(fallback?.reason).to.equal('timeout');
    expect(await triesOf(id, 1)).to.deep.equal([
      { try: 1, trunk: 'first', outcome: 'congestion', sip_status: 503 },
      { try: 2, trunk: 'sandbox', outcome: null, sip_status: null },
    ]);
    const [leg] = await gateway.sql<{ trunk: string; carrier_call_id: string }>(
      `SELECT trunk, carrier_call_id FROM legs WHERE id = $1`,
      [`${id}.citizen-phone.1`],
    );
    expect(leg?.trunk).to.equal('sandbox');
    expect(call.from).to.not.equal(undefined);
    expect(await callsTo(gateway, citizen.phone)).to.have.length(1);
  });

  it('TEL-7 FB-6: no carrier takes a call: a supervisor is told within five seconds', async () => {
    playFirst();
    const district = await gateway.district({ operators: [{ phone: '99' }], supervisor: '99' });
    const panel = await gateway.panel(district.supervisor!.id, { role: 'supervisor' });
    const citizen = await gateway.armedCitizen(district.location, { ...NO_MEDIA, phone: '99' });
    const id = await press(citizen, district.location);
    const initiated = await told(panel, id, 'phone-fallback-active');
    const alert = await eventually(
      'the alert',
      () =>
        panel.events.find(
          ({ event }) =>
            event.sessionId === id &&
            event.type === 'sos.alert' &&
            'detail' in event.data &&
            event.data.detail['kind'] === 'trunks-dead',
        ) ?? null,
    );
    expect(alert.at - initiated.at).to.be.below(ESCALATED_MS);
    expect((await triesOf(id, 2)).map(({ trunk, outcome }) => `${trunk} ${outcome}`)).to.have.members([
      'first trunk-unreachable',
      'sandbox trunk-unreachable',
    ]);
  });

  it('TEL-7 FB-2: a core that dies while the first carrier thinks is followed by one that goes on to the second', async () => {
    playFirst('100 Trying');
    await firstIsUp();
    const { id, citizen } = await pressed('00', '00');
    await eventually('the first carrier is asked', () =>
      peer.requests.filter(INVITE).length > 0 ? true : null,
    );
    await gateway.sandbox.controlPlane().kill();
    await delay(200);
    await gateway.sandbox.restartControlPlane();
    await gateway.viewWhen(id, 'she has answered', ({ phase }) => phase === 'phone-connected', 20_000);
    expect(await callsTo(gateway, citizen.phone)).to.have.length(1);
    const tries = await triesOf(id, 1);
    expect(tries.map(({ trunk }) => trunk)).to.deep.equal(['first', 'sandbox']);
  });
});
