import { expect } from 'chai';
import { audioState } from '../../../control-plane/client/audio-monitor.ts';

describe('control-plane/client/audio-monitor', () => {
  const flowing = { packets: 10, packetsGrewMsAgo: 20, soundMsAgo: 20 };

  it('tells waiting, sound, silence and a lost stream apart', () => {
    expect(audioState({ ...flowing, packets: 0 })).to.equal('waiting');
    expect(audioState(flowing)).to.equal('sound');
    expect(audioState({ ...flowing, soundMsAgo: 3_000 })).to.equal('silence');
    expect(audioState({ ...flowing, packetsGrewMsAgo: 2_000, soundMsAgo: 9_000 })).to.equal('lost');
  });

  it('does not call a short pause silence, nor jitter a loss', () => {
    expect(audioState({ ...flowing, soundMsAgo: 2_900 })).to.equal('sound');
    expect(audioState({ ...flowing, packetsGrewMsAgo: 1_900 })).to.equal('sound');
  });
});
