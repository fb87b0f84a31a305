/**
 * Who this page speaks for: token and device from the address' fragment (`#token=…&device=…`), which browsers never
 * send to a server. It is taken out of the address bar at once and kept for this tab only.
 */
export interface PageCredentials {
  readonly token: string;
  readonly deviceId: string;
}

/** Who the token says that this is: to show what may be asked for. Only the gateway judges it. */
export interface Bearer {
  readonly role: string;
  readonly subject: string;
}

/** Reads a token's claims without checking them (RFC 7519 §3); nobody when it is none. */
export function bearerOf(token: string): Bearer {
  try {
    const [, payload = ''] = token.split('.');
    const { role, sub } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as {
      readonly role?: unknown;
      readonly sub?: unknown;
    };
    return { role: typeof role === 'string' ? role : '', subject: typeof sub === 'string' ? sub : '' };
  } catch {
    return { role: '', subject: '' };
  }
}

const DEVICE = /^[A-Za-z0-9_]{1,64}$/;

/** `page` keeps the citizen's and the operator's token apart when both are opened in one tab. `null`: none, or no valid one. */
export function readPageCredentials(page: 'citizen' | 'panel'): PageCredentials | null {
  const key = `hamrahi.${page}`;
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has('token')) {
    sessionStorage.setItem(key, JSON.stringify([given.get('token'), given.get('device')]));
    history.replaceState(null, '', location.pathname + location.search);
  }
  const kept = JSON.parse(sessionStorage.getItem(key) ?? '[]') as unknown[];
  const [token, deviceId] = kept;
  if (typeof token !== 'string' || token === '' || typeof deviceId !== 'string') return null;
  return DEVICE.test(deviceId) ? { token, deviceId } : null;
}
