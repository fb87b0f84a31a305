/** The settings of one process: read once, checked whole, frozen. */
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
import type { Policy } from '../domain/session/policy.ts';
import type { Secret } from '../domain/secret.ts';
import type { FailpointSetting } from './failpoint-order.ts';
import type { ListenAddress } from './listen-address.ts';

export interface Config {
  readonly environment: 'production' | 'sandbox';
  readonly role: 'all' | 'core' | 'edge';
  readonly nodeId: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Where this process ends or stops itself; `null`, and always so in production: nowhere. */
  readonly failpoint: FailpointSetting | null;
  /** Of the HTTP and edge listeners; `null`: plain, on loopback or behind something that ends TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** `null` for role `edge`. */
  readonly core: CoreConfig | null;
  /** `null` for role `core`. */
  readonly edge: EdgeConfig | null;
}

export interface CoreConfig {
  readonly http: {
    readonly listen: ListenAddress;
    readonly maxConnections: number;
    readonly metricsToken: Secret | null;
    readonly corsOrigins: readonly string[];
    readonly rateLimits: {
      readonly citizenPerMin: number;
      readonly staffPerMin: number;
      readonly backendPerMin: number;
    };
  };
  readonly feed: { readonly maxConnections: number; readonly maxPerIdentity: number };
  /** What clients are told. */
  readonly clients: {
    readonly publicUrl: string;
    readonly sipWssUrl: string;
    readonly sipDomain: string;
    readonly stunUrls: readonly string[];
    readonly turn: {
      readonly urls: readonly string[];
      readonly secret: Secret;
      readonly ttlS: number;
    } | null;
  };
  /** For edges in processes of their own; `null`: there are none. */
  readonly internal: { readonly listen: ListenAddress; readonly secret: Secret } | null;
  readonly jwt: {
    readonly keys:
      { readonly kind: 'hs256'; readonly secret: Secret } | { readonly kind: 'jwks'; readonly url: string };
    readonly issuer: string;
    readonly audience: string;
  };
  readonly engine: {
    readonly ariUrl: string;
    readonly ariUser: string;
    readonly ariPassword: Secret;
    readonly ariApp: string;
    readonly sipWsUrl: string;
    readonly relayAddress: string;
  };
  readonly trunks: { readonly directory: string; readonly names: readonly string[] };
  readonly synthetic: {
    readonly call: {
      readonly number: PhoneNumber;
      readonly everyMs: number;
      readonly toneHz: number;
      readonly callsPerDay: number;
    } | null;
    readonly zone: string | null;
    /** `null`: nobody waits for one. */
    readonly sosEveryMs: number | null;
  };
  readonly database:
    | { readonly kind: 'url'; readonly url: Secret }
    | { readonly kind: 'embedded'; readonly directory: string };
  readonly journal: { readonly directory: string; readonly maxMb: number; readonly maxAgeMs: number };
  readonly records: {
    readonly auditKey: Secret | null;
    readonly anchorFile: string | null;
    readonly auditIntervalMs: number;
    /** Milliseconds; `null`: for good. */
    readonly kept: {
      readonly personalMs: number | null;
      readonly eventsMs: number | null;
      readonly ledgerMs: number | null;
    };
  };
  readonly policy: Policy;
}

export interface EdgeConfig {
  readonly listen: ListenAddress;
  /** Its connections to the engine come from this address, the only one that the engine lets speak as a client. */
  readonly relayAddress: string;
  readonly maxConnections: number;
  /** The core nodes to ask; `null` for role `all`: it is in the same process. */
  readonly core: { readonly urls: readonly string[]; readonly secret: Secret } | null;
}
