/**
 * The torture messages of RFC 4475, as far as they can reach an edge: each of its oddities put into a message that this
 * client may send (its REGISTER, an answer or a BYE in its call), so that nothing but the oddity decides. What the RFC
 * calls valid must pass, where a client of ours could mean it; what it calls broken must not.
 */
const AOR = 'citizen-c1-d1';
const DOMAIN = 'sip.test';
const OWN = `<sip:${AOR}@${DOMAIN}>`;

export interface Torture {
  /** Section of RFC 4475. */
  readonly section: string;
  readonly what: string;
  /** Bytes as a byte string. */
  readonly frame: string;
  /** The code it is refused with; `null`: it reaches the engine. */
  readonly refused: string | null;
}

interface Parts {
  readonly start?: string;
  readonly via?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: string;
  readonly contact?: string;
  readonly more?: readonly string[];
  readonly without?: readonly string[];
  readonly body?: string;
  readonly length?: string;
}

function frame(parts: Required<Pick<Parts, 'start' | 'from' | 'to' | 'callId' | 'cseq'>> & Parts): string {
  const { body = '', without = [] } = parts;
  const lines = [
    `Via: ${parts.via ?? 'SIP/2.0/WSS client.invalid;branch=z9hG4bKtorture'}`,
    `From: ${parts.from}`,
    `To: ${parts.to}`,
    `Call-ID: ${parts.callId}`,
    `CSeq: ${parts.cseq}`,
    `Contact: ${parts.contact ?? '<sip:u1@client.invalid;transport=ws>'}`,
    ...(parts.more ?? []),
    `Content-Length: ${parts.length ?? body.length}`,
  ].filter((line) => !without.some((name) => line.startsWith(`${name}:`)));
  return [parts.start, ...lines, '', body].join('\r\n');
}

const register = (parts: Parts = {}): string =>
  frame({
    start: `REGISTER sip:${DOMAIN} SIP/2.0`,
    from: `${OWN};tag=reg`,
    to: OWN,
    callId: 'register-1',
    cseq: '1 REGISTER',
    ...parts,
  });
const bye = (parts: Parts = {}): string =>
  frame({
    start: 'BYE sip:anonymous@127.0.0.1:5060;transport=ws SIP/2.0',
    from: '<sip:u1@127.0.0.1>;tag=client-tag',
    to: '"Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=engine-tag',
    callId: 'call-1',
    cseq: '5 BYE',
    ...parts,
  });
/** An answer to the engine's INVITE. */
const answer = (start: string, parts: Parts = {}): string =>
  frame({
    start,
    via: 'SIP/2.0/WS 127.0.0.1:8088;rport;branch=z9hG4bKe-INVITE;alias',
    from: '"Ham Rahi" <sip:anonymous@anonymous.invalid>;tag=engine-tag',
    to: '<sip:u1@127.0.0.1>;tag=client-tag',
    callId: 'call-1',
    cseq: '100 INVITE',
    ...parts,
  });

const passed = (section: string, what: string, text: string): Torture => ({
  section,
  what,
  frame: text,
  refused: null,
});
const broken = (section: string, what: string, text: string, refused: string): Torture => ({
  section,
  what,
  frame: text,
  refused,
});

