import { createSocket, type Socket } from 'node:dgram';
import { createToneDetector, type HeardSound } from '../../control-plane/client/headless/tone-detector.ts';
import { LISTEN_TONES_HZ } from '../../control-plane/sandbox/audio/tones.ts';
import { decodeALaw, encodeALaw } from './a-law.ts';

/** A telephone's media: RTP with A-law (payload type 8), a packet of 20 ms. */
export interface RtpPhone {
  readonly port: number;
  sendTo(host: string, port: number): void;
  /** Sends this tone from now on; undefined: no packets at all. */
  play(hz: number | undefined): void;
  /** What arrives now. */
  hears(): HeardSound;
  /** Every tone that has begun to arrive, with performance.now() of its recognition. */
  readonly tones: readonly { hz: number; recognisedAt: number }[];
  readonly packetsReceived: () => number;
  close(): void;
}

const PACKET_SAMPLES = 160;
const PACKET_MS = 20;
const PAYLOAD_TYPE = 8;
const RTP_HEADER_BYTES = 12;

export async function openRtpPhone(host: string): Promise<RtpPhone> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  const detector = createToneDetector({ sampleRateHz: 8_000, candidatesHz: LISTEN_TONES_HZ });
  const tones: { hz: number; recognisedAt: number }[] = [];
  let received = 0;
  socket.on('message', (packet) => {
    if (packet.length <= RTP_HEADER_BYTES || ((packet[1] ?? 0) & 0x7f) !== PAYLOAD_TYPE) return;
    received += 1;
    for (const change of detector.push(decodeALaw(packet.subarray(RTP_HEADER_BYTES))))
      if (change.kind === 'tone') tones.push({ hz: change.hz, recognisedAt: performance.now() });
  });
  const sender = createSender(socket);
  return {
    port: socket.address().port,
    sendTo: sender.sendTo,
    play: sender.play,
    hears: () => detector.current(),
    tones,
    packetsReceived: () => received,
    close() {
      sender.play(undefined);
      socket.close();
    },
  };
}

function createSender(socket: Socket): Pick<RtpPhone, 'sendTo' | 'play'> {
  let target: { host: string; port: number } | undefined;
  let hz: number | undefined;
  let sequence = 0;
  let timer: NodeJS.Timeout | undefined;
  let nextAt = 0;

  const sendDue = (): void => {
    while (hz !== undefined && nextAt <= performance.now()) {
      if (target !== undefined) socket.send(packet(sequence, hz), target.port, target.host);
      sequence += 1;
      nextAt += PACKET_MS;
    }
  };
  return {
    sendTo: (host, port) => {
      target = { host, port };
    },
    play: (wanted) => {
      clearInterval(timer);
      hz = wanted;
      if (wanted === undefined) return;
      nextAt = performance.now();
      timer = setInterval(sendDue, PACKET_MS / 2);
      sendDue();
    },
  };
}

function packet(sequence: number, hz: number): Buffer {
  const first = sequence * PACKET_SAMPLES;
  const samples = Int16Array.from({ length: PACKET_SAMPLES }, (_, at) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * hz * (first + at)) / 8_000)),
  );
  const header = Buffer.alloc(RTP_HEADER_BYTES);
  header[0] = 0x80;
  header[1] = PAYLOAD_TYPE;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(first >>> 0, 4);
  header.writeUInt32BE(0x5309_1112, 8);
  return Buffer.concat([header, encodeALaw(samples)]);
}
