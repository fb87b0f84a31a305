/** One POST with a deadline. What goes wrong has a code, and names no address. */
import { AlertError } from '../../ports/ops-alerts.ts';

const DEADLINE_MS = 10_000;

/** Resolves when it was taken (2xx). No redirect is followed: a signature is for the one who has the secret. */
export async function postJson(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const response = await answerOf(url, body, headers);
  await response.body?.cancel();
  if (response.status === 401 || response.status === 403)
    throw new AlertError('ERR_ALERT_AUTH', `answered ${response.status}`);
  if (!response.ok) throw new AlertError('ERR_ALERT_REFUSED', `answered ${response.status}`);
}

async function answerOf(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'hamrahi-voice-gateway', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    if (isLate) throw new AlertError('ERR_ALERT_TIMEOUT', `no answer within ${DEADLINE_MS} ms`);
    throw new AlertError(
      isCertificateTrouble(error) ? 'ERR_ALERT_AUTH' : 'ERR_ALERT_UNREACHABLE',
      'no answer',
    );
  }
}

function isCertificateTrouble(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS/.test(code);
}
