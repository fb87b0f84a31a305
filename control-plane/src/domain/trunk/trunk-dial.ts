/** What is written on the wire to call a number by a trunk. */
import { formatNumber } from '../numbering/number-format.ts';
import { PhoneNumber } from '../numbering/phone-number.ts';
import type { Trunk, TrunkHost } from './trunk.ts';

export interface TrunkDial {
  /** SIP request URI in clear: `sip:<number>@<host>:<port>;transport=<t>`. */
  readonly requestUri: string;
  /** The caller's number in the trunk's From format. */
  readonly fromUser: string;
  /** The identity header when it differs from what From says (RFC 3325), else null: the engine derives it. */
  readonly identityHeader: { readonly name: string; readonly value: string } | null;
}

export type TrunkDialResult =
  | { readonly ok: true; readonly value: TrunkDial }
  | { readonly ok: false; readonly code: TrunkDialErrorCode };

export type TrunkDialErrorCode =
  'ERR_TRUNK_NOT_PROVISIONED' | 'ERR_TRUNK_CALLER_ID_NOT_OWNED' | 'ERR_NUMBER_NOT_NATIONAL';

/**
 * By request URI, past the state of the engine's contacts: one missed OPTIONS must not veto an SOS.
 * `callerId`: one of the trunk's own numbers, or null for its default. `host`: by default the first by priority.
 */
export function trunkDial(
  trunk: Trunk,
  number: PhoneNumber,
  callerId: PhoneNumber | null,
  host: TrunkHost | undefined = orderedHosts(trunk)[0],
): TrunkDialResult {
  const caller = chooseCallerId(trunk, callerId);
  if (caller === 'not-owned') return { ok: false, code: 'ERR_TRUNK_CALLER_ID_NOT_OWNED' };
  if (caller === null || host === undefined) return { ok: false, code: 'ERR_TRUNK_NOT_PROVISIONED' };
  const target = formatNumber(number, trunk.numbers.requestUri);
  if (!target.ok) return target;
  const from = formatNumber(caller, trunk.numbers.from);
  if (!from.ok) return from;
  const identity = formatNumber(caller, trunk.numbers.identity);
  if (!identity.ok) return identity;
  const requestUri = `sip:${target.value}@${hostPort(host)};transport=${trunk.transport}`;
  return {
    ok: true,
    value: { requestUri, fromUser: from.value, identityHeader: identityHeader(trunk, host, identity.value) },
  };
}

/** The hosts by priority; equal priorities keep the order of the file. */
export function orderedHosts(trunk: Trunk): readonly TrunkHost[] {
  return [...trunk.hosts].sort((a, b) => a.priority - b.priority);
}

function chooseCallerId(trunk: Trunk, wanted: PhoneNumber | null): PhoneNumber | 'not-owned' | null {
  const { default: chosen, owned, policy } = trunk.callerId;
  const fallback = chosen === null ? null : PhoneNumber.parse(chosen);
  if (fallback === null) return null;
  const caller = wanted ?? fallback;
  const allowed = caller.equals(fallback) || policy === 'any-owned';
  return allowed && owned.includes(caller.reveal()) ? caller : 'not-owned';
}

function identityHeader(trunk: Trunk, host: TrunkHost, user: string): TrunkDial['identityHeader'] {
  const { identityHeader: kind, fromDomain } = trunk.callerId;
  if (kind === 'none') return null;
  if (kind === 'pai' && trunk.numbers.identity === trunk.numbers.from) return null;
  const name = kind === 'pai' ? 'P-Asserted-Identity' : 'P-Preferred-Identity';
  return { name, value: `<sip:${user}@${bracketed(fromDomain ?? host.address)}>` };
}

function hostPort(host: TrunkHost): string {
  return `${bracketed(host.address)}:${host.port}`;
}

/** An IPv6 address as it stands in a URI; anything else as it is. */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
