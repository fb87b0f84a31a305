import { expect } from 'chai';
import { createDecoder } from 'libopus-wasm';
import { markableLoop, readMark, writeMark } from '../../support/plain/marked-voice.ts';

describe('support/plain/marked-voice', () => {
  it('marks packets that decode to the same sound as before', async () => {
    const [packet] = await markableLoop(1000);
    const decoder = await createDecoder({ channels: 1, sampleRate: 16_000 });
    const before = [...decoder.decode(packet!)];
    decoder.free();
    writeMark(packet!, { speaker: 7, number: 99, sentAt: 1234.5 });
    expect(readMark(packet!)).to.deep.equal({ speaker: 7, number: 99, sentAt: 1234.5 });
    const again = await createDecoder({ channels: 1, sampleRate: 16_000 });
    expect([...again.decode(packet!)]).to.deep.equal(before);
    again.free();
  });

  it('finds no mark in what bears none', () => {
    expect(readMark(Buffer.alloc(60))).to.equal(null);
    expect(readMark(Buffer.alloc(3))).to.equal(null);
  });
});
