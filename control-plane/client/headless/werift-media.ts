/**
 * WebRTC for Node: werift's peer connection where a page has the browser's. Media go by one address: loopback unless told otherwise.
 *
 * werift never says that ICE has failed, as browsers do; the client's own deadline does.
 */
import { RTCPeerConnection, useOPUS, usePCMU, type PeerConfig } from 'werift';
import type { MediaPort, PeerConnection } from '../media-port.ts';
import { surviveLoss } from './werift-handshake.ts';

export interface WeriftOptions {
  /** ICE never connects: no check is answered, none is sent, and the candidates in our SDP lead nowhere. */
  readonly failIce: boolean;
  /**
   * ICE connects, DTLS does not: `mismatch` announces the fingerprint of a certificate that it has not, `silence` never
   * begins the handshake.
   */
  readonly failDtls?: 'mismatch' | 'silence';
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** Each new connection, before anything is negotiated. */
  readonly onConnection?: (connection: RTCPeerConnection) => void;
}

const NO_ICE: Partial<PeerConfig> = {
  iceFilterStunResponse: () => false,
  iceFilterCandidatePair: () => false,
};

/** Later than every flight of a handshake: nothing is waited for any more. */
const LAST_FLIGHT = 99;

/** The discard port (RFC 863): nothing listens there. */
const CANDIDATE_PORT = /^(a=candidate:\S+ \d+ \S+ \d+ \S+) \d+ /gm;

const FINGERPRINT = /^a=fingerprint:sha-256 [0-9A-F:]+/gim;

export function createWeriftMedia(options: WeriftOptions): MediaPort {
  const address = options.address ?? '127.0.0.1';
  return {
    createPeerConnection(configuration) {
      const connection = new RTCPeerConnection({
        codecs: { audio: [useOPUS(), usePCMU()], video: [] },
        headerExtensions: { audio: [], video: [] },
        iceUseIpv6: false,
        iceUseTcp: false,
        iceInterfaceAddresses: { udp4: address },
        iceAdditionalHostAddresses: [address],
        iceStunGatherTimeout: 0.5,
        iceServers: (configuration.iceServers ?? []).flatMap(asWeriftServers),
        ...(options.failIce ? NO_ICE : {}),
      });
      endHandshakeOnClose(connection);
      surviveLoss(connection);
      if (options.failDtls === 'silence') beSilent(connection);
      options.onConnection?.(connection);
      return asPeerConnection(connection, falsifierOf(options));
    },
  };
}

function beSilent(connection: RTCPeerConnection): void {
  connection.signalingStateChange.subscribe(() => {
    for (const transport of connection.dtlsTransports) transport.start = () => new Promise(() => undefined);
  });
}

/** werift begins and repeats a DTLS handshake, closed or not, and would hold the process for half a minute. */
function endHandshakeOnClose(connection: RTCPeerConnection): void {
  const close = connection.close.bind(connection);
  const nothing = (): Promise<void> => Promise.resolve();
  connection.close = () => {
    for (const transport of connection.dtlsTransports) {
      transport.start = nothing;
      const { dtls } = transport;
      if (dtls && 'connect' in dtls) dtls.connect = nothing;
      if (dtls) dtls.dtls.flight = LAST_FLIGHT;
    }
    return close();
  };
}

function asWeriftServers(server: RTCIceServer): { urls: string; username?: string; credential?: string }[] {
  return [server.urls].flat().map((urls) => ({
    urls,
    ...(server.username === undefined ? {} : { username: server.username }),
    ...(server.credential === undefined ? {} : { credential: server.credential }),
  }));
}

/** What is told of our side in place of the truth; `null`: the truth. */
function falsifierOf({ failIce, failDtls }: WeriftOptions): ((sdp: string) => string) | null {
  if (failIce) return (sdp) => sdp.replace(CANDIDATE_PORT, '$1 9 ');
  if (failDtls === 'mismatch')
    return (sdp) => sdp.replace(FINGERPRINT, (line) => `${line.slice(0, -5)}00:00`);
  return null;
}

/** werift's classes have the same members as the browser's, under types of their own. */
function asPeerConnection(
  connection: RTCPeerConnection,
  falsified: ((sdp: string) => string) | null,
): PeerConnection {
  const peer = connection as unknown as PeerConnection;
  if (falsified === null) return peer;
  return new Proxy(peer, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'localDescription' && isDescription(value)) {
        return { type: value.type, sdp: falsified(value.sdp) };
      }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function isDescription(value: unknown): value is { type: string; sdp: string } {
  return typeof value === 'object' && value !== null && 'sdp' in value && typeof value.sdp === 'string';
}
