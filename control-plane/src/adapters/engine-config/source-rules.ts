/**
 * What a trunk's sources may be. Asterisk goes by the address before any name (endpoint_identifier_order), so whoever
 * sends from one of them is the carrier: a source too many takes clients, or another carrier's calls, for this one's.
 */
import { isAmong, parseIpNetwork } from '../../domain/ip-network.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { FieldFault } from './schema-check.ts';

/** A carrier speaks from few addresses. A wider network is a mistake, and would make carriers of strangers. */
const LEAST_PREFIX = { 4: 16, 6: 48 } as const;

export const NARROW = `an address, or a network of at least /${LEAST_PREFIX[4]} (IPv4) or /${LEAST_PREFIX[6]} (IPv6): whoever is in it is let in as the carrier`;
const FOREIGN = "addresses without the gateway's own: each of its clients would be taken for the carrier";

export function isTooWide(network: string): boolean {
  const read = parseIpNetwork(network);
  return read !== null && read.prefix < LEAST_PREFIX[read.version];
}

/** One fault a source, for each is a line. `own`: addresses from which the gateway itself speaks to Asterisk. */
export function sourceFaults({ sources }: Trunk, own: readonly string[]): readonly FieldFault[] {
  return sources.flatMap((source, index) => {
    const path = ['sources', String(index)];
    if (isTooWide(source)) return [{ path, expected: NARROW }];
    return isAmong(source, own) ? [{ path, expected: FOREIGN }] : [];
  });
}

/** Sources of this trunk that another one has already. */
export function sharedSources({ sources }: Trunk, others: readonly Trunk[]): readonly FieldFault[] {
  return sources.flatMap((source, index) => {
    const other = others.find((trunk) => isAmong(source, trunk.sources));
    if (other === undefined) return [];
    const expected = `addresses that no other trunk has: ${other.name} has some of these`;
    return [{ path: ['sources', String(index)], expected }];
  });
}
