/**
 * RTC-3 in the signalling: only the citizen's microphone is sent. In every description that passes the edge each
 * audio stream may do no more than its role allows, seen from the one who describes himself:
 *
 * | described by            | may say                 |
 * | the engine, to citizen  | `recvonly`, `inactive`  |
 * | the citizen             | `sendonly`, `inactive`  |
 * | the engine, to operator | `sendonly`, `inactive`  |
 * | the operator            | `recvonly`, `inactive`  |
 *
 * A client that says more is not refused but held to its role: refusing would end a call for help. What would make
 * the stream insecure is refused: no DTLS fingerprint, keys in the SDP, anything but one audio stream; and so are host
 * names where addresses belong, as a slow name server would hold up everybody's calls.
 */
import { attributeOf, parseSdp, renderSdp, type Sdp, type SdpLine, type SdpMedia } from './sdp.ts';
import { type Checked, pass, refuse, type SipRefusalCode } from './refusal-code.ts';

export type Describer = 'engine-to-citizen' | 'citizen' | 'engine-to-operator' | 'operator';

type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

const MAY_SEND: Readonly<Record<Describer, boolean>> = {
  'engine-to-citizen': false,
  citizen: true,
  'engine-to-operator': true,
  operator: false,
};

const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const DTLS_PROTOCOLS = ['UDP/TLS/RTP/SAVPF', 'UDP/TLS/RTP/SAVP'];
/** RFC 8122 §5: the hash function, then upper-case hex bytes; engines and browsers differ in case. */
const FINGERPRINT = /^sha-256[ \t]+((?:[0-9a-f]{2}:){31}[0-9a-f]{2})[ \t]*$/i;
const ALL_ZERO = /^[0:]+$/;
/** RFC 8866 §5.7 without host names and multicast: the engine would wait for the name server in a SIP thread. */
const NUMERIC_ADDRESS = /^IN IP(?:4 \d{1,3}(?:\.\d{1,3}){3}|6 [0-9A-Fa-f:.]{2,45})$/;
/** Opus DTX (RFC 7587 §6.1): silence must still be packets, else it looks like a lost stream. */
const OPUS_DTX = /\busedtx[ \t]*=[ \t]*[^;\s]*/gi;

/** The description as it may be passed on, or why it may not. Unchanged text comes back as the same string. */
export function holdOneWay(text: string, describer: Describer): Checked<string> {
  const sdp = parseSdp(text);
  if (sdp === null) return refuse('ERR_EDGE_SDP_SYNTAX');
  const fault = hasHostName(sdp) ? 'ERR_EDGE_SDP_SYNTAX' : insecurity(sdp);
  if (fault !== null) return refuse(fault);
  const inherited = directionsIn(sdp.session).at(-1) ?? 'sendrecv';
  const session = sdp.session.filter((line) => !isDirection(line));
  const media = sdp.media.map((stream) => holdStream(stream, inherited, MAY_SEND[describer]));
  return pass(renderSdp({ session, media }));
}

/** Also of declined streams: the engine looks at their addresses before their ports. */
function hasHostName(sdp: Sdp): boolean {
  return [sdp.session, ...sdp.media.map(({ lines }) => lines)]
    .flat()
    .some(({ type, value }) => type === 'c' && !NUMERIC_ADDRESS.test(value));
}

function insecurity(sdp: Sdp): SipRefusalCode | null {
  const active = sdp.media.filter((stream) => stream.port !== 0);
  if (active.length !== 1 || active.some((stream) => stream.kind !== 'audio')) return 'ERR_EDGE_SDP_MEDIA';
  const lines = [...sdp.session, ...active.flatMap((stream) => stream.lines)];
  // A k= line and SDES attributes hand out keys to whoever reads the signalling.
  if (lines.some((line) => line.type === 'k' || attributeOf(line)?.name === 'crypto'))
    return 'ERR_EDGE_SDP_CRYPTO';
  if (active.some((stream) => !DTLS_PROTOCOLS.includes(stream.protocol))) return 'ERR_EDGE_SDP_PROTOCOL';
  const prints = lines.map(attributeOf).filter((attribute) => attribute?.name === 'fingerprint');
  if (prints.length === 0 || !prints.every((print) => isFingerprint(print?.value ?? '')))
    return 'ERR_EDGE_SDP_FINGERPRINT';
  return null;
}

function isFingerprint(value: string): boolean {
  const bytes = FINGERPRINT.exec(value)?.[1];
  return bytes !== undefined && !ALL_ZERO.test(bytes);
}

function holdStream(stream: SdpMedia, inherited: Direction, maySend: boolean): SdpMedia {
  const wanted = directionsIn(stream.lines).at(-1) ?? inherited;
  const direction: SdpLine = { type: 'a', value: held(wanted, maySend) };
  const lines: SdpLine[] = [];
  let placed = false;
  for (const line of stream.lines) {
    if (!isDirection(line)) {
      lines.push(withoutDtx(line));
    } else if (!placed) {
      lines.push(direction);
      placed = true;
    }
  }
  if (!placed) lines.push(direction);
  return { ...stream, lines };
}

/** What is left of a direction when its owner may only send, or only receive. */
function held(wanted: Direction, maySend: boolean): Direction {
  if (maySend) return wanted === 'sendrecv' || wanted === 'sendonly' ? 'sendonly' : 'inactive';
  return wanted === 'sendrecv' || wanted === 'recvonly' ? 'recvonly' : 'inactive';
}

function isDirection(line: SdpLine): boolean {
  const attribute = attributeOf(line);
  return attribute !== null && DIRECTIONS.includes(attribute.name);
}

function directionsIn(lines: readonly SdpLine[]): readonly Direction[] {
  return lines.filter(isDirection).map((line) => attributeOf(line)?.name as Direction);
}

function withoutDtx(line: SdpLine): SdpLine {
  if (attributeOf(line)?.name !== 'fmtp') return line;
  return { type: 'a', value: line.value.replace(OPUS_DTX, 'usedtx=0') };
}
