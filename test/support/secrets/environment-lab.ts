/** Secrets in variables, read as the settings read them. */
import {
  EnvironmentSecrets,
  variableNameOf,
} from '../../../control-plane/src/adapters/secrets/environment-secrets.ts';
import { secretVariables } from '../../../control-plane/src/config/secret-variables.ts';
import type { Secret } from '../../../control-plane/src/domain/secret.ts';
import type { SecretLab } from '../../contract/secret-source.contract.ts';
import { keptAlerts } from '../kept-alerts.ts';
import { keptLog } from '../kept-log.ts';
import { silentMetrics } from '../silent-metrics.ts';

export function openEnvironmentLab(): SecretLab {
  const values: Record<string, Secret> = {};
  const [alerts, log] = [keptAlerts(), keptLog()];
  const source = new EnvironmentSecrets({ values, alerts, log, metrics: silentMetrics });
  return {
    source,
    alerts,
    log,
    put: (put) => {
      const env = Object.fromEntries(
        Object.entries(put).map(([reference, value]) => [variableNameOf(reference), value]),
      );
      Object.assign(values, secretVariables(env));
      return Promise.resolve();
    },
    close: () => source.stop(),
  };
}
