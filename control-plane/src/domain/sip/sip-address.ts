/**
 * SIP URIs and the addresses of From, To and Contact (RFC 3261 §19.1, §20.10), read strictly: what is not read to
 * its last byte is no address. `null` means "not one".
 */

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written: escapes are not resolved, so that two spellings never pass for one user. */
  readonly user: string | null;
  /** In lower case; IPv6 with its brackets. */
  readonly host: string;
  readonly port: number | null;
  /** Names in lower case; a parameter without a value has ''. */
  readonly params: ReadonlyMap<string, string>;
  /** Whether it carries `?header=value`, which would end up in a request made from it. */
  readonly hasHeaders: boolean;
}

export interface SipAddress {
  readonly uri: SipUri;
  /** The URI as written. */
  readonly uriText: string;
  /** The header's own parameters (`tag`, `expires`); names in lower case. */
  readonly params: ReadonlyMap<string, string>;
}

const MAX_ADDRESS_LENGTH = 1024;
const MAX_PARAMS = 16;

const URI =
  /^(sips?):(?:([A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,128})@)?([A-Za-z0-9\-.]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?((?:;[A-Za-z0-9[\]/:&+$\-_.!~*'()%=]+)*)(\?[^\s<>"]*)?$/i;
const ESCAPES = /^(?:[^%]|%[0-9A-Fa-f]{2})*$/;
const HOST_NAME =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9\-_]*[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9\-_]*[A-Za-z0-9_])?\.?$/;

/** A `sip:` or `sips:` URI without a password. */
export function parseSipUri(text: string): SipUri | null {
  if (text.length > MAX_ADDRESS_LENGTH || !ESCAPES.test(text)) return null;
  const match = URI.exec(text);
  if (match === null) return null;
  const [, scheme = '', user, host = '', portText, paramText = '', headers] = match;
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  if (!host.startsWith('[') && !HOST_NAME.test(host)) return null;
  const params = parseUriParams(paramText);
  if (params === null) return null;
  return {
    scheme: scheme.toLowerCase() === 'sip' ? 'sip' : 'sips',
    user: user ?? null,
    host: host.toLowerCase(),
    port,
    params,
    hasHeaders: headers !== undefined,
  };
}

function parseUriParams(text: string): ReadonlyMap<string, string> | null {
  const params = new Map<string, string>();
  if (text === '') return params;
  for (const part of text.slice(1).split(';')) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    if (name === '' || params.has(name) || params.size >= MAX_PARAMS) return null;
    params.set(name, equals < 0 ? '' : part.slice(equals + 1));
  }
  return params;
}

const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
const TOKEN = String.raw`[A-Za-z0-9\-.!%*_+` + '`' + String.raw`'~]+`;
const NAME_ADDR = new RegExp(
  String.raw`^(?:(?:${QUOTED}|${TOKEN}(?:[ \t]+${TOKEN})*)?[ \t]*)<([^<>"\s]+)>([ \t]*;.*)?$`,
);
const ADDR_SPEC = /^([^<>"\s;?,]+)([ \t]*;.*)?$/;
const HEADER_PARAM = new RegExp(
  String.raw`^[ \t]*;[ \t]*(${TOKEN})(?:[ \t]*=[ \t]*(${QUOTED}|[A-Za-z0-9\-.!%*_+` +
    '`' +
    String.raw`'~:[\]/]+))?[ \t]*`,
);

/** One address with its parameters: `"Name" <uri>;tag=x`, `Name <uri>`, `<uri>` or a bare URI. */
export function parseSipAddress(text: string): SipAddress | null {
  if (text.length > MAX_ADDRESS_LENGTH) return null;
  const match = NAME_ADDR.exec(text) ?? ADDR_SPEC.exec(text);
  const uriText = match?.[1];
  if (match === null || uriText === undefined) return null;
  const uri = parseSipUri(uriText);
  const params = parseHeaderParams(match[2] ?? '');
  if (uri === null || params === null) return null;
  return { uri, uriText, params };
}

/** `;name=value` parameters of a header, or `null`; each name once. */
export function parseHeaderParams(text: string): ReadonlyMap<string, string> | null {
  const params = new Map<string, string>();
  let rest = text;
  while (rest.trim() !== '') {
    const match = HEADER_PARAM.exec(rest);
    const name = match?.[1]?.toLowerCase();
    if (match === null || name === undefined || params.has(name) || params.size >= MAX_PARAMS) return null;
    params.set(name, match[2] ?? '');
    rest = rest.slice(match[0].length);
  }
  return params;
}
