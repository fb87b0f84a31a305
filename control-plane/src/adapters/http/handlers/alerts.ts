/** Alerts for whoever is on call: to be seen, and to be acknowledged. */
import type { OpsAlertBoard } from '../../../ports/ops-alerts.ts';
import { failure, reply, type Handlers } from '../http-call.ts';

export function alertHandlers(
  alerts: Pick<OpsAlertBoard, 'list' | 'acknowledge'>,
): Pick<Handlers, 'listAlerts' | 'acknowledgeAlert'> {
  return {
    listAlerts: ({ query: { state = null, before = null, limit } }) => {
      const found = alerts.list({ state, before, limit });
      const last = found.at(-1);
      return Promise.resolve(
        reply(200, { alerts: found, next: found.length === limit && last ? last.id : null }),
      );
    },
    acknowledgeAlert: ({ caller, params: { id } }) => {
      const result = alerts.acknowledge(id, caller.subject);
      return Promise.resolve(
        result.ok ? reply(200, result.alert) : failure(result.code, 'see GET /v1/alerts'),
      );
    },
  };
}
