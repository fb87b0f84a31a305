/** A registrar by hand on UDP: it answers each REGISTER, and OPTIONS, as a test likes. */
import { createSocket } from 'node:dgram';

/** Asterisk renews a registration ten seconds before its end. */
const EXPIRES_S = 14;

export interface PlainRegistrar {
  readonly port: number;
  /** Status line of the answer to a REGISTER; `null`: none. */
  answer: string | null;
  readonly registers: number;
  close(): Promise<void>;
}

export async function startPlainRegistrar(host: string): Promise<PlainRegistrar> {
  const socket = createSocket('udp4');
  const state: { answer: string | null; registers: number } = { answer: '200 OK', registers: 0 };
  socket.on('message', (datagram, from) => {
    const text = datagram.toString('latin1');
    const isRegister = text.startsWith('REGISTER ');
    if (isRegister) state.registers += 1;
    const status = isRegister ? state.answer : '200 OK';
    if (status === null || /^SIP\/2\.0/.test(text) || text.startsWith('ACK ')) return;
    const header = (name: string): string => new RegExp(`^${name}:[^\\r]*`, 'mi').exec(text)?.[0] ?? '';
    const contact =
      isRegister && status.startsWith('200') ? [`${header('Contact')};expires=${EXPIRES_S}`] : [];
    const answer = [
      `SIP/2.0 ${status}`,
      ...['Via', 'From', 'Call-ID', 'CSeq'].map(header),
      `${header('To')};tag=registrar`,
      ...contact,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  return {
    port: socket.address().port,
    get answer() {
      return state.answer;
    },
    set answer(status: string | null) {
      state.answer = status;
    },
    get registers() {
      return state.registers;
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
