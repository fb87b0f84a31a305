/** Getting an SOS through: the same request, under one key, until the gateway answers. */
import type { Backoff } from './backoff.ts';
import { GatewayError, type Activated, type Activation, type GatewayApi } from './gateway-api.ts';

export interface ActivationOptions {
  readonly api: GatewayApi;
  readonly activation: Activation;
  readonly backoff: Backoff;
  /** Whether it is still wanted; asked before each attempt. */
  readonly wanted: () => boolean;
  readonly onTrouble: (error: GatewayError) => void;
}

/**
 * Resolves with the session, or `null` when it is no longer wanted. Throws the GatewayError only when the gateway
 * has refused the identity: everything else is tried again, for ever.
 */
export async function activateUntilAnswered(options: ActivationOptions): Promise<Activated | null> {
  const { api, activation, backoff } = options;
  const key = crypto.randomUUID();
  while (options.wanted()) {
    try {
      return await api.activate(activation, key);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      options.onTrouble(error);
      if (!error.temporary) throw error;
      await backoff.wait();
    }
  }
  return null;
}
