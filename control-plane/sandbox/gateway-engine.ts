import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { Secret } from '../src/domain/secret.ts';
import type { Trunk } from '../src/domain/trunk/trunk.ts';
import {
  permittedSourcesOf,
  type GatewaySettings,
  type SipTransportSettings,
} from '../src/adapters/engine-config/gateway-settings.ts';
import { renderGatewayConfig } from '../src/adapters/engine-config/render-gateway-config.ts';
import { asteriskDirectories, prepareAsteriskDirectories } from './asterisk-directories.ts';
import { startAsterisk, type AsteriskProcess } from './asterisk-process.ts';
import { reservePort, reservePortRange, type PortReservation } from './free-ports.ts';

/**
 * The sandbox's gateway engine: the same templates that servers get, rendered for one loopback address with ports
 * of its own, and the Asterisk that runs on them.
 */
export interface GatewayEngineOptions {
  /** The unpacked Asterisk root. */
  readonly root: string;
  readonly runDir: string;
  /** Stasis application of the control plane. */
  readonly ariApp: string;
  readonly trunks: readonly Trunk[];
  /** Where everything listens: a loopback address, or the private one that `BIND` names. Default 127.0.0.1. */
  readonly address?: string;
  /** Besides the UDP one. */
  readonly moreTransports?: readonly SipTransportSettings[];
  /** Where ARI and the relay's WebSocket listen, always loopback. Default 127.0.0.1. */
  readonly controlAddress?: string;
  /** Default 1000: 500 calls at once. */
  readonly rtpPorts?: number;
  /** Refuse SIP requests from any address but the relay's and the trunks'. Default true. */
  readonly filterSources?: boolean;
  /** Asterisk's notices and verbose lines too (no number in the sandbox is real). Default true. */
  readonly verboseLog?: boolean;
}

export interface GatewayEngine {
  /** The running one; replaced by `restart`. */
  readonly asterisk: AsteriskProcess;
  readonly settings: GatewaySettings;
  /** `http://127.0.0.1:<port>`: ARI below /ari, SIP over WebSocket at /ws. */
  readonly httpUrl: string;
  /** For `permit` of the clients' endpoints. */
  readonly relayAddresses: readonly string[];
  /** The gateway's side of the UDP trunks. */
  readonly sipPort: number;
  /** SIGKILL, and a new one on the same ports and configuration. */
  restart(): Promise<void>;
  /** Ends Asterisk and gives its ports back. */
  stop(): Promise<void>;
}

const TEMPLATES_DIR = resolve(import.meta.dirname, '../../asterisk');
export const SANDBOX_UDP_TRANSPORT = 'trunk-udp';

/** Throws ERR_SANDBOX_ENGINE_CONFIG, and what startAsterisk throws. */
export async function startGatewayEngine(options: GatewayEngineOptions): Promise<GatewayEngine> {
  const address = options.address ?? '127.0.0.1';
  const controlAddress = options.controlAddress ?? '127.0.0.1';
  const reservations: PortReservation[] = [];
  const keep = async (pending: Promise<PortReservation>): Promise<PortReservation> => {
    const reservation = await pending;
    reservations.push(reservation);
    return reservation;
  };
  const release = async (): Promise<void> => {
    await Promise.all(reservations.map((reservation) => reservation.release()));
  };
  try {
    const http = await keep(reservePort([controlAddress]));
    const sip = await keep(reservePort([address]));
    const rtp = await keep(reservePortRange(options.rtpPorts ?? 1000, [address]));
    const settings = sandboxSettings(options, { address, controlAddress }, { http, sip, rtp });
    prepareAsteriskDirectories(resolve(options.root), settings.directories);
    render(settings);
    const user = settings.ari.user;
    const password = settings.ari.password.reveal();
    const start = (): Promise<AsteriskProcess> =>
      startAsterisk({
        root: options.root,
        runDir: options.runDir,
        name: 'gateway',
        ari: { host: controlAddress, port: http.first, user, password },
      });
    let asterisk = await start();
    return {
      get asterisk() {
        return asterisk;
      },
      settings,
      httpUrl: `http://${controlAddress}:${http.first}`,
      relayAddresses: settings.ari.permit,
      sipPort: sip.first,
      restart: async () => {
        await asterisk.kill();
        asterisk = await start();
      },
      stop: async () => {
        await asterisk.stop();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

function sandboxSettings(
  options: GatewayEngineOptions,
  { address, controlAddress }: { address: string; controlAddress: string },
  { http, sip, rtp }: Record<'http' | 'sip' | 'rtp', PortReservation>,
): GatewaySettings {
  const directories = asteriskDirectories(resolve(options.root), resolve(options.runDir));
  const filter = options.filterSources ?? true;
  const sounds = (...names: readonly string[]): string[] =>
    names.map((name) => join(directories.data, 'sounds/en', name));
  return {
    directories,
    runAs: null,
    limits: { maxCalls: 1_000, maxOpenFiles: 10_000 },
    http: { address: controlAddress, port: http.first, sessionLimit: 2_000 },
    ari: {
      user: 'control-plane',
      password: new Secret(randomBytes(24).toString('base64url')),
      app: options.ariApp,
      permit: [controlAddress],
    },
    sip: {
      webrtcMediaAddress: address,
      webrtcExternalMediaAddress: null,
      transports: [
        {
          name: SANDBOX_UDP_TRANSPORT,
          protocol: 'udp',
          address,
          port: sip.first,
          externalMediaAddress: null,
          externalSignalingAddress: null,
          externalSignalingPort: null,
          tls: null,
        },
        ...(options.moreTransports ?? []),
      ],
      localNetworks: [],
      permittedSources: filter ? permittedSourcesOf([controlAddress], options.trunks) : [],
    },
    rtp: {
      first: rtp.first,
      last: rtp.last,
      stunServer: null,
      iceHostCandidates: iceHostCandidatesOf(address),
    },
    prompts: {
      holding: sounds('pls-hold-while-try', 'silence/2'),
      acceptance: sounds('vm-press', 'digits/1', 'silence/1'),
    },
    log: { verbose: options.verboseLog ?? true },
    trunks: options.trunks,
  };
}

/**
 * Asterisk offers the machine's own addresses and never one of 127/8, wherever its media are bound: each of them is
 * replaced by the address that is really bound, so that a client never sends to one where nobody listens.
 */
function iceHostCandidatesOf(address: string): GatewaySettings['rtp']['iceHostCandidates'] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const local = own
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map((one) => one.address);
  return [...new Set([...local, address])].map((one) => ({ local: one, advertised: address }));
}

function render(settings: GatewaySettings): void {
  const target = { templatesDir: TEMPLATES_DIR, outputDir: join(settings.directories.etc) };
  const result = renderGatewayConfig(settings, target);
  if (result.ok) return;
  const reasons = result.failures.map(({ code, detail }) => `${code}: ${detail}`).join('\n');
  throw Object.assign(new Error(`the engine's configuration cannot be rendered\n${reasons}`), {
    code: 'ERR_SANDBOX_ENGINE_CONFIG',
  });
}
