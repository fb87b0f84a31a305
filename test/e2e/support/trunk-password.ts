/** What Asterisk holds in its memory as our password at the simulated carrier. */
import type { SandboxFile } from '../../../control-plane/sandbox/sandbox-file.ts';

const DEADLINE_MS = 5_000;

export async function trunkPasswordIn({ url, user, password }: SandboxFile['ari']): Promise<string | null> {
  const response = await fetch(`${url}/ari/asterisk/config/dynamic/res_pjsip/auth/sandbox`, {
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (response.status === 404) return null;
  const fields = (await response.json()) as readonly { attribute: string; value: string }[];
  return fields.find(({ attribute }) => attribute === 'password')?.value ?? null;
}
