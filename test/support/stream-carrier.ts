/**
 * A carrier's switch on TCP and TLS: a second Asterisk, which answers every call, plays a tone, and takes voice in the clear
 * or encrypted (SDES), as it is offered.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { startAsterisk } from '../../control-plane/sandbox/asterisk-process.ts';
import { reservePort, reservePortRange } from '../../control-plane/sandbox/free-ports.ts';
import { asteriskRootDir, makeRunDir } from './sandbox-roots.ts';

export interface StreamCarrier {
  readonly host: string;
  readonly tcpPort: number;
  readonly tlsPort: number;
  readonly runDir: string;
  stop(): Promise<void>;
}

export interface Identity {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A certificate of its own making for an address, which is also its authority. */
export async function makeIdentity(folder: string, name: string, address: string): Promise<Identity> {
  const made = await generate([{ name: 'commonName', value: address }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: address }] },
    ],
  });
  const certificateFile = join(folder, `${name}.pem`);
  const keyFile = join(folder, `${name}.key`);
  writeFileSync(certificateFile, made.cert);
  writeFileSync(keyFile, made.private, { mode: 0o600 });
  return { certificateFile, keyFile };
}

const MODULES = [
  ...[
    'res_sorcery_config',
    'res_sorcery_memory',
    'res_sorcery_astdb',
    'res_timing_timerfd',
    'res_crypto',
    'res_srtp',
  ],
  ...['res_rtp_asterisk', 'codec_alaw', 'codec_ulaw', 'res_pjproject', 'res_pjsip', 'res_pjsip_session'],
  ...[
    'res_pjsip_sdp_rtp',
    'res_pjsip_authenticator_digest',
    'res_pjsip_endpoint_identifier_ip',
    'res_pjsip_nat',
  ],
  ...['res_pjsip_pubsub', 'chan_pjsip', 'pbx_config', 'app_playtones', 'res_http_websocket'],
  ...['res_websocket_client', 'res_stasis', 'res_ari', 'res_ari_model', 'res_ari_asterisk'],
];

export async function startStreamCarrier(
  host: string,
  gateway: string,
  identity: Identity,
): Promise<StreamCarrier> {
  const { runDir, remove } = makeRunDir('stream');
  const stops: (() => unknown)[] = [remove];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const [tcp, tls, http] = await Promise.all([
      reservePort([host]),
      reservePort([host]),
      reservePort([host]),
    ]);
    const rtp = await reservePortRange(100, [host]);
    for (const reservation of [tcp, tls, http, rtp]) stops.push(() => reservation.release());
    const password = randomBytes(12).toString('hex');
    const files: Readonly<Record<string, string>> = {
      'modules.conf': `[modules]\nautoload=no\n${MODULES.map((name) => `require=${name}.so\n`).join('')}`,
      'http.conf': `[general]\nenabled=yes\nbindaddr=${host}\nbindport=${http.first}\n`,
      'ari.conf': `[general]\nenabled=yes\n[carrier]\ntype=user\npassword=${password}\n`,
      'rtp.conf': `[general]\nrtpstart=${rtp.first}\nrtpend=${rtp.last}\n`,
      'logger.conf': '[general]\n[logfiles]\nfull => notice,warning,error\n',
      'extensions.conf':
        '[from-gateway]\nexten => _[+0-9]!,1,Answer()\n same => n,PlayTones(1000)\n same => n,Wait(60)\n',
      'pjsip.conf': pjsipConf(host, gateway, tcp.first, tls.first, identity),
    };
    mkdirSync(join(runDir, 'etc'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(runDir, 'etc', name), text);
    const ari = { host, port: http.first, user: 'carrier', password };
    const asterisk = await startAsterisk({ root: asteriskRootDir(), runDir, name: 'carrier', ari });
    stops.push(() => asterisk.stop());
    return { host, tcpPort: tcp.first, tlsPort: tls.first, runDir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function pjsipConf(
  host: string,
  gateway: string,
  tcpPort: number,
  tlsPort: number,
  identity: Identity,
): string {
  return `[tcp]
type=transport
protocol=tcp
bind=${host}:${tcpPort}

[tls]
type=transport
protocol=tls
bind=${host}:${tlsPort}
method=tlsv1_2
cert_file=${identity.certificateFile}
priv_key_file=${identity.keyFile}

[gateway]
type=endpoint
context=from-gateway
disallow=all
allow=alaw,ulaw
direct_media=no
rtp_symmetric=yes
media_address=${host}
bind_rtp_to_media_address=yes
media_encryption=sdes
media_encryption_optimistic=yes

[gateway]
type=identify
endpoint=gateway
match=${gateway}
`;
}
