import { expect } from 'chai';
import { DelayLine } from '../../bench/link/delay-line.ts';
import { packetNames } from '../../bench/link/packet-names.ts';
import { intelligibility } from '../../bench/link/intelligibility.ts';
import { playOut } from '../../bench/link/playout.ts';
import { decoded, spokenPackets } from '../../bench/link/speech.ts';

describe('bench/link/delay-line', () => {
  it('delivers late and in order, whatever the jitter', () => {
    const jitter = [0.9, 0, 0.5];
    const line = new DelayLine({
      delayMs: 40,
      jitterMs: 20,
      loss: () => 0,
      random: () => jitter.shift() ?? 0,
    });
    // each packet asks twice: whether it is lost, and how late it comes
    jitter.splice(0, 3, 0.5, 0.9, 0.5, 0, 0.5, 0.5);
    for (const [index, name] of ['a', 'b', 'c'].entries()) line.take(Buffer.from(name), index);
    expect(line.due(40)).to.deep.equal([]);
    expect(line.nextAt()).to.equal(58);
    expect(line.due(58).map(String)).to.deep.equal(['a', 'b', 'c']);
    expect(line.nextAt()).to.equal(null);
  });

  it('loses its share', () => {
    let place = 0;
    const evenly = (): number => (place = (place + 0.6180339887) % 1);
    const line = new DelayLine({ delayMs: 0, jitterMs: 0, loss: () => 0.02, random: evenly });
    for (let count = 0; count < 1000; count += 1) line.take(Buffer.from('x'), 0);
    expect(1000 - line.due(0).length).to.be.within(10, 30);
  });
});

describe('bench/link/packet-names', () => {
  const ipv4 = (protocol: number, body: Buffer): Buffer => {
    const head = Buffer.alloc(20);
    head[0] = 0x45;
    head[9] = protocol;
    head.writeUInt16BE(20 + body.length, 2);
    return Buffer.concat([head, body]);
  };
  const udp = (...data: Buffer[]): Buffer => ipv4(17, Buffer.concat([Buffer.alloc(8), ...data]));
  const record = (type: number, epoch: number, fragment: Buffer): Buffer => {
    const head = Buffer.alloc(13);
    head[0] = type;
    head.writeUInt16BE(epoch, 3);
    head.writeUInt16BE(fragment.length, 11);
    return Buffer.concat([head, fragment]);
  };
  const message = (type: number, bytes: number): Buffer => {
    const head = Buffer.alloc(12 + bytes);
    head[0] = type;
    head.writeUIntBE(bytes, 9, 3);
    return head;
  };

  it('names every message of a flight, whether each has a record of its own or not', () => {
    const apart = udp(record(22, 0, message(2, 70)), record(22, 0, message(14, 0)));
    const together = udp(record(22, 0, Buffer.concat([message(11, 300), message(16, 66)])));
    expect(packetNames(apart)).to.deep.equal(['dtls', 'server-hello', 'server-hello-done']);
    expect(packetNames(together)).to.deep.equal(['dtls', 'certificate', 'client-key-exchange']);
    expect(packetNames(udp(record(20, 0, Buffer.alloc(1)), record(22, 1, Buffer.alloc(40))))).to.deep.equal([
      'dtls',
      'change-cipher-spec',
      'finished',
    ]);
  });

  it('tells checks of ICE, TCP and voice', () => {
    const stun = (type: number): Buffer => {
      const head = Buffer.alloc(20);
      head.writeUInt16BE(type, 0);
      head.writeUInt32BE(0x2112a442, 4);
      return udp(head);
    };
    const tcp = (flags: number, bytes: number): Buffer => {
      const head = Buffer.alloc(20 + bytes);
      head[12] = 5 << 4;
      head[13] = flags;
      return ipv4(6, head);
    };
    expect([0x0001, 0x0101].map((type) => packetNames(stun(type)))).to.deep.equal([
      ['stun-request'],
      ['stun-answer'],
    ]);
    expect([tcp(2, 0), tcp(16, 0), tcp(24, 100)].map(packetNames)).to.deep.equal([
      ['tcp-syn'],
      ['tcp-ack'],
      ['tcp-data'],
    ]);
    expect(packetNames(udp(Buffer.concat([Buffer.of(0x80, 111), Buffer.alloc(60)])))).to.deep.equal([]);
  });
});

describe('bench/link/playout', () => {
  it('tells what is lost from what is late', () => {
    const arrivals = [0, 1, 3, 4].map((frame) => ({
      frame,
      at: 1_000 + frame * 20 + (frame === 4 ? 150 : 0),
    }));
    const { inTime, lost, late } = playOut(arrivals, 5, 100);
    expect(inTime).to.deep.equal([true, true, false, true, false]);
    expect([lost, late]).to.deep.equal([1, 1]);
  });
});

describe('bench/link/intelligibility', () => {
  it('is 1 of what is whole, high with two lost packets in a hundred, and low where half are missing', async () => {
    const packets = await spokenPackets(2);
    const clean = await decoded(packets);
    const without = async (isLost: (index: number) => boolean): Promise<number> =>
      intelligibility(clean, await decoded(packets.map((packet, index) => (isLost(index) ? null : packet))));
    expect(await without(() => false)).to.be.above(0.999);
    expect(await without((index) => index % 50 === 7)).to.be.within(0.9, 0.999);
    expect(await without((index) => index % 20 < 12)).to.be.below(0.75);
  });
});
