import type { Trunk } from '../../control-plane/src/domain/trunk/trunk.ts';

/** A trunk with nothing remarkable, for tests that change one thing. */
export const PLAIN_TRUNK: Trunk = {
  name: 'plain',
  description: 'A carrier for tests',
  priority: 10,
  transport: 'udp',
  localTransport: 'trunk-udp',
  hosts: [{ address: '192.0.2.10', port: 5060, priority: 10 }],
  sources: ['192.0.2.10'],
  outboundProxy: null,
  auth: { kind: 'ip' },
  media: { encryption: 'none', addresses: ['192.0.2.11'], codecs: ['alaw', 'ulaw'], dtmf: 'rfc4733' },
  numbers: { requestUri: 'e164_plus', from: 'e164_plus', identity: 'e164_plus', userPhone: false },
  callerId: {
    policy: 'default-only',
    default: '+911140000100',
    owned: ['+911140000100', '+911140000101'],
    identityHeader: 'pai',
    fromDomain: null,
  },
  sip: {
    sessionTimers: 'yes',
    sessionExpiresSeconds: 1800,
    sessionMinimumSeconds: 90,
    reliableProvisional: 'yes',
    optionsIntervalSeconds: 30,
    optionsTimeoutSeconds: 3,
  },
  capacity: { channels: 30, callsPerSecond: 5, sosReserve: 10 },
  causeOverrides: [],
  p95PostDialDelayMs: 4000,
  failover: { noResponseMs: 1000, hedge: true, hedgeMostMs: 8000 },
};

/** The one trunk of labs whose engine is in memory. */
export const CARRIER_TRUNK: Trunk = {
  ...PLAIN_TRUNK,
  name: 'carrier',
  capacity: { channels: 500, callsPerSecond: 100, sosReserve: 100 },
};
