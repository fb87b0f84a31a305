import { expect } from 'chai';
import { createToneDetector } from '../../../../control-plane/client/headless/tone-detector.ts';
import {
  LISTEN_TONES_HZ,
  PHONE_TONES_HZ,
  phoneToneHz,
} from '../../../../control-plane/sandbox/audio/tones.ts';

const RATE_HZ = 8_000;

function tone(hz: number, ms: number, amplitude = 8_000, rateHz = RATE_HZ): Int16Array {
  return Int16Array.from({ length: (rateHz * ms) / 1000 }, (_, at) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * at) / rateHz)),
  );
}

/** Noise that is the same in every run (a linear congruential generator). */
function noise(ms: number, amplitude = 8_000): Int16Array {
  let state = 12_345;
  return Int16Array.from({ length: (RATE_HZ * ms) / 1000 }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.round(amplitude * ((state / 2_147_483_648) * 2 - 1));
  });
}

function joined(...parts: Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

describe('client/headless/tone-detector', () => {
  const listening = (): ReturnType<typeof createToneDetector> =>
    createToneDetector({ sampleRateHz: RATE_HZ, candidatesHz: LISTEN_TONES_HZ });

  it('names each of the tones it listens for, and its level', () => {
    for (const hz of LISTEN_TONES_HZ) {
      const detector = listening();
      detector.push(tone(hz, 100, 16_384));
      const heard = detector.current();
      expect(heard).to.include({ kind: 'tone', hz });
      expect(heard.levelDbfs).to.be.closeTo(-6.02, 0.2);
    }
  });

  it('is silent at the start, through digital silence and below the threshold', () => {
    const detector = listening();
    expect(detector.current().kind).to.equal('silence');
    detector.push(new Int16Array(800));
    expect(detector.current()).to.deep.equal({ kind: 'silence', levelDbfs: -Infinity, sinceSample: 0 });
    detector.push(tone(620, 100, 50));
    expect(detector.current().kind).to.equal('silence');
  });

  it('takes loud noise, and a tone nobody listens for, for sound and no tone', () => {
    const detector = listening();
    detector.push(noise(200));
    expect(detector.current().kind).to.equal('sound');
    detector.push(tone(2_500, 200));
    expect(detector.current().kind).to.equal('sound');
  });

  it('finds a tone under noise, while the tone holds most of the energy', () => {
    const detector = listening();
    const mixed = tone(940, 200).map((sample, at) => sample + (noise(200, 3_000)[at] ?? 0));
    detector.push(mixed);
    expect(detector.current()).to.include({ kind: 'tone', hz: 940 });
  });

  it('dates the onset to within 20 ms, whatever the size of the pushes', () => {
    const sound = joined(new Int16Array(RATE_HZ * 0.213), tone(1_020, 300), new Int16Array(RATE_HZ * 0.2));
    for (const pushed of [1, 33, 160, 480, sound.length]) {
      const detector = listening();
      const changes = [];
      for (let at = 0; at < sound.length; at += pushed)
        changes.push(...detector.push(sound.subarray(at, at + pushed)));
      expect(changes.map(({ kind }) => kind)).to.deep.equal(
        ['sound', 'tone', 'sound', 'silence'],
        `${pushed}`,
      );
      const onsetMs = ((changes[1]?.sinceSample ?? 0) / RATE_HZ) * 1000;
      expect(onsetMs).to.be.closeTo(213, 20);
    }
  });

  it('says so when one tone gives way to another', () => {
    const detector = listening();
    const changes = detector.push(joined(tone(620, 200), tone(700, 200)));
    expect(
      changes.filter(({ kind }) => kind === 'tone').map((heard) => 'hz' in heard && heard.hz),
    ).to.deep.equal([620, 700]);
  });

  it('works at 48 kHz, as decoded Opus has it', () => {
    const detector = createToneDetector({ sampleRateHz: 48_000, candidatesHz: [1_300, 1_400] });
    detector.push(tone(1_400, 100, 8_000, 48_000));
    expect(detector.current()).to.include({ kind: 'tone', hz: 1_400 });
  });

  it('forgets what it heard on reset, and counts on', () => {
    const detector = listening();
    detector.push(tone(620, 100));
    detector.reset();
    expect(detector.current()).to.include({ kind: 'silence', sinceSample: 800 });
    expect(detector.samples()).to.equal(800);
  });

  it('refuses a candidate above half the sample rate, and an empty window', () => {
    expect(() => createToneDetector({ sampleRateHz: 8_000, candidatesHz: [4_000] })).to.throw(RangeError);
    expect(() => createToneDetector({ sampleRateHz: 8_000, candidatesHz: [440], windowMs: 0.1 })).to.throw(
      RangeError,
    );
  });

  it('gives each number the tone of its third digit from the end', () => {
    expect(phoneToneHz('+919810012000')).to.equal(PHONE_TONES_HZ[0]);
    expect(phoneToneHz('+919810012700')).to.equal(PHONE_TONES_HZ[7]);
    expect(phoneToneHz('+919810012900')).to.equal(PHONE_TONES_HZ[1]);
    expect(() => phoneToneHz('12')).to.throw(RangeError);
  });
});
