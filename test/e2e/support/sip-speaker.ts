/** Somebody who speaks SIP to the sandbox's edge by hand, message by message. */
import { RawClient, type RequestChanges } from '../../integration/adapters/edge/raw-client.ts';
import type { Gateway } from './gateway.ts';

export interface SipSpeaker {
  readonly client: RawClient;
  /** A request outside of any dialog, as this device unless told otherwise. */
  request(method: string, changes?: RequestChanges): string;
}

/** Rejects with `status` and `problem` when the edge refuses the handshake. */
export async function speakSip(
  gateway: Gateway,
  who: { readonly token: string; readonly aor: string },
): Promise<SipSpeaker> {
  const { urls, sipDomain } = gateway.file;
  gateway.lingers(who.aor);
  const client = await RawClient.connect({
    url: urls.sip,
    aor: who.aor,
    headers: { authorization: `Bearer ${who.token}`, 'x-hamrahi-device': 'phone1' },
  });
  gateway.keep({
    close: () => {
      client.terminate();
      return Promise.resolve();
    },
  });
  const own = `<sip:${who.aor}@${sipDomain}>`;
  return {
    client,
    request: (method, changes = {}) =>
      client.outOfDialog(method, { uri: `sip:${sipDomain}`, from: own, to: own, ...changes }),
  };
}
