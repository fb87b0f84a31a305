/** How much of the edge one client, one identity, and all of them together may use. */
export interface EdgeLimits {
  /** A larger WebSocket frame closes the socket with 1009. */
  readonly maxFrameBytes: number;
  /** Sustained SIP messages of one client; more than the burst closes its socket with 4008. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Messages that are not SIP, within 10 s, until the socket is closed with 4002. */
  readonly maxMalformed: number;
  /** From the TCP connection to the end of the HTTP request. */
  readonly handshakeDeadlineMs: number;
  /** A socket that has said nothing useful by then is closed with 4004. */
  readonly firstMessageDeadlineMs: number;
  /** A peer that has not stirred between two pings is dead: found after one to two intervals. */
  readonly pingIntervalMs: number;
  readonly maxSockets: number;
  readonly maxPendingHandshakes: number;
  /** Devices of one citizen, or clients of one operator, at the same time. */
  readonly maxSocketsPerIdentity: number;
  /** Sockets that one token may open as one address of record within 10 s. */
  readonly maxOpenings: number;
  /** How long the engine's side of a lost client is kept. */
  readonly stickyMs: number;
  /** Frames kept for a client that is away, besides the engine's open requests. */
  readonly maxHeldFrames: number;
  /** Bytes waiting in a socket's send buffer until its peer counts as stuck. */
  readonly maxBufferedBytes: number;
  /** Until the core has answered who the client is. */
  readonly admitDeadlineMs: number;
  /** Until the engine has accepted the WebSocket. */
  readonly upstreamDeadlineMs: number;
}

export const DEFAULT_EDGE_LIMITS: EdgeLimits = {
  maxFrameBytes: 16_384,
  messagesPerSecond: 20,
  messageBurst: 60,
  maxMalformed: 10,
  handshakeDeadlineMs: 5_000,
  firstMessageDeadlineMs: 10_000,
  pingIntervalMs: 4_000,
  maxSockets: 8_000,
  maxPendingHandshakes: 2_000,
  maxSocketsPerIdentity: 8,
  maxOpenings: 10,
  stickyMs: 30_000,
  maxHeldFrames: 32,
  maxBufferedBytes: 262_144,
  admitDeadlineMs: 2_000,
  upstreamDeadlineMs: 2_000,
};
