import { expect } from 'chai';
import type { GatewayEngine } from '../../../../control-plane/sandbox/gateway-engine.ts';
import { sandboxTrunk, startTestEngine } from '../../../support/gateway-engine.ts';
import { SIP_DOMAIN, startEdgeLab, type EdgeLab } from './edge-lab.ts';
import { liveChannels } from './engine-calls.ts';
import { headerOf, statusOf, type RawClient } from './raw-client.ts';

const AOR = 'citizen-c1-d1';
const VICTIM = 'citizen-c2-d1';

describe('adapters/edge: what a client may send', function () {
  this.timeout(20_000);
  let engine: GatewayEngine;
  let lab: EdgeLab;
  let client: RawClient;
  let victim: RawClient;

  before(async () => (engine = await startTestEngine({ trunks: [sandboxTrunk(9)] })));
  beforeEach(async () => {
    lab = await startEdgeLab(engine, {
      limits: {
        messagesPerSecond: 5,
        messageBurst: 30,
        maxMalformed: 5,
        pingIntervalMs: 400,
        firstMessageDeadlineMs: 1_000,
      },
    });
    client = await lab.connect(AOR);
    victim = await lab.connect(VICTIM);
    expect(statusOf(await client.register())).to.equal(200);
    expect(statusOf(await victim.register())).to.equal(200);
  });
  afterEach(async () => {
    // Nobody else's socket is touched by what one client does.
    expect(victim.closed).to.equal(null);
    expect(await liveChannels(engine)).to.deep.equal([]);
    await lab.stop();
  });
  after(() => engine.stop());

  const refusedWith = async (text: string, status: number, code: string): Promise<void> => {
    client.send(text);
    const answer = await client.response();
    expect([statusOf(answer), headerOf(answer, 'X-Hamrahi-Code')]).to.deep.equal([status, code]);
    expect(lab.witness.refused).to.deep.equal([code]);
    expect(lab.witness.lines.at(-1)).to.deep.include({
      message: 'edge refused',
      fields: { code, side: 'client', aor: AOR },
    });
  };
  const other = `<sip:${VICTIM}@${SIP_DOMAIN}>`;

  it("RTC-10: refuses a registration as someone else's address of record, which stays where it was", async () => {
    await refusedWith(client.outOfDialog('REGISTER', { from: other, to: other }), 403, 'ERR_EDGE_IDENTITY');
    const { contactUser } = victim;
    expect(headerOf(await victim.register(), 'Contact')).to.include(contactUser);
  });

  it("RTC-10: refuses to take someone else's registration back", () =>
    refusedWith(
      client.outOfDialog('REGISTER', { from: other, to: other, contact: '*', headers: ['Expires: 0'] }),
      403,
      'ERR_EDGE_IDENTITY',
    ));

  for (const [method, status] of [
    ['INVITE', 403],
    ['MESSAGE', 405],
    ['SUBSCRIBE', 405],
    ['PUBLISH', 405],
    ['NOTIFY', 405],
    ['REFER', 405],
    ['INFO', 405],
    ['UPDATE', 405],
    ['PRACK', 405],
    ['FOO', 405],
  ] as const)
    it(`RTC-10: refuses ${method} with ${status}`, () =>
      refusedWith(
        client.outOfDialog(method, { uri: `sip:${VICTIM}@${SIP_DOMAIN}` }),
        status,
        'ERR_EDGE_METHOD',
      ));

  it('RTC-10: refuses BYE and CANCEL for a call that is not its own with 481', async () => {
    await refusedWith(client.outOfDialog('BYE'), 481, 'ERR_EDGE_DIALOG');
  });

  it('answers OPTIONS and keep-alives itself', async () => {
    client.send(client.outOfDialog('OPTIONS'));
    expect(statusOf(await client.response())).to.equal(200);
    client.send('\r\n\r\n');
    expect(await client.take((text) => text === '\r\n')).to.equal('\r\n');
  });

  it('closes with 1009 on a frame of 1 MB', async () => {
    client.send('a'.repeat(1_048_576));
    expect((await client.end()).code).to.equal(1009);
    expect(lab.witness.refused).to.deep.equal(['ERR_EDGE_FRAME_SIZE']);
  });

  it('closes with 1009 on 1 MB in small fragments', async () => {
    const piece = 'a'.repeat(8_000);
    for (let index = 0; index < 131 && client.closed === null; index += 1)
      client.socket.send(piece, { fin: false });
    expect((await client.end()).code).to.equal(1009);
  });

  it('closes with 4008 on a flood', async () => {
    for (let index = 0; index < 60; index += 1) client.send(client.outOfDialog('OPTIONS'));
    expect(await client.end()).to.deep.equal({ code: 4008, reason: 'ERR_EDGE_FLOOD' });
    expect(lab.witness.refused).to.deep.equal(['ERR_EDGE_FLOOD']);
  });

  it('closes with 4008 on a flood of keep-alives', async () => {
    for (let index = 0; index < 60; index += 1) client.send('\r\n\r\n');
    expect((await client.end()).code).to.equal(4008);
  });

  it('closes with 4008 on a flood of pings', async () => {
    for (let index = 0; index < 60; index += 1) client.socket.ping();
    expect((await client.end()).code).to.equal(4008);
  });

  it('closes with 4002 on message after message that is no SIP, and says each time why', async () => {
    for (const text of [
      'noise',
      '\0',
      'GET / HTTP/1.1\r\n\r\n',
      '{"json":true}',
      ' ',
      '\r\n\r\n\r\n\r\n',
      'SIP/2.0',
    ])
      client.send(text);
    expect(await client.end()).to.deep.equal({ code: 4002, reason: 'ERR_EDGE_MALFORMED' });
    expect(lab.witness.refused).to.deep.equal([
      ...Array.from({ length: 6 }, () => 'ERR_EDGE_SIP_SYNTAX'),
      'ERR_EDGE_MALFORMED',
    ]);
  });

  it('lets a client go on after one damaged message', async () => {
    client.send(`${client.outOfDialog('REGISTER')}surplus`);
    const answer = await client.response();
    expect([statusOf(answer), headerOf(answer, 'X-Hamrahi-Code')]).to.deep.equal([
      400,
      'ERR_EDGE_SIP_LENGTH',
    ]);
    expect(statusOf(await client.register())).to.equal(200);
  });

  it('takes SIP in binary frames too, and refuses binary that is no UTF-8', async () => {
    client.socket.send(Buffer.from(client.outOfDialog('REGISTER')));
    expect(statusOf(await client.response())).to.equal(200);
    client.socket.send(Buffer.from([0xff, 0xfe, 0xfd]));
    expect(statusOf(await client.register())).to.equal(200);
    expect(lab.witness.refused).to.deep.equal(['ERR_EDGE_FRAME']);
  });

  it('closes with 4004 when a socket says nothing useful', async () => {
    const idle = await lab.connect('citizen-c3-d1');
    expect(await idle.end()).to.deep.equal({ code: 4004, reason: 'ERR_EDGE_SILENT' });
  });

  it('finds a dead connection within two ping intervals', async () => {
    const started = performance.now();
    // It answers no ping any more, as a phone whose network is gone.
    client.socket.pause();
    await lab.untilNotice('lost', AOR);
    expect(performance.now() - started).to.be.within(300, 4_000);
    expect(lab.witness.refused).to.deep.equal(['ERR_EDGE_DEAD']);
  });

  it('RTC-10: writes nothing of a message into its log', async () => {
    client.send(client.outOfDialog('MESSAGE', { headers: ['X-Secret: very-secret'], body: 'very-secret' }));
    await client.response();
    expect(JSON.stringify(lab.witness.lines)).to.not.include('very-secret');
  });
});
