/** A DNS server on loopback that answers what a test says, or nothing (RFC 1035, as little of it as is needed). */
import { createSocket } from 'node:dgram';

const TYPES = { A: 1, AAAA: 28 } as const;
const HEADER_BYTES = 12;
const NO_SUCH_NAME = 3;

export interface NameServer {
  /** `address:port`. */
  readonly address: string;
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** `null`: no answer at all. */
export async function startNameServer(
  answer: (name: string, type: keyof typeof TYPES) => readonly string[] | null,
): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, end } = questionOf(query);
    const type = query.readUInt16BE(end) === TYPES.AAAA ? 'AAAA' : 'A';
    asked.push(`${name} ${type}`);
    const addresses = answer(name, type);
    if (addresses) socket.send(replyTo(query, end + 4, type, addresses), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  return {
    address: `127.0.0.1:${port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function questionOf(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function replyTo(
  query: Buffer,
  questionEnd: number,
  type: keyof typeof TYPES,
  addresses: readonly string[],
): Buffer {
  const head = Buffer.from(query.subarray(0, questionEnd));
  head.writeUInt16BE(0x8180 | (addresses.length === 0 ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const bytes = type === 'A' ? v4Bytes(address) : v6Bytes(address);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(TYPES[type], 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([head, ...records]);
}

function v4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function v6Bytes(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const parts = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((one) => Number.parseInt(one, 16));
  const [head, tail] = [parts(left), parts(right)];
  const words = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 255]));
}
