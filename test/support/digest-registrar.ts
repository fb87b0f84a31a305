/** A carrier's registrar on loopback: it challenges, checks the answer against its password, and keeps who is there. */
import type { SipMessage } from '../../control-plane/sandbox/carrier/sip-message.ts';
import { DigestCarrier, type DigestAccount, type DigestAlgorithm } from './sip-digest.ts';
import { headerOf, openUdpPeer, type SipPeer } from './sip-peer.ts';

export interface SeenRegister {
  readonly at: number;
  readonly request: SipMessage;
  readonly expires: number;
  /** Whether it was let in. */
  readonly accepted: boolean;
}

export interface SipRegistrar {
  readonly host: string;
  readonly port: number;
  readonly peer: SipPeer;
  /** Its password may be changed, as a carrier's is; null: it lets everybody in. */
  account: DigestAccount | null;
  /** Every REGISTER, in order. */
  readonly seen: readonly SeenRegister[];
  /** Somebody's contact stands at this moment. */
  readonly isRegistered: boolean;
  /** A contact that stood was taken away, at some time. */
  readonly wasAway: boolean;
  /** The first REGISTER from `from` of `seen` on that fits. Throws after `deadlineMs`. */
  until(fits: (register: SeenRegister) => boolean, deadlineMs: number, from?: number): Promise<SeenRegister>;
  /** What anything but a REGISTER gets; by default everything is fine, and nobody calls. */
  answerOthers: (request: SipMessage) => readonly string[];
  close(): void;
}

export async function openRegistrar(
  options: {
    readonly account?: DigestAccount | null;
    readonly algorithm?: DigestAlgorithm;
    readonly host?: string;
    /** Where the gateway's requests come from; its answers go there. */
    readonly gateway?: { readonly host: string; readonly port: number };
    readonly port?: number;
  } = {},
): Promise<SipRegistrar> {
  const gateway = options.gateway ?? { host: '127.0.0.1', port: 9 };
  const peer = await openUdpPeer(options.host ?? '127.0.0.2', gateway, options.port ?? 0);
  const carrier = new DigestCarrier(options.algorithm);
  const seen: SeenRegister[] = [];
  const watchers = new Set<() => void>();
  let bound = false;
  let wasAway = false;
  const registered = (request: SipMessage): readonly string[] => {
    const { account } = registrar;
    const expires = Number(
      headerOf(request, 'expires') ?? /;expires=(\d+)/.exec(headerOf(request, 'contact') ?? '')?.[1],
    );
    const accepted = account === null || carrier.accepts(request, account);
    if (accepted) {
      wasAway ||= bound && expires === 0;
      bound = expires > 0;
    }
    seen.push({ at: performance.now(), request, expires, accepted });
    for (const watch of [...watchers]) watch();
    if (!accepted) return [carrier.challenge()];
    return [`200 OK\r\nContact: ${headerOf(request, 'contact') ?? ''};expires=${expires}`];
  };
  const registrar: SipRegistrar = {
    host: peer.host,
    port: peer.port,
    peer,
    account: options.account ?? null,
    seen,
    get isRegistered() {
      return bound;
    },
    get wasAway() {
      return wasAway;
    },
    until: (fits, deadlineMs, from = 0) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(watch);
          const there = seen.slice(from).map(described).join(', ') || 'none';
          reject(new Error(`no such REGISTER within ${deadlineMs} ms; there were: ${there}`));
        }, deadlineMs);
        const watch = (): void => {
          const found = seen.slice(from).find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
      }),
    answerOthers: () => ['200 OK'],
    close: () => peer.close(),
  };
  peer.answer = (request) =>
    request.cseq.method === 'REGISTER' ? registered(request) : registrar.answerOthers(request);
  return registrar;
}

function described({ at, request, expires, accepted }: SeenRegister): string {
  const proof = headerOf(request, 'authorization') === undefined ? 'bare' : 'with proof';
  return `${proof} for ${expires} s at ${at.toFixed(0)} ms: ${accepted ? 'let in' : 'refused'}`;
}
