/** The level of a track in a page (Web Audio): what moves the meters. */

export interface LevelMeter {
  /** RMS of the last 43 ms in dBFS: 0 is full scale, digital silence −Infinity. */
  levelDb(): number;
  stop(): void;
}

const WINDOW_SAMPLES = 2048;

/** `context` must be running: browsers start one only after a click. The track is measured, not played. */
export function createLevelMeter(context: AudioContext, track: MediaStreamTrack): LevelMeter {
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = WINDOW_SAMPLES;
  source.connect(analyser);
  const samples = new Float32Array(WINDOW_SAMPLES);
  return {
    levelDb() {
      analyser.getFloatTimeDomainData(samples);
      let power = 0;
      for (const sample of samples) power += sample * sample;
      return 10 * Math.log10(power / WINDOW_SAMPLES);
    },
    stop() {
      source.disconnect();
      analyser.disconnect();
    },
  };
}
