import type { GatewaySettings } from '../../control-plane/src/adapters/engine-config/gateway-settings.ts';
import { Secret } from '../../control-plane/src/domain/secret.ts';

/** A server's settings, without trunks, for tests that change one thing. */
export const GATEWAY_SETTINGS: GatewaySettings = {
  directories: {
    etc: '/etc/asterisk',
    modules: '/usr/lib/asterisk/modules',
    varlib: '/var/lib/asterisk',
    db: '/var/lib/asterisk',
    key: '/var/lib/asterisk',
    data: '/usr/share/asterisk',
    agi: '/usr/share/asterisk/agi-bin',
    spool: '/var/spool/asterisk',
    run: '/run/asterisk',
    log: '/var/log/asterisk',
  },
  runAs: { user: 'asterisk', group: 'asterisk' },
  limits: { maxCalls: 500, maxOpenFiles: 10_000 },
  http: { address: '127.0.0.1', port: 8088, sessionLimit: 1_000 },
  ari: {
    user: 'control-plane',
    password: new Secret('ari-password'),
    app: 'hamrahi-1',
    permit: ['127.0.0.1'],
  },
  sip: {
    webrtcMediaAddress: '0.0.0.0',
    webrtcExternalMediaAddress: null,
    transports: [
      {
        name: 'trunk-udp',
        protocol: 'udp',
        address: '192.0.2.1',
        port: 5060,
        externalMediaAddress: null,
        externalSignalingAddress: null,
        externalSignalingPort: null,
        tls: null,
      },
    ],
    localNetworks: [],
    permittedSources: [],
  },
  rtp: { first: 10_000, last: 20_000, stunServer: null, iceHostCandidates: [] },
  prompts: {
    holding: ['/usr/share/asterisk/sounds/en/pls-hold-while-try'],
    acceptance: ['/usr/share/asterisk/sounds/en/vm-press', '/usr/share/asterisk/sounds/en/digits/1'],
  },
  log: { verbose: false },
  trunks: [],
};