export const TORTURE: readonly Torture[] = [
  passed(
    '3.1.1.1',
    'folded lines, compact names, white space and a header that nobody knows',
    [
      `REGISTER sip:${DOMAIN} SIP/2.0`,
      't \t:\r\n ' + OWN,
      `From   : "J Rosenberg \\\\\\""   <sip:${AOR}@${DOMAIN}>`,
      '  ;',
      '  tag = 98asjd8',
      'MaX-fOrWaRdS: 0068',
      'i: odd.1@192.0.2.1',
      'CsEq : 0009',
      '  REGISTER',
      'v: SIP / 2.0',
      ' / WS   client.invalid',
      '    ; branch = z9hG4bK.kkkk',
      'm: <sip:u1@client.invalid;transport=ws>',
      'NewFangledHeader:   newfangled value',
      ' continued newfangled value',
      'UnknownHeaderWithUnusualValue: ;;,,;;,;',
      'l: 0',
      '',
      '',
    ].join('\r\n'),
  ),
  broken(
    '3.1.1.2',
    'a method of every character that a token may have',
    bye({
      start: `!interesting-Method0123456789_*+\`.%indeed'~ sip:1@x.test SIP/2.0`,
      cseq: `1 !interesting-Method0123456789_*+\`.%indeed'~`,
    }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.1.3',
    'escapes that spell her own name',
    register({ to: `<sip:%63itizen-c1-d1@${DOMAIN}>` }),
    'ERR_EDGE_IDENTITY',
  ),
  broken(
    '3.1.1.4',
    'an escaped NUL in the user',
    register({ to: `<sip:${AOR}%00@${DOMAIN}>` }),
    'ERR_EDGE_IDENTITY',
  ),
  broken(
    '3.1.1.5',
    'a percent sign that escapes nothing, in the method',
    bye({ start: 'RE%47IST%45R sip:1@x.test SIP/2.0', cseq: '1 RE%47IST%45R' }),
    'ERR_EDGE_IDENTITY',
  ),
  passed(
    '3.1.1.6',
    'no space between a display name and its bracket',
    register({ from: `caller${OWN};tag=reg` }),
  ),
  passed(
    '3.1.1.7',
    'long values',
    register({
      callId: `longreq.one${'really'.repeat(20)}long`,
      more: [`User-Agent: ${'very '.repeat(300)}long`],
    }),
  ),
  broken(
    '3.1.1.8',
    'a second request behind the first',
    `${register()}${register({ to: `<sip:citizen-c2-d1@${DOMAIN}>` })}`,
    'ERR_EDGE_SIP_LENGTH',
  ),
  broken(
    '3.1.1.9',
    'a semicolon in the user part',
    register({ to: `<sip:${AOR};par=u%40example.net@${DOMAIN}>` }),
    'ERR_EDGE_IDENTITY',
  ),
  broken(
    '3.1.1.10',
    'several transports in several Vias',
    register({ via: 'SIP/2.0/UDP t1.test;branch=z9hG4bKa\r\nVia: SIP/2.0/SCTP t2.test;branch=z9hG4bKb' }),
    'ERR_EDGE_SIP_VIA',
  ),
  broken(
    '3.1.1.11',
    'a multipart body with bytes that are no UTF-8',
    bye({
      more: ['Content-Type: multipart/mixed;boundary=7a9cbec02ceef655'],
      body: '--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n0\x82\x01R\x06\x09*\x86H\r\n--7a9cbec02ceef655--\r\n',
    }),
    'ERR_EDGE_FRAME',
  ),
  broken(
    '3.1.1.11',
    'a multipart body that is no SDP',
    bye({
      more: ['Content-Type: multipart/mixed;boundary=7a9c'],
      body: '--7a9c\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9c--\r\n',
    }),
    'ERR_EDGE_BODY_TYPE',
  ),
  passed(
    '3.1.1.12',
    'a reason phrase in another script',
    answer('SIP/2.0 480 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe'),
  ),
  passed('3.1.1.13', 'an empty reason phrase', answer('SIP/2.0 480 ')),
  broken(
    '3.1.2.1',
    'separators too many in a Via',
    register({ via: 'SIP/2.0/WSS client.invalid;;,;,,' }),
    'ERR_EDGE_SIP_VIA',
  ),
  broken('3.1.2.2', 'a Content-Length beyond the message', bye({ length: '9999' }), 'ERR_EDGE_SIP_LENGTH'),
  broken('3.1.2.3', 'a negative Content-Length', bye({ length: '-999' }), 'ERR_EDGE_SIP_LENGTH'),
  broken(
    '3.1.2.4',
    'a CSeq that no 32 bits hold',
    register({ cseq: '36893488147419103232 REGISTER' }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.4',
    'Max-Forwards of 300 digits',
    register({ more: [`Max-Forwards: ${'9'.repeat(300)}`] }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  passed(
    '3.1.2.4',
    'an Expires that no 32 bits hold: the engine bounds it',
    register({ more: ['Expires: 1000000000000'] }),
  ),
  broken(
    '3.1.2.5',
    'an answer with a CSeq that no 32 bits hold',
    answer('SIP/2.0 503 Service Unavailable', { cseq: '9292394834772304023312 INVITE' }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.6',
    'a quoted display name without an end',
    register({ to: `"Mr. J. User <sip:${AOR}@${DOMAIN}>` }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.7',
    'brackets around the Request-URI',
    register({ start: `REGISTER <sip:${DOMAIN}> SIP/2.0` }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.8',
    'a space in the Request-URI',
    register({ start: `REGISTER sip:${DOMAIN}; lr SIP/2.0` }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.9',
    'two spaces in the start line',
    register({ start: `REGISTER  sip:${DOMAIN}  SIP/2.0` }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.10',
    'a space behind the start line',
    register({ start: `REGISTER sip:${DOMAIN} SIP/2.0  ` }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.11',
    'headers in the Request-URI',
    register({ start: `REGISTER sip:${DOMAIN}?Route=%3Csip:evil.test%3E SIP/2.0` }),
    'ERR_EDGE_IDENTITY',
  ),
  passed(
    '3.1.2.12',
    'a Date in another time zone: nobody reads it',
    register({ more: ['Date: Fri, 01 Jan 2010 16:00:00 EST'] }),
  ),
  broken(
    '3.1.2.13',
    'a Contact with parameters and headers outside of brackets',
    register({ contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }),
    'ERR_EDGE_CONTACT',
  ),
  broken(
    '3.1.2.14',
    'spaces in an address',
    register({ to: `"Watson, Thomas" < sip:${AOR}@${DOMAIN} >` }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.1.2.15',
    'a display name of other than tokens',
    register({ to: `Bell, Alexander ${OWN}` }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken('3.1.2.16', 'SIP/7.0', register({ start: `REGISTER sip:${DOMAIN} SIP/7.0` }), 'ERR_EDGE_SIP_SYNTAX'),
  broken('3.1.2.17', 'another method in CSeq', register({ cseq: '8 INVITE' }), 'ERR_EDGE_SIP_MANDATORY'),
  broken(
    '3.1.2.18',
    'a method that nobody knows, and another in CSeq',
    bye({ start: 'NEWMETHOD sip:1@x.test SIP/2.0', cseq: '8 BYE' }),
    'ERR_EDGE_SIP_MANDATORY',
  ),
  broken(
    '3.1.2.19',
    'a status of ten digits',
    answer('SIP/2.0 4294967301 better not break the receiver'),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  broken(
    '3.2.1',
    'a branch that is nothing but the cookie of none',
    register({ via: 'SIP/2.0/WSS client.invalid;branch=' }),
    'ERR_EDGE_SIP_VIA',
  ),
  broken(
    '3.3.1',
    'no Call-ID, no From, no To',
    register({ without: ['Call-ID', 'From', 'To'] }),
    'ERR_EDGE_SIP_MANDATORY',
  ),
  broken(
    '3.3.2',
    'a scheme that nobody knows',
    register({ start: 'REGISTER nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0' }),
    'ERR_EDGE_IDENTITY',
  ),
  broken(
    '3.3.3',
    'a scheme known for something else',
    register({ start: 'REGISTER soap.beep://192.0.2.103:3002 SIP/2.0' }),
    'ERR_EDGE_IDENTITY',
  ),
  broken(
    '3.3.4',
    'unknown schemes in To, From and Contact',
    register({
      to: '<isbn:2983792873>',
      from: '<http://www.example.com>;tag=3234233',
      contact: '<name:John_Smith>',
    }),
    'ERR_EDGE_SIP_SYNTAX',
  ),
  passed(
    '3.3.5',
    "extensions required that nobody has: Require is the engine's to refuse",
    register({
      more: [
        'Require: nothingSupportsThis, nothingSupportsThisEither',
        'Proxy-Require: noProxiesSupportThis',
      ],
    }),
  ),
  broken(
    '3.3.6',
    'a body of a type that nobody knows',
    bye({ more: ['Content-Type: application/unknownformat'], body: '<audio>\r\n' }),
    'ERR_EDGE_BODY_TYPE',
  ),
  passed(
    '3.3.7',
    'an authorization that nobody knows: it is left out',
    register({ more: ['Authorization: NoOneKnowsThisScheme opaque-data=here'] }),
  ),
  broken(
    '3.3.8',
    'From, To, Call-ID, CSeq and Max-Forwards twice',
    register({
      more: [
        'CSeq: 59 INVITE',
        'Call-ID: multi01',
        'From: <sip:other@x.test>;tag=1',
        'To: <sip:other@x.test>',
        'Max-Forwards: 5',
        'Max-Forwards: 4',
      ],
    }),
    'ERR_EDGE_SIP_DUPLICATE',
  ),
  broken('3.3.9', 'two lengths', bye({ more: ['Content-Length: 13'] }), 'ERR_EDGE_SIP_DUPLICATE'),
  broken(
    '3.3.10',
    'an answer with a broadcast address in Via',
    answer('SIP/2.0 200 OK', {
      via: 'SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23',
    }),
    'ERR_EDGE_SIP_VIA',
  ),
  passed('3.3.11', 'Max-Forwards of zero: the engine is no proxy', register({ more: ['Max-Forwards: 0'] })),
  passed(
    '3.3.12',
    'a Contact with a parameter that nobody knows',
    register({ contact: '<sip:u1@client.invalid;transport=ws>;unknownparam' }),
  ),
  broken(
    '3.3.13',
    'a Contact whose address has one',
    register({ contact: '<sip:u1@client.invalid;unknownparam>' }),
    'ERR_EDGE_CONTACT',
  ),
  broken(
    '3.3.14',
    'a Contact with headers',
    register({ contact: '<sip:u1@client.invalid?Route=%3Csip:sip.example.com%3E>' }),
    'ERR_EDGE_CONTACT',
  ),
  passed(
    '3.3.15',
    'an Accept that asks for something else',
    register({ more: ['Accept: text/nobodyKnowsThis'] }),
  ),
  broken(
    '3.4.1',
    'a request as RFC 2543 wrote it: no branch, no tags',
    register({ via: 'SIP/2.0/WSS client.invalid', from: OWN }),
    'ERR_EDGE_SIP_VIA',
  ),
];
