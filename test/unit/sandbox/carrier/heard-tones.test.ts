import { expect } from 'chai';
import {
  createHeardTones,
  nowMs,
  type HeardTones,
} from '../../../../control-plane/sandbox/carrier/heard-tones.ts';

const FRAME_SAMPLES = 160;

/** A stream of 20 ms frames; each call goes on where the last one ended. */
function listening(startMs: number): {
  ear: HeardTones;
  hear: (hz: number, ms: number) => void;
  gap: (ms: number) => void;
  changes: () => number;
} {
  let changed = 0;
  let clockMs = startMs;
  let sample = 0;
  const ear = createHeardTones(() => {
    changed += 1;
  });
  return {
    ear,
    changes: () => changed,
    gap: (ms) => {
      clockMs += ms;
    },
    hear: (hz, ms) => {
      for (let passedMs = 0; passedMs < ms; passedMs += 20) {
        const frame = Int16Array.from({ length: FRAME_SAMPLES }, (_, at) =>
          hz === 0 ? 0 : 8_000 * Math.sin((2 * Math.PI * hz * (sample + at)) / 8_000),
        );
        sample += FRAME_SAMPLES;
        clockMs += 20;
        ear.push(frame, clockMs);
      }
    },
  };
}

describe('sandbox/carrier/heard-tones', () => {
  it('dates each tone’s begin and end to within 20 ms', () => {
    const { ear, hear } = listening(100_000);
    hear(0, 500);
    hear(1_300, 300);
    hear(1_500, 200);
    hear(0, 100);
    const tones = ear.tones();
    expect(tones.map(({ hz }) => hz)).to.deep.equal([1_300, 1_500]);
    expect(tones[0]?.fromMs).to.be.closeTo(100_500, 20);
    expect(tones[0]?.toMs).to.be.closeTo(100_800, 20);
    expect(tones[1]?.fromMs).to.be.closeTo(100_800, 20);
    expect(tones[1]?.toMs).to.be.closeTo(101_000, 20);
    for (const { levelDbfs } of tones) expect(levelDbfs).to.be.closeTo(-12.2, 0.3);
  });

  it('leaves a tone open while it sounds', () => {
    const { ear, hear, changes } = listening(nowMs() - 200);
    hear(440, 200);
    expect(ear.tones()).to.have.length(1);
    expect(ear.tones()[0]?.toMs).to.equal(null);
    expect(changes()).to.equal(1);
  });

  it('ends a tone whose packets stop coming, though nothing tells so', () => {
    const { ear, hear } = listening(100_000);
    hear(440, 200);
    expect(ear.tones()[0]?.toMs).to.equal(100_200);
  });

  it('hears two tones when a second one comes after a gap, and one when it is a lost packet', () => {
    const { ear, hear, gap } = listening(100_000);
    hear(440, 200);
    gap(60);
    hear(440, 200);
    expect(ear.tones()).to.have.length(1);
    gap(1_000);
    hear(440, 200);
    expect(ear.tones()).to.have.length(2);
    expect(ear.tones()[0]?.toMs).to.be.closeTo(100_460, 20);
    expect(ear.tones()[1]?.fromMs).to.be.closeTo(101_460, 20);
  });

  it('keeps the latest 64 tones', () => {
    const { ear, hear } = listening(100_000);
    for (let turn = 0; turn < 70; turn += 1) hear(turn % 2 === 0 ? 440 : 1_000, 200);
    expect(ear.tones()).to.have.length(64);
    expect(ear.audio().frames).to.equal(700);
  });

  it('says nothing of a level before there is sound', () => {
    const { ear } = listening(100_000);
    expect(ear.audio()).to.deep.equal({ frames: 0, firstAt: null, lastAt: null, levelDbfs: null });
  });
});
