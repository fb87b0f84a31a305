/** Stable codes of what the edge refuses outside of SIP messages, and the WebSocket codes it closes with. */
export type EdgeCode =
  /** Not `/sip`. */
  | 'ERR_EDGE_PATH'
  /** No WebSocket handshake. */
  | 'ERR_EDGE_UPGRADE'
  /** The subprotocol `sip` is not among those offered (RFC 7118 §4). */
  | 'ERR_EDGE_SUBPROTOCOL'
  | 'ERR_EDGE_CREDENTIAL_MISSING'
  /** A bearer token without `X-Hamrahi-Device`. */
  | 'ERR_EDGE_DEVICE_MISSING'
  /** No core node answered in time. */
  | 'ERR_EDGE_CORE_UNAVAILABLE'
  /** The engine did not accept a connection in time. */
  | 'ERR_EDGE_UPSTREAM'
  /** The edge has as many sockets or handshakes as it may have. */
  | 'ERR_EDGE_BUSY'
  | 'ERR_EDGE_IDENTITY_SOCKETS'
  | 'ERR_EDGE_OPENINGS'
  /** The HTTP request did not come in time, or was none. */
  | 'ERR_EDGE_HANDSHAKE'
  | 'ERR_EDGE_FRAME_SIZE'
  /** Not UTF-8, or no valid frame. */
  | 'ERR_EDGE_FRAME'
  | 'ERR_EDGE_FLOOD'
  | 'ERR_EDGE_MALFORMED'
  | 'ERR_EDGE_SILENT'
  /** The peer answers no ping, or takes no data. */
  | 'ERR_EDGE_DEAD'
  /** A lost client's engine sent more than is kept. */
  | 'ERR_EDGE_HELD_OVERFLOW';

export const CLOSE = {
  stopping: 1001,
  replaced: 4001,
  malformed: 4002,
  upstreamLost: 4003,
  silent: 4004,
  /** Another device of this identity came in, and there was no room for it. */
  crowded: 4006,
  flood: 4008,
} as const;
