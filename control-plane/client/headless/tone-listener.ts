/** An ear: decodes what arrives on a track and tells which known tones are in it, and since when. */
import { createDecoder, type OpusDecoderHandle } from 'libopus-wasm';
import type { MediaStreamTrack, RtpPacket } from 'werift';
import { createToneDetector, type HeardSound, type ToneDetector } from './tone-detector.ts';
/** Far above twice the highest tone of ours, and three times cheaper to decode and to judge than 48 kHz. */
const SAMPLE_RATE_HZ = 16_000;

export interface RecognisedTone {
  readonly hz: number;
  /** performance.timeOrigin + performance.now(): comparable with Date.now(), to the fraction of a millisecond. */
  readonly at: number;
}

export interface ToneListenerOptions {
  readonly track: MediaStreamTrack;
  readonly candidatesHz: readonly number[];
  readonly onTone?: (tone: RecognisedTone) => void;
}

/** Wall-clock milliseconds with a fraction. */
export function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}

const decoders = createDecoderPool();

export class ToneListener {
  private readonly options: ToneListenerOptions;
  private readonly detector: ToneDetector;
  private readonly subscription: { unSubscribe: () => void };
  private decoder: OpusDecoderHandle | null = null;
  private stopped = false;
  readonly tones: RecognisedTone[] = [];
  packets = 0;
  firstPacketAt: number | null = null;

  constructor(options: ToneListenerOptions) {
    this.options = options;
    this.detector = createToneDetector({ sampleRateHz: SAMPLE_RATE_HZ, candidatesHz: options.candidatesHz });
    this.subscription = options.track.onReceiveRtp.subscribe((packet) => this.receive(packet));
    void decoders.take().then((decoder) => {
      if (this.stopped) decoders.giveBack(decoder);
      else this.decoder = decoder;
    });
  }

  current(): HeardSound {
    return this.detector.current();
  }

  levelDb(): number | null {
    return this.packets === 0 ? null : this.detector.current().levelDbfs;
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.subscription.unSubscribe();
    if (this.decoder !== null) decoders.giveBack(this.decoder);
    this.decoder = null;
  }

  private receive(packet: RtpPacket): void {
    this.packets += 1;
    this.firstPacketAt ??= wallClockMs();
    if (this.decoder === null || packet.payload.length === 0) return;
    for (const heard of this.detector.push(this.decoder.decode(packet.payload))) {
      if (heard.kind !== 'tone') continue;
      const tone = { hz: heard.hz, at: wallClockMs() };
      this.tones.push(tone);
      this.options.onTone?.(tone);
    }
  }
}

/** Decoders are kept for the next call: their memory belongs to one WebAssembly heap that never shrinks. */
function createDecoderPool(): {
  take(): Promise<OpusDecoderHandle>;
  giveBack(decoder: OpusDecoderHandle): void;
} {
  const idle: OpusDecoderHandle[] = [];
  return {
    async take() {
      return idle.pop() ?? (await createDecoder({ channels: 1, sampleRate: SAMPLE_RATE_HZ }));
    },
    giveBack: (decoder) => idle.push(decoder),
  };
}
