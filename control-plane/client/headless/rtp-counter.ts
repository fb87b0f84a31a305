/**
 * Counts RTP at the transport, below every track and direction: what was decrypted from the network, wanted or not,
 * and what was really sent. It proves that nothing of an operator arrives at a citizen.
 */
import type { RTCDtlsTransport, RTCPeerConnection } from 'werift';
import type { RtpCounts } from '../one-way-media.ts';

export class RtpCounter {
  private readonly watched = new WeakSet<RTCDtlsTransport>();
  private packetsSent = 0;
  private packetsReceived = 0;

  /** Counts on this connection too, from its first packet on and after its end. */
  watch(connection: RTCPeerConnection): void {
    // Transports appear with a description, and carry nothing before it is negotiated.
    connection.signalingStateChange.subscribe(() => {
      for (const transport of connection.dtlsTransports) this.watchTransport(transport);
    });
  }

  counts(): RtpCounts {
    return { packetsSent: this.packetsSent, packetsReceived: this.packetsReceived };
  }

  private watchTransport(transport: RTCDtlsTransport): void {
    if (this.watched.has(transport)) return;
    this.watched.add(transport);
    transport.onRtp.subscribe(() => (this.packetsReceived += 1));
    const send = transport.sendRtp.bind(transport);
    transport.sendRtp = (payload, header) => {
      if (transport.state === 'connected') this.packetsSent += 1;
      return send(payload, header);
    };
  }
}
