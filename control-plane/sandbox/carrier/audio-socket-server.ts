import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { nowMs } from './heard-tones.ts';

/**
 * The ear of the simulated phones: Asterisk's AudioSocket application connects here once a phone has
 * answered, says which call it is, and sends what the phone receives, frame by frame (signed 16-bit,
 * 8 kHz); what is sent back the phone says. Messages are kind (1 byte), length (2, big-endian), payload.
 */
export interface PhoneEar {
  hear(samples: Int16Array, arrivedAtMs: number): void;
  /** Whether the phone says again what it hears (silence while it hears nothing), after its own tone. */
  readonly echoes: boolean;
}

export interface AudioSocketServer {
  /** "host:port", as the dialplan wants it. */
  readonly address: string;
  stop(): Promise<void>;
}

const KIND_HANG_UP = 0x00;
const KIND_ID = 0x01;
const KIND_AUDIO = 0x10;
const HEADER_BYTES = 3;
/** Asterisk gives a connection up after 2 s without any sound, from either side: a busy machine must not come near. */
const KEEP_ALIVE_MS = 400;
const LOOKS_EVERY_MS = 200;
const FRAME_OF_SILENCE = Buffer.concat([Buffer.from([KIND_AUDIO, 320 >> 8, 320 & 0xff]), Buffer.alloc(320)]);

/** `earOf` gives the ear of a call by its id (32 hex digits), or undefined: the connection is then closed. */
export async function startAudioSocketServer(
  host: string,
  earOf: (id: string) => PhoneEar | undefined,
): Promise<AudioSocketServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    listenOn(socket, earOf);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `${host}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listenOn(socket: Socket, earOf: (id: string) => PhoneEar | undefined): void {
  let ear: PhoneEar | undefined;
  let rest = Buffer.alloc(0);
  let saidAtMs = 0;
  const say = (message: Buffer): void => {
    saidAtMs = nowMs();
    socket.write(message);
  };
  const keepAlive = setInterval(() => {
    if (ear?.echoes === true && nowMs() - saidAtMs >= KEEP_ALIVE_MS) say(FRAME_OF_SILENCE);
  }, LOOKS_EVERY_MS);
  socket.on('close', () => clearInterval(keepAlive));
  socket.on('data', (chunk) => {
    const arrivedAtMs = nowMs();
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt16BE(1);
      if (rest.length < end) break;
      const kind = rest[0];
      const message = rest.subarray(0, end);
      const payload = rest.subarray(HEADER_BYTES, end);
      rest = rest.subarray(end);
      if (kind === KIND_ID) ear = earOf(payload.toString('hex'));
      if (kind === KIND_HANG_UP || ear === undefined) {
        socket.destroy();
        return;
      }
      if (kind === KIND_AUDIO) {
        ear.hear(samplesOf(payload), arrivedAtMs);
        if (ear.echoes) say(message);
      }
    }
  });
}

function samplesOf(payload: Buffer): Int16Array {
  const samples = new Int16Array(payload.length >> 1);
  for (let at = 0; at < samples.length; at += 1) samples[at] = payload.readInt16LE(at * 2);
  return samples;
}
