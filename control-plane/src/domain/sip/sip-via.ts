/** Via headers (RFC 3261 §20.42, RFC 7118 §5.1). */
import { parseHeaderParams } from './sip-address.ts';

export interface SipVia {
  /** `WS`, `WSS`, `UDP`, in upper case. */
  readonly transport: string;
  readonly branch: string | null;
  readonly params: ReadonlyMap<string, string>;
}

const VIA =
  /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([A-Za-z0-9-]{1,16})[ \t]+([A-Za-z0-9\-._]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?:[ \t]*:[ \t]*\d{1,5})?([ \t]*;.*)?$/i;
const BRANCH = /^[A-Za-z0-9\-.!%*_+`'~]{1,128}$/;

/** One Via value; a comma-separated list is not read (`null`). */
export function parseSipVia(text: string): SipVia | null {
  const match = VIA.exec(text);
  const transport = match?.[1];
  if (match === null || transport === undefined) return null;
  const params = parseHeaderParams(match[3] ?? '');
  if (params === null) return null;
  const branch = params.get('branch') ?? null;
  if (branch !== null && !BRANCH.test(branch)) return null;
  return { transport: transport.toUpperCase(), branch, params };
}
