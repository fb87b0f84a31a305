/**
 * Formats of the schemas: what a pattern says only roughly. An address that is none costs more than itself: Asterisk drops
 * the whole list in which it stands, and a list of permitted addresses that is not there permits everybody.
 */
import { parseIpAddress, parseIpNetwork } from '../../domain/ip-network.ts';

/** Nothing is of every format: whether there may be nothing, the pattern says. */
export const ADDRESS_FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'ip-address': (text) => text === '' || parseIpAddress(text) !== null,
  'ip-network': (text) => text === '' || parseIpNetwork(text) !== null,
  host: (text) => text === '' || isHost(text),
  'host-port': (text) => text === '' || isHostPort(text),
};

const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const MAX_HOST_LENGTH = 253;

/** An address (IPv6 without brackets), or a host name: whose last part is never a number, or it would be a wrong address. */
function isHost(text: string): boolean {
  const labels = text.split('.');
  if (text.includes(':') || /^\d+$/.test(labels.at(-1) ?? '')) return parseIpAddress(text) !== null;
  return text.length <= MAX_HOST_LENGTH && labels.every((label) => LABEL.test(label));
}

function isHostPort(text: string): boolean {
  const [, ipv6, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*)):([1-9]\d{0,4})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) return false;
  return ipv6 === undefined ? isHost(name) : ipv6.includes(':') && parseIpAddress(ipv6) !== null;
}
