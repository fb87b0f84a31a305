import { expect } from 'chai';
import { MediaStreamTrack } from 'werift';
import { ToneListener } from '../../../../control-plane/client/headless/tone-listener.ts';
import { createToneTrack, opusLoop } from '../../../../control-plane/client/headless/tone-track.ts';

const FRAME_MS = 20;

/** Plays a tone's loop into an ear directly, for about this long; `playedMs` is how long it was. */
async function hear(hz: number, forMs: number): Promise<{ ear: ToneListener; playedMs: number }> {
  const source = createToneTrack(await opusLoop(hz));
  const arriving = new MediaStreamTrack({ kind: 'audio', remote: true });
  const ear = new ToneListener({ track: arriving, candidatesHz: [1300, 1400, 1500] });
  source.onReceiveRtp.subscribe((packet) => arriving.onReceiveRtp.execute(packet));
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, forMs));
  source.stop();
  ear.stop();
  return { ear, playedMs: performance.now() - begun };
}

describe('client/headless: a tone and an ear', () => {
  it('sends 50 packets a second, in which the tone is recognised and no other', async () => {
    const { ear, playedMs } = await hear(1400, 600);
    expect(ear.packets).to.be.within(24, playedMs / FRAME_MS + 4);
    expect([...new Set(ear.tones.map(({ hz }) => hz))]).to.deep.equal([1400]);
  });

  it('sends packets of digital silence when asked to', async () => {
    const { ear } = await hear(0, 300);
    expect(ear.packets).to.be.above(8);
    expect(ear.tones).to.deep.equal([]);
    expect(ear.levelDb()).to.be.below(-65);
  });
});
