/**
 * Which addresses webhooks may go to. Whoever may write a webhook's URL must not be able to make the gateway talk to
 * what stands beside it: the engine, the database, a cloud's metadata service.
 */
import { BlockList, isIP } from 'node:net';

/** IANA's special-purpose registry (RFC 6890), and multicast. */
const REFUSED_V4: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Global unicast. Everything else of IPv6 is loopback, local, multicast, or IPv4 in other clothes (64:ff9b::/96, ::/96). */
const GLOBAL_V6 = '2000::/3';
/** Inside it: protocol assignments with Teredo, documentation, 6to4. */
const REFUSED_V6: readonly string[] = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

export interface AddressGuardSettings {
  /** CIDR: refused by nature, and wanted all the same. */
  readonly allowedNetworks: readonly string[];
  /** `false`: nothing but the allowed networks; a sandbox reaches nobody outside. */
  readonly publicAllowed: boolean;
}

export class AddressGuard {
  readonly #allowed: BlockList;
  readonly #refused = listOf([...REFUSED_V4, ...REFUSED_V6]);
  readonly #global = listOf([GLOBAL_V6]);
  readonly #publicAllowed: boolean;

  constructor({ allowedNetworks, publicAllowed }: AddressGuardSettings) {
    this.#allowed = listOf(allowedNetworks);
    this.#publicAllowed = publicAllowed;
  }

  /** What is no address is not permitted. */
  permits(text: string): boolean {
    const address = mappedV4(text) ?? text;
    const version = isIP(address);
    // A zone (`%eth0`) belongs to link-local addresses.
    if (version === 0 || address.includes('%')) return false;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (this.#allowed.check(address, family)) return true;
    if (!this.#publicAllowed || this.#refused.check(address, family)) return false;
    return version === 4 || this.#global.check(address, family);
  }
}

/** The IPv4 address inside `::ffff:…`, however it is written; null: it is none. */
function mappedV4(text: string): string | null {
  if (isIP(text) !== 6 || text.includes('%')) return null;
  // As WHATWG URLs write IPv6: compressed, in hexadecimal.
  const plain = URL.parse(`http://[${text}]/`)?.hostname ?? '';
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(plain) ?? [];
  if (high === undefined || low === undefined) return null;
  const bytes = [high, low].flatMap((part) => [
    Number.parseInt(part, 16) >> 8,
    Number.parseInt(part, 16) & 255,
  ]);
  return bytes.join('.');
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
