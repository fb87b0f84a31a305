/**
 * The SIP endpoint of one client (a citizen's device, an operator's tab) in Asterisk, by PUT
 * /asterisk/config/dynamic/res_pjsip/{aor,endpoint}/<aor>. Nothing of it is in a file; put it again after a
 * restart of Asterisk. There is no `auth`: the relay has authenticated the client, and the endpoint's access list
 * lets nobody but the relay speak as it, on any transport.
 */

export interface WebrtcEndpointOptions {
  /** User part of the address of record; also the name of aor and endpoint. */
  readonly aor: string;
  /** Name of the WebSocket transport in pjsip.conf. */
  readonly transport?: string;
  /** Dialplan context in which the client's own INVITE lands. */
  readonly context?: string;
  /** The relay's addresses or networks (CIDR): requests from anywhere else get 403. */
  readonly permit: readonly string[];
}

/** One field of a dynamic configuration object, as ARI takes it. */
export interface ConfigTuple {
  readonly attribute: string;
  readonly value: string;
}

export interface WebrtcEndpointFields {
  /** PUT first: the endpoint refers to it. */
  readonly aor: readonly ConfigTuple[];
  readonly endpoint: readonly ConfigTuple[];
}

/**
 * One contact, the newest: a client that reconnects evicts its own old one. No OPTIONS to clients (the relay's
 * sockets say who is there), short expiry so that a forgotten contact does not stay.
 */
export const WEBRTC_AOR_FIELDS = {
  max_contacts: '1',
  remove_existing: 'yes',
  qualify_frequency: '0',
  minimum_expiration: '30',
  default_expiration: '120',
  maximum_expiration: '600',
} as const;

export const WEBRTC_ENDPOINT_FIELDS = {
  // ICE, DTLS-SRTP with a certificate of its own, RTCP multiplexing, AVPF (RFC 8834, RFC 8827)
  webrtc: 'yes',
  disallow: 'all',
  allow: 'opus,ulaw',
  // the client's SDP decides only what it offers; which way voice goes is set in the bridge
  direct_media: 'no',
  suppress_moh_on_sendonly: 'yes',
  rtp_symmetric: 'yes',
  force_rport: 'yes',
  rewrite_contact: 'yes',
  identify_by: 'username',
  timers: 'yes',
  timers_sess_expires: '1800',
  timers_min_se: '90',
  // a citizen's leg only sends and an operator's may only listen: silence one way is normal
  rtp_timeout: '0',
  rtp_timeout_hold: '0',
  // nobody learns who is at the other end
  send_pai: 'no',
  send_rpid: 'no',
  trust_id_inbound: 'no',
  trust_id_outbound: 'no',
  send_connected_line: 'no',
  trust_connected_line: 'no',
  send_diversion: 'no',
  // a client may answer, hang up and join; it may not subscribe, transfer or dial digit by digit
  allow_subscribe: 'no',
  allow_transfer: 'no',
  allow_overlap: 'no',
  // nor send us on: what Asterisk then dials by itself is the client's own WebSocket, and no trunk
  redirect_method: 'uri_core',
  // nothing here rings an extension or lights a lamp
  device_state_busy_at: '0',
  refer_blind_progress: 'no',
  notify_early_inuse_ringing: 'no',
  aggregate_mwi: 'no',
} as const;

export function webrtcEndpointFields(options: WebrtcEndpointOptions): WebrtcEndpointFields {
  const { aor, transport = 'webrtc', context = 'from-client', permit } = options;
  if (permit.length === 0) throw new Error('an endpoint without a permitted address would accept everybody');
  return {
    aor: tuples(WEBRTC_AOR_FIELDS),
    endpoint: [
      ...tuples({ aors: aor, transport, context, ...WEBRTC_ENDPOINT_FIELDS }),
      // The list is read in order and the last match holds: deny all, then permit the relay.
      { attribute: 'deny', value: '0.0.0.0/0.0.0.0,::/0' },
      { attribute: 'permit', value: permit.join(',') },
    ],
  };
}

function tuples(fields: Readonly<Record<string, string>>): ConfigTuple[] {
  return Object.entries(fields).map(([attribute, value]) => ({ attribute, value }));
}
