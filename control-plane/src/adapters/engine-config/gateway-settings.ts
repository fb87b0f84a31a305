/**
 * Everything in which one gateway's Asterisk differs from another's: the variables of the templates in
 * `asterisk/`, by the same names. Plain data, so that Ansible can fill the same templates from its own variables.
 */
import { isAmong } from '../../domain/ip-network.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';

/** asterisk.conf's [directories], without the "ast" prefix. */
export interface EngineDirectories {
  readonly etc: string;
  readonly modules: string;
  readonly varlib: string;
  readonly db: string;
  readonly key: string;
  readonly data: string;
  readonly agi: string;
  readonly spool: string;
  readonly run: string;
  readonly log: string;
}

/** One of the gateway's own SIP sockets towards carriers. */
export interface SipTransportSettings {
  /** A trunk names it in `localTransport`. */
  readonly name: string;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** IPv4 or IPv6 address to bind; also where the media of its trunks is bound. */
  readonly address: string;
  readonly port: number;
  /** What carriers see when we are behind NAT; null: the bound address. */
  readonly externalMediaAddress: string | null;
  readonly externalSignalingAddress: string | null;
  readonly externalSignalingPort: number | null;
  readonly tls: {
    readonly certificateFile: string;
    readonly keyFile: string;
    readonly caFile: string;
    readonly verifyServer: boolean;
  } | null;
}

export interface GatewaySettings {
  readonly directories: EngineDirectories;
  /** The account Asterisk drops to, or null to stay what it was started as. */
  readonly runAs: { readonly user: string; readonly group: string } | null;
  readonly limits: { readonly maxCalls: number; readonly maxOpenFiles: number };
  readonly http: { readonly address: string; readonly port: number; readonly sessionLimit: number };
  readonly ari: {
    readonly user: string;
    readonly password: Secret;
    /** The Stasis application of the control plane's node. */
    readonly app: string;
    /** Addresses or networks from which ARI accepts this user. */
    readonly permit: readonly string[];
  };
  readonly sip: {
    /** Where the media of WebRTC calls is bound (0.0.0.0 on a server, a loopback address in the sandbox). */
    readonly webrtcMediaAddress: string;
    readonly webrtcExternalMediaAddress: string | null;
    readonly transports: readonly SipTransportSettings[];
    /** Networks that are reached without NAT (CIDR). */
    readonly localNetworks: readonly string[];
    /** The only addresses whose SIP requests are looked at; empty: the firewall alone decides. */
    readonly permittedSources: readonly string[];
  };
  readonly rtp: {
    readonly first: number;
    readonly last: number;
    /** host:port, or null. */
    readonly stunServer: string | null;
    readonly iceHostCandidates: readonly { readonly local: string; readonly advertised: string }[];
  };
  readonly prompts: {
    /** Sound files as absolute paths without extension, played in turn to whoever waits for the other party. */
    readonly holding: readonly string[];
    /** Likewise, to a duty phone that has to press 1 before the call counts as taken. */
    readonly acceptance: readonly string[];
  };
  readonly log: { readonly verbose: boolean };
  readonly trunks: readonly Trunk[];
}

/**
 * The addresses that may send SIP requests: the relay's and every trunk's. Empty when a trunk's are not all
 * known, because then a list would cut off its BYE: the firewall decides alone.
 */
export function permittedSourcesOf(relay: readonly string[], trunks: readonly Trunk[]): readonly string[] {
  const sources = trunks.flatMap((trunk) => trunk.sources);
  return trunks.every((trunk) => isHeardFrom(trunk, sources)) ? [...relay, ...sources] : [];
}

/** By its own sources, or, of a second trunk to one carrier, by those of the first: its hosts are among these. */
function isHeardFrom({ sources, hosts }: Trunk, all: readonly string[]): boolean {
  if (sources.length > 0) return true;
  return hosts.length > 0 && hosts.every(({ address }) => isAmong(address, all));
}
