/**
 * Why the edge did not pass a message on. The codes are stable: they stand in answers (`X-Hamrahi-Code`), in the
 * metric `hamrahi_edge_refused_total{code}` and in the documentation for client developers.
 */
export type SipRefusalCode =
  /** Not a SIP message by RFC 3261's grammar, or larger than any message a client needs. */
  | 'ERR_EDGE_SIP_SYNTAX'
  /** Content-Length and the bytes of the body differ. */
  | 'ERR_EDGE_SIP_LENGTH'
  /** A header that may stand once stands twice. */
  | 'ERR_EDGE_SIP_DUPLICATE'
  /** Via, From, To, Call-ID or CSeq is absent, or CSeq contradicts the request. */
  | 'ERR_EDGE_SIP_MANDATORY'
  /** A Via that no WebSocket client writes: several, another transport, `maddr`, `received`. */
  | 'ERR_EDGE_SIP_VIA'
  /** From, To or Request-URI is not the token's own address of record. */
  | 'ERR_EDGE_IDENTITY'
  /** A method that the role does not need. */
  | 'ERR_EDGE_METHOD'
  /** A request inside a dialog that this client does not have. */
  | 'ERR_EDGE_DIALOG'
  /** A response to a request that the engine did not send, or a second, different final one. */
  | 'ERR_EDGE_TRANSACTION'
  /** A Route to elsewhere. */
  | 'ERR_EDGE_ROUTE'
  /** A Contact that could point elsewhere, or several. */
  | 'ERR_EDGE_CONTACT'
  /** A body that is neither SDP nor a multipart with SDP. */
  | 'ERR_EDGE_BODY_TYPE'
  | 'ERR_EDGE_SDP_SYNTAX'
  /** Anything but one audio stream. */
  | 'ERR_EDGE_SDP_MEDIA'
  /** Media without DTLS-SRTP (RFC 5764). */
  | 'ERR_EDGE_SDP_PROTOCOL'
  /** No DTLS fingerprint, not SHA-256, wrong length, or all zero (RFC 8122). */
  | 'ERR_EDGE_SDP_FINGERPRINT'
  /** Keys in the SDP itself (RFC 4568). */
  | 'ERR_EDGE_SDP_CRYPTO'
  /** More open transactions or dialogs than one client can need. */
  | 'ERR_EDGE_TABLE_FULL';

/** The SIP status that a refused request is answered with. */
export const REFUSAL_STATUS: Readonly<Record<SipRefusalCode, number>> = {
  ERR_EDGE_SIP_SYNTAX: 400,
  ERR_EDGE_SIP_LENGTH: 400,
  ERR_EDGE_SIP_DUPLICATE: 400,
  ERR_EDGE_SIP_MANDATORY: 400,
  ERR_EDGE_SIP_VIA: 400,
  ERR_EDGE_IDENTITY: 403,
  ERR_EDGE_METHOD: 405,
  ERR_EDGE_DIALOG: 481,
  ERR_EDGE_TRANSACTION: 481,
  ERR_EDGE_ROUTE: 403,
  ERR_EDGE_CONTACT: 403,
  ERR_EDGE_BODY_TYPE: 415,
  ERR_EDGE_SDP_SYNTAX: 488,
  ERR_EDGE_SDP_MEDIA: 488,
  ERR_EDGE_SDP_PROTOCOL: 488,
  ERR_EDGE_SDP_FINGERPRINT: 488,
  ERR_EDGE_SDP_CRYPTO: 488,
  ERR_EDGE_TABLE_FULL: 503,
};

/** A value, or the code of what is wrong with it. */
export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: SipRefusalCode };

export function pass<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function refuse(code: SipRefusalCode): { readonly ok: false; readonly code: SipRefusalCode } {
  return { ok: false, code };
}
