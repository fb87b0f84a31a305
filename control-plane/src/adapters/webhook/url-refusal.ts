/** Whether a URL may be an endpoint's at all; the addresses behind its name are judged when it is connected to. */
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.ts';

/** Why not, for whoever sent it; null: nothing speaks against it. `allowHttp`: without TLS too. */
export function urlRefusal(text: string, guard: AddressGuard, allowHttp: boolean): string | null {
  const url = URL.parse(text);
  if (!url) return 'it is no URL';
  const schemes = allowHttp ? ['https:', 'http:'] : ['https:'];
  if (!schemes.includes(url.protocol))
    return allowHttp ? 'it begins with neither https:// nor http://' : 'it does not begin with https://';
  if (url.username !== '' || url.password !== '')
    return 'it holds credentials: the signature is what shows who sends';
  if (url.hash !== '') return 'it holds a fragment, which is never sent';
  const address = addressIn(url);
  // Numbers in any notation are dotted decimals by now.
  if (address !== null && !guard.permits(address))
    return 'its address is none that the gateway may send to (HAMRAHI_WEBHOOK_ALLOWED_NETWORKS)';
  return null;
}

/** The address that stands in a URL in place of a name. */
function addressIn({ hostname }: URL): string | null {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? null : host;
}
