/** The header section of a SIP message: lines, folding and compact names (RFC 3261 §7.3, §20). */
import { CONTROL_CHARACTER_BUT_TAB } from '../control-characters.ts';
import { type Checked, pass, refuse } from './refusal-code.ts';

export interface SipHeader {
  /** Lower case, long form: the name to look it up by. */
  readonly key: string;
  /** As the sender wrote it. */
  readonly name: string;
  /** Unfolded and trimmed. */
  readonly value: string;
}

const MAX_HEADERS = 64;
const MAX_HEADER_LENGTH = 4096;

/** RFC 3261 §20, with RFC 3515, 3892, 3265, 4028, 3841 and 8224 for those that are not in the table there. */
const COMPACT_NAMES: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** Headers that may stand once; a second one could be read by the engine in place of the one that was checked. */
const SINGLE = new Set([
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'expires',
  'mime-version',
  'session-expires',
  'min-se',
  'rack',
  'rseq',
  'x-hamrahi-leg',
]);

const HEADER_LINE = /^([A-Za-z0-9\-.!%*_+`'~]{1,64})[ \t]*:[ \t]*(.*)$/;

/** Splits and unfolds header lines, already cut at CRLF. A lone CR, LF or other control character is refused. */
export function parseSipHeaders(lines: readonly string[]): Checked<readonly SipHeader[]> {
  const unfolded: string[] = [];
  for (const line of lines) {
    if (CONTROL_CHARACTER_BUT_TAB.test(line)) return refuse('ERR_EDGE_SIP_SYNTAX');
    const last = unfolded.length - 1;
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const before = unfolded[last];
      if (before === undefined || line.trim() === '') return refuse('ERR_EDGE_SIP_SYNTAX');
      unfolded[last] = `${before.trimEnd()} ${line.trim()}`;
    } else {
      unfolded.push(line);
    }
  }
  if (unfolded.length > MAX_HEADERS) return refuse('ERR_EDGE_SIP_SYNTAX');
  const headers: SipHeader[] = [];
  for (const line of unfolded) {
    const match = line.length > MAX_HEADER_LENGTH ? null : HEADER_LINE.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined) return refuse('ERR_EDGE_SIP_SYNTAX');
    headers.push({ key: headerKey(name), name, value: (match[2] ?? '').trimEnd() });
  }
  return pass(headers);
}

/** The lower-case long form of a header's name. */
export function headerKey(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT_NAMES.get(lower) ?? lower;
}

/** Whether a header that may stand once stands twice. */
export function hasDuplicates(headers: readonly SipHeader[]): boolean {
  const seen = new Set<string>();
  for (const { key } of headers) {
    if (!SINGLE.has(key)) continue;
    if (seen.has(key)) return true;
    seen.add(key);
  }
  return false;
}

/** The first value of a header, or `null`. */
export function headerValue(headers: readonly SipHeader[], key: string): string | null {
  for (const header of headers) if (header.key === key) return header.value;
  return null;
}

export function headerValues(headers: readonly SipHeader[], key: string): readonly string[] {
  return headers.filter((header) => header.key === key).map((header) => header.value);
}
