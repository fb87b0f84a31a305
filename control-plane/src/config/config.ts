/** The settings of one process: read once, checked whole, frozen. */
import type { Policy } from '../domain/session/policy.ts';
import type { PhoneNumber } from '../domain/numbering/phone-number.ts';
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
  readonly trunks: {
    readonly directory: string;
    readonly names: readonly string[];
    /** `null`: the files alone. */
    readonly siteFile: string | null;
  };
  /** Where what trunk files name by reference is kept (TEL-6). */
  readonly secrets: SecretsConfig;
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
  /** Ways to whoever is on call. */
  readonly alerting: {
    /** Until it is acknowledged. */
    readonly repeatMs: number;
    readonly webhook: { readonly urls: readonly string[]; readonly secret: Secret } | null;
    readonly alertmanager: { readonly urls: readonly string[]; readonly token: Secret | null };
    readonly mail: { readonly url: Secret; readonly from: string; readonly to: readonly string[] } | null;
  };
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
  readonly webhooks: {
    /** `null`: none can be created. */
    readonly dataKey: Secret | null;
    readonly allowedNetworks: readonly string[];
    /** `false`: nowhere but to the allowed networks. */
    readonly publicAllowed: boolean;
    readonly allowHttp: boolean;
    readonly kept: { readonly deliveredMs: number; readonly failedMs: number };
  };
  readonly calls: {
    readonly ratePerS: number;
    readonly maxOpen: number;
    readonly countries: readonly string[];
    readonly numbers: readonly PhoneNumber[];
    readonly personalKeptMs: number | null;
  };
  readonly policy: Policy;
}

export type SecretsConfig =
  /** `isSystemds`: systemd's own, whose modes are read in its way. */
  | { readonly kind: 'directory'; readonly directory: string; readonly isSystemds: boolean }
  /** By the variable's name. */
  | { readonly kind: 'environment'; readonly values: Readonly<Record<string, Secret>> }
  | ({ readonly kind: 'vault' } & VaultConfig);

export interface VaultConfig {
  readonly address: string;
  readonly caFile: string | null;
  readonly namespace: string | null;
  readonly authMount: string;
  readonly roleId: Secret;
  readonly secretId:
    | { readonly kind: 'value'; readonly value: Secret }
    | { readonly kind: 'file'; readonly file: string; readonly isSystemds: boolean };
  readonly isWrapped: boolean;
  readonly mount: string;
  readonly prefix: string | null;
  readonly pollMs: number;
}

export interface EdgeConfig {
  readonly listen: ListenAddress;
  /** Its connections to the engine come from this address, the only one that the engine lets speak as a client. */
  readonly relayAddress: string;
  readonly maxConnections: number;
  /** The core nodes to ask; `null` for role `all`: it is in the same process. */
  readonly core: { readonly urls: readonly string[]; readonly secret: Secret } | null;
}
