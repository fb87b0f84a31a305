/** Getting an SOS through: the same request, under one key, until the gateway answers. */
import type { Backoff } from './backoff.ts';
import { GatewayError, type Activated, type Activation, type GatewayApi } from './gateway-api.ts';

export interface ActivationOptions {
  readonly api: GatewayApi;
  readonly activation: Activation;
  /** A session that was armed before, if any. */
  readonly armedSessionId: string | null;
  readonly backoff: Backoff;
  /** Whether it is still wanted; asked before each attempt. */
  readonly wanted: () => boolean;
  readonly onTrouble: (error: GatewayError) => void;
}

/**
 * Resolves with the session, or `null` when it is no longer wanted. Throws the GatewayError only when the gateway
 * has refused the identity for good: everything else is tried again, an SOS is worth it.
 */
export async function activateUntilAnswered(options: ActivationOptions): Promise<Activated | null> {
  const { api, activation, backoff } = options;
  const key = crypto.randomUUID();
  let armed = options.armedSessionId;
  while (options.wanted()) {
    try {
      return armed === null
        ? await api.activate(activation, key)
        : await api.activateArmed(armed, activation, key);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      options.onTrouble(error);
      const refused = !error.temporary;
      if (refused && armed === null) throw error;
      // The armed session is gone or was never hers: a plain activation needs none.
      if (refused) armed = null;
      else await backoff.wait();
    }
  }
  return null;
}
