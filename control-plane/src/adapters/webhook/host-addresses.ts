/**
 * The addresses behind a receiver's name. Not by getaddrinfo: it takes one of the few threads that the journal's fsync
 * needs too, for as long as a dead name server lets it, and a handful of endpoints with such a name would stand in the
 * way of an SOS. DNS is asked by c-ares, which waits for nobody's thread; the hosts file is read by ourselves.
 */
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type FindAddresses = (host: string) => Promise<readonly string[]>;

const HOSTS_FILE = '/etc/hosts';
/** Of one question to one server; c-ares doubles it for each further try. */
const QUESTION_MS = 1200;
const TRIES = 2;
/** One family is there: the other one gets this much longer (RFC 8305 §3). */
const OTHER_FAMILY_MS = 50;
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

export interface HostAddressOptions {
  /** `address:port` each; absent: those of the machine. */
  readonly servers?: readonly string[];
  readonly hostsFile?: string;
}

/** IPv4 first. Rejects, or returns nothing, when there are none. */
export function hostAddresses({ servers, hostsFile = HOSTS_FILE }: HostAddressOptions = {}): FindAddresses {
  const resolver = new Resolver({ timeout: QUESTION_MS, tries: TRIES });
  if (servers) resolver.setServers([...servers]);
  return async (name) => {
    const host = name.toLowerCase().replace(/\.$/, '');
    const known = await fromFile(hostsFile, host);
    if (known.length > 0) return known;
    // RFC 6761 §6.3: never asked of a server.
    if (host === 'localhost' || host.endsWith('.localhost')) return LOOPBACK;
    return fromDns(resolver, host);
  };
}

async function fromFile(file: string, host: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((name) => name.toLowerCase() === host) ? [address] : [];
  });
}

async function fromDns(resolver: Resolver, host: string): Promise<readonly string[]> {
  const none = (): readonly string[] => [];
  const v4 = resolver.resolve4(host).catch(none);
  const v6 = resolver.resolve6(host).catch(none);
  const first = await Promise.race([v4, v6]);
  if (first.length === 0) return [...(await v4), ...(await v6)];
  const late = new AbortController();
  const waited = delay(OTHER_FAMILY_MS, [], { signal: late.signal }).catch(none);
  const [ofV4, ofV6] = await Promise.all([Promise.race([v4, waited]), Promise.race([v6, waited])]);
  late.abort();
  return [...ofV4, ...ofV6];
}
