import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import nunjucks from 'nunjucks';
import { startAsterisk, type AsteriskProcess } from '../asterisk-process.ts';
import { reservePort, reservePortRange } from '../free-ports.ts';
import { renderDialplan } from './dialplan.ts';

/** The carrier's Asterisk, configured and running. */
export interface CarrierAsterisk {
  readonly process: AsteriskProcess;
  /**
   * Starts a call from the carrier to the gateway; returns once Asterisk took the order.
   * Throws ERR_CARRIER_ORIGINATE.
   */
  placeCall(to: string, from: string, ringTimeoutMs: number): Promise<void>;
  /** Ends it all, and gives the ports back. */
  stop(): Promise<void>;
}

export interface CarrierAsteriskOptions {
  readonly root: string;
  readonly runDir: string;
  readonly host: string;
  readonly frontPort: number;
  readonly sipPort: number;
  readonly mediaAddress: string;
}

const ARI_USER = 'carrier';
/** Two ports a call. */
const RTP_PORTS = 400;
const TEMPLATES = readdirSync(join(import.meta.dirname, 'asterisk'));

export async function startCarrierAsterisk(options: CarrierAsteriskOptions): Promise<CarrierAsterisk> {
  const { root, runDir, host } = options;
  const ariPort = await reservePort([host]);
  const rtpPorts = await reservePortRange(RTP_PORTS, [host]);
  const ariPassword = randomBytes(24).toString('hex');
  const releasePorts = async (): Promise<void> => {
    await Promise.all([ariPort.release(), rtpPorts.release()]);
  };
  writeConfiguration(join(runDir, 'etc'), options.mediaAddress, {
    host,
    sipPort: options.sipPort,
    frontPort: options.frontPort,
    ariPort: ariPort.first,
    ariUser: ARI_USER,
    ariPassword,
    rtpFirstPort: rtpPorts.first,
    rtpLastPort: rtpPorts.last,
  });
  const ari = { host, port: ariPort.first, user: ARI_USER, password: ariPassword };
  try {
    const asterisk = await startAsterisk({ root, runDir, name: 'carrier', ari });
    return {
      process: asterisk,
      placeCall: (to, from, ringTimeoutMs) => originate(ari, to, from, ringTimeoutMs),
      stop: async () => {
        await asterisk.stop();
        await releasePorts();
      },
    };
  } catch (error) {
    await releasePorts();
    throw error;
  }
}

function writeConfiguration(
  etc: string,
  mediaAddress: string,
  values: Record<string, string | number>,
): void {
  mkdirSync(etc, { recursive: true, mode: 0o700 });
  const environment = new nunjucks.Environment(
    new nunjucks.FileSystemLoader(join(import.meta.dirname, 'asterisk')),
    { autoescape: false, throwOnUndefined: true },
  );
  for (const template of TEMPLATES)
    writeFileSync(join(etc, basename(template, '.njk')), environment.render(template, values));
  writeFileSync(join(etc, 'extensions.conf'), renderDialplan(mediaAddress));
}

async function originate(
  ari: { host: string; port: number; user: string; password: string },
  to: string,
  from: string,
  ringTimeoutMs: number,
): Promise<void> {
  const response = await fetch(`http://${ari.host}:${ari.port}/ari/channels`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${ari.user}:${ari.password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      endpoint: `PJSIP/${to}@gateway`,
      context: 'to-gateway',
      extension: 'answered',
      priority: 1,
      callerId: from,
      formats: 'alaw,ulaw',
      timeout: Math.ceil(ringTimeoutMs / 1000),
      variables: { PHONE_HZ: '620' },
    }),
    signal: AbortSignal.timeout(5_000),
  });
  const body = await response.text();
  if (response.ok) return;
  throw Object.assign(new Error(`the carrier could not place the call: HTTP ${response.status} ${body}`), {
    code: 'ERR_CARRIER_ORIGINATE',
  });
}
