/** IPv4 and IPv6 addresses and networks, as trunk files and settings write them. `null` means "not one". */

export interface IpNetwork {
  readonly version: 4 | 6;
  /** Of the address as a number; those behind the prefix do not count. */
  readonly bits: bigint;
  readonly prefix: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

/** No port, no zone, no leading zeros; an IPv4 address is written as one, never inside IPv6 (`::ffff:…`). */
export function parseIpAddress(text: string): IpNetwork | null {
  const version = text.includes(':') ? 6 : 4;
  const bits = version === 6 ? bitsOfIpv6(text) : bitsOfIpv4(text);
  return bits === null ? null : { version, bits, prefix: WIDTH[version] };
}

/** `address/prefix`, or an address alone. */
export function parseIpNetwork(text: string): IpNetwork | null {
  const slash = text.indexOf('/');
  if (slash < 0) return parseIpAddress(text);
  const address = parseIpAddress(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  if (address === null || !/^(0|[1-9]\d{0,2})$/.test(prefixText)) return null;
  const prefix = Number(prefixText);
  return prefix > WIDTH[address.version] ? null : { ...address, prefix };
}

/** Whether some address is in both: then one of the two holds the other. */
export function shareAddresses(a: IpNetwork, b: IpNetwork): boolean {
  if (a.version !== b.version) return false;
  const behind = BigInt(WIDTH[a.version] - Math.min(a.prefix, b.prefix));
  return a.bits >> behind === b.bits >> behind;
}

/** Whether a text that is an address, or a network, has one in common with these. */
export function isAmong(text: string, networks: readonly string[]): boolean {
  const one = parseIpNetwork(text);
  return one !== null && networks.some((other) => sharesWith(one, parseIpNetwork(other)));
}

function sharesWith(one: IpNetwork, other: IpNetwork | null): boolean {
  return other !== null && shareAddresses(one, other);
}

function bitsOfIpv4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

/** RFC 4291 §2.2, without the form that ends in an IPv4 address. */
function bitsOfIpv6(text: string): bigint | null {
  const [before = '', after, ...more] = text.split('::');
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const missing = 8 - head.length - tail.length;
  if (more.length > 0 || (after === undefined ? missing !== 0 : missing < 1)) return null;
  const all = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!all.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return null;
  const bits = all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return bits >> 32n === 0xffffn ? null : bits;
}
