/** Addresses and networks as settings write them: `10.1.2.0/24,fd00::/8`. */
import { isIP } from 'node:net';
import { parseIpAddress } from '../domain/ip-network.ts';

const MAX_NETWORKS = 100;

export function parseAddress(text: string): string | null {
  return parseIpAddress(text) === null ? null : text;
}

export function parseNetworks(text: string): readonly string[] | null {
  const networks = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  return networks.length <= MAX_NETWORKS && networks.every(isNetwork) ? networks : null;
}

function isNetwork(text: string): boolean {
  const [, address = '', prefix = ''] = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefix) <= (version === 4 ? 32 : 128);
}
