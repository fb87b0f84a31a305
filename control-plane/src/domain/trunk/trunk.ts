/** A carrier's SIP trunk as data: everything in which carriers differ. The files are sip-trunks/<name>.yml. */
import type { NumberFormat } from '../numbering/number-format.ts';
import type { LegOutcome } from '../session/leg.ts';

export type SipTransport = 'udp' | 'tcp' | 'tls';

export interface TrunkHost {
  /** IPv4, IPv6 (without brackets) or a host name. */
  readonly address: string;
  readonly port: number;
  /** Lower is tried first. */
  readonly priority: number;
}

/** Secrets are references into the secrets manager (`trunks/<name>/password`), never values. */
export type TrunkAuth =
  /** The carrier knows us by our address. */
  | { readonly kind: 'ip' }
  /** The carrier challenges each call (RFC 8760 digest); `ip-digest`: from our address alone. */
  | { readonly kind: 'digest' | 'ip-digest'; readonly username: string; readonly secret: string }
  /**
   * We register, and are challenged for calls too; `secret` null: never, the carrier knows us by our address. `registrar`
   * is host:port, `domain` the domain of our address of record.
   */
  | {
      readonly kind: 'registration';
      readonly username: string;
      readonly secret: string | null;
      readonly registrar: string;
      readonly domain: string;
      readonly expirySeconds: number;
    };

/** What a final SIP status means on this trunk, where it differs from the general table. */
export interface CauseOverride {
  readonly sipStatus: number;
  readonly outcome: LegOutcome;
  readonly tryOtherTrunk: boolean;
}

export interface Trunk {
  /** Also the name of the engine's endpoint: letters, digits, hyphens. */
  readonly name: string;
  readonly description: string;
  /** Order among trunks, lower first. Health reorders, it never excludes. */
  readonly priority: number;
  readonly transport: SipTransport;
  /** Which of the gateway's own SIP transports it leaves by (a second network card has its own). */
  readonly localTransport: string;
  readonly hosts: readonly TrunkHost[];
  /** Addresses and networks from which the carrier sends requests (calls, and BYE in ours). */
  readonly sources: readonly string[];
  /** host:port of a proxy that every request passes, or null. */
  readonly outboundProxy: string | null;
  readonly auth: TrunkAuth;
  readonly media: {
    readonly encryption: 'none' | 'sdes';
    /** Addresses and networks of the carrier's media: for the firewall and host routes. */
    readonly addresses: readonly string[];
    /** In order of preference. */
    readonly codecs: readonly ('alaw' | 'ulaw' | 'g722')[];
    readonly dtmf: 'rfc4733' | 'inband' | 'info' | 'auto';
  };
  readonly numbers: {
    readonly requestUri: NumberFormat;
    readonly from: NumberFormat;
    /** In P-Asserted-Identity or P-Preferred-Identity. */
    readonly identity: NumberFormat;
    /** `;user=phone` on request URI, From and To. */
    readonly userPhone: boolean;
  };
  readonly callerId: {
    /** `default-only`: always the default DID; `any-owned`: a call may ask for another of the owned ones. */
    readonly policy: 'default-only' | 'any-owned';
    /** E.164 with plus, one of `owned`; null until the carrier has given one. */
    readonly default: string | null;
    readonly owned: readonly string[];
    /** RFC 3325. */
    readonly identityHeader: 'pai' | 'ppi' | 'none';
    /** Domain of From and of the identity header; null: our own address. */
    readonly fromDomain: string | null;
  };
  readonly sip: {
    /** RFC 4028. */
    readonly sessionTimers: 'no' | 'yes' | 'required' | 'always';
    readonly sessionExpiresSeconds: number;
    readonly sessionMinimumSeconds: number;
    /** RFC 3262: `yes` offers support, `required` insists. */
    readonly reliableProvisional: 'no' | 'yes' | 'required';
    /** 0: no OPTIONS (a carrier that does not answer them). */
    readonly optionsIntervalSeconds: number;
    readonly optionsTimeoutSeconds: number;
  };
  readonly capacity: {
    readonly channels: number;
    readonly callsPerSecond: number;
    /** Channels kept free for SOS calls. */
    readonly sosReserve: number;
  };
  readonly causeOverrides: readonly CauseOverride[];
  /** Within this an Indian mobile shows 18x: a hedge never comes earlier, however fast a morning was. */
  readonly p95PostDialDelayMs: number;
  readonly failover: {
    /** Without any response to an INVITE, not even 100, for this long: the next trunk. */
    readonly noResponseMs: number;
    /** Whether an SOS that shows neither 18x nor 183 within this trunk's usual delay gets another trunk beside it. */
    readonly hedge: boolean;
    /** A measured delay moves the hedge later, never past this. */
    readonly hedgeMostMs: number;
  };
}

/** The reference of the trunk's password; null: it has none. */
export function secretOf({ auth }: Pick<Trunk, 'auth'>): string | null {
  return auth.kind === 'ip' ? null : auth.secret;
}
