/**
 * The oracle of the SIP fuzz tests: what is wrong with a frame that the edge hands to the engine in a client's name. It
 * reads SIP for itself, with nothing of the edge's own code, and it is strict: whatever an engine could read in two ways
 * is wrong.
 */
export interface Client {
  readonly aor: string;
  readonly role: 'citizen' | 'operator';
  readonly sipDomain: string;
  /** Calls that the engine has offered to this client. */
  readonly callIds: ReadonlySet<string>;
}

const METHODS = ['REGISTER', 'INVITE', 'ACK', 'BYE', 'CANCEL', 'UPDATE', 'PRACK'];
const ONCE = ['from', 'to', 'call-id', 'cseq', 'via', 'content-length'];
const COMPACT: Readonly<Record<string, string>> = {
  f: 'from',
  t: 'to',
  i: 'call-id',
  v: 'via',
  l: 'content-length',
  m: 'contact',
  c: 'content-type',
  e: 'content-encoding',
  r: 'refer-to',
  b: 'referred-by',
};
/** Headers by which an engine would follow, trust or reroute somebody. The code of a refusal is the edge's own. */
const DANGEROUS =
  /^(route|record-route|path|service-route|replaces|join|target-dialog|refer-to|referred-by|authorization|proxy-.*|www-.*|p-.*|diversion|history-info|remote-party-id|privacy|geolocation.*|identity.*|content-encoding|alert-info|call-info|subject|organization|x-(?!hamrahi-code$).*)$/;

/** What is wrong with it; empty when it may pass. */
export function faultsOf(frame: string, client: Client): string[] {
  const end = frame.indexOf('\r\n\r\n');
  if (end < 0) return ['no end of headers'];
  const [head, body] = [frame.slice(0, end), frame.slice(end + 4)];
  const faults: string[] = [];
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/.test(head)) faults.push('control characters');
  const [start = '', ...lines] = head.split('\r\n');
  const headers = lines.map(headerOf);
  if (headers.includes(null)) faults.push('a line that is no header');
  const values = (name: string): string[] =>
    headers.flatMap((header) => (header?.name === name ? [header.value] : []));
  for (const name of ONCE)
    if (values(name).length !== 1) faults.push(`${name}: ${values(name).length} of them`);
  if (values('content-length')[0] !== String(body.length)) faults.push('content-length');
  for (const header of headers)
    if (header && DANGEROUS.test(header.name)) faults.push(`header ${header.name}`);
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(start);
  if (request) faults.push(...requestFaults(request[1]!, request[2]!, values, client));
  else if (!/^SIP\/2\.0 [1-6]\d\d /.test(start)) faults.push('start line');
  else if (/^SIP\/2\.0 3/.test(start)) faults.push('a redirection');
  if (!request && !client.callIds.has(values('call-id')[0] ?? ''))
    faults.push('a response to no request of the engine');
  faults.push(...contactFaults(values('contact')), ...bodyFaults(body, client));
  return faults;
}

function headerOf(line: string): { name: string; value: string } | null {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).trimEnd().toLowerCase();
  if (colon < 1 || !/^[a-z0-9\-.!%*_+`'~]+$/.test(name)) return null;
  return { name: COMPACT[name] ?? name, value: line.slice(colon + 1).trim() };
}

function requestFaults(
  method: string,
  uri: string,
  values: (name: string) => string[],
  client: Client,
): string[] {
  const faults: string[] = [];
  if (!METHODS.includes(method)) faults.push(`method ${method}`);
  if (values('cseq')[0]?.split(/\s+/)[1] !== method) faults.push('cseq');
  const own = `<sip:${client.aor}@${client.sipDomain}>`;
  if (method === 'REGISTER') {
    if (uri !== `sip:${client.sipDomain}`) faults.push('where it registers');
    // A display name means nothing to the engine; the address does.
    const address = (value = ''): string =>
      value
        .slice(value.lastIndexOf('<'))
        .replace(/;[^<>]*$/, '')
        .trim();
    for (const name of ['from', 'to'])
      if (address(values(name)[0]).toLowerCase() !== own.toLowerCase() && !bare(values(name)[0], client))
        faults.push(`${name} is somebody else`);
  } else if (!client.callIds.has(values('call-id')[0] ?? '')) faults.push('a call that it was never offered');
  return faults;
}

/** An address without angle brackets: its parameters are the header's (RFC 3261 §20). */
function bare(value: string | undefined, client: Client): boolean {
  return !value?.includes('<') && value?.split(';')[0]?.trim() === `sip:${client.aor}@${client.sipDomain}`;
}

function contactFaults(contacts: readonly string[]): string[] {
  if (contacts.length > 1) return ['several contacts'];
  return contacts.some((contact) => /maddr|transport=(?!wss?\b)|<[^>]*\?/i.test(contact)) ? ['contact'] : [];
}

/** Where voice may go: a citizen's end only sends, an operator's only receives. */
function bodyFaults(body: string, { role }: Client): string[] {
  if (body === '') return [];
  const faults: string[] = [];
  const forbidden = role === 'citizen' ? /^a=(sendrecv|recvonly)\r?$/im : /^a=(sendrecv|sendonly)\r?$/im;
  if (forbidden.test(body)) faults.push('direction');
  const media = [...body.matchAll(/^m=(\S+) (\S+) (\S+)/gim)];
  if (
    media.some(
      ([, kind, port, protocol]) => kind !== 'audio' || (port !== '0' && protocol !== 'UDP/TLS/RTP/SAVPF'),
    )
  )
    faults.push('media');
  if (media.some(([, , port]) => port !== '0') && !/^a=fingerprint:sha-256 /im.test(body))
    faults.push('no fingerprint');
  if (media.some(([, , port]) => port !== '0') && !/^a=(sendonly|recvonly|inactive)\r?$/im.test(body))
    faults.push('no direction: both');
  if (/^a=crypto:/im.test(body)) faults.push('keys in the SDP');
  return faults;
}
