/**
 * A session description as lines (RFC 8866), read strictly and written back line by line. Only CRLF ends a line:
 * an engine that also takes a lone LF must not see lines that were not checked.
 */
import { CONTROL_CHARACTER_BUT_TAB } from '../control-characters.ts';

export interface SdpLine {
  /** `v`, `m`, `a`, … */
  readonly type: string;
  readonly value: string;
}

/** An `m=` line and what belongs to it. */
export interface SdpMedia {
  /** `audio`, `video`, … in lower case. */
  readonly kind: string;
  readonly port: number;
  /** `UDP/TLS/RTP/SAVPF`, in upper case. */
  readonly protocol: string;
  /** The `m=` line first. */
  readonly lines: readonly SdpLine[];
}

export interface Sdp {
  readonly session: readonly SdpLine[];
  readonly media: readonly SdpMedia[];
}

const MAX_LINES = 400;
const MAX_MEDIA = 8;
const SESSION_TYPES = 'vosiuepcbtrzka';
const MEDIA_TYPES = 'micbka';
const LINE = /^([a-z])=(.*)$/;
const MEDIA = /^([A-Za-z0-9\-.!%*_+']+) (\d{1,5})(?:\/\d{1,5})? ([A-Za-z0-9\-.!%*_+'/]+)((?: [^ ]+)+)$/;
const ATTRIBUTE = /^([^\s:]+)(?::(.*))?$/;

export function parseSdp(text: string): Sdp | null {
  const texts = text.split('\r\n');
  if (texts.at(-1) === '') texts.pop();
  if (texts.length > MAX_LINES || texts[0] !== 'v=0') return null;
  const session: SdpLine[] = [];
  const media: { head: Omit<SdpMedia, 'lines'>; lines: SdpLine[] }[] = [];
  for (const line of texts) {
    const match = CONTROL_CHARACTER_BUT_TAB.test(line) ? null : LINE.exec(line);
    const [, type, value] = match ?? [];
    if (type === undefined || value === undefined) return null;
    if (type === 'a' && !ATTRIBUTE.test(value)) return null;
    const current = media.at(-1);
    if (type === 'm') {
      const head = parseMediaLine(value);
      if (head === null || media.length >= MAX_MEDIA) return null;
      media.push({ head, lines: [{ type, value }] });
    } else if (!(current === undefined ? SESSION_TYPES : MEDIA_TYPES).includes(type)) {
      return null;
    } else {
      (current?.lines ?? session).push({ type, value });
    }
  }
  return { session, media: media.map(({ head, lines }) => ({ ...head, lines })) };
}

function parseMediaLine(value: string): Omit<SdpMedia, 'lines'> | null {
  const match = MEDIA.exec(value);
  const [, kind, portText, protocol] = match ?? [];
  if (kind === undefined || protocol === undefined) return null;
  const port = Number(portText);
  return port > 65_535 ? null : { kind: kind.toLowerCase(), port, protocol: protocol.toUpperCase() };
}

export function renderSdp(sdp: Sdp): string {
  let text = '';
  for (const { type, value } of sdp.session) text += `${type}=${value}\r\n`;
  for (const { lines } of sdp.media) for (const { type, value } of lines) text += `${type}=${value}\r\n`;
  return text;
}

/** An attribute's name in lower case and its value (`''` without one), or `null` for other lines. */
export function attributeOf(line: SdpLine): { readonly name: string; readonly value: string } | null {
  if (line.type !== 'a') return null;
  const colon = line.value.indexOf(':');
  return colon < 0
    ? { name: line.value.toLowerCase(), value: '' }
    : { name: line.value.slice(0, colon).toLowerCase(), value: line.value.slice(colon + 1) };
}
