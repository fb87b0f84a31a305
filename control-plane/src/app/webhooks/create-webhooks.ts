/** Webhooks of a node, put together: the API's use cases, and the dispatcher that runs while the node acts. */
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { OpsAlert, OpsAlerts } from '../../ports/ops-alerts.ts';
import type { WebhookSecrets, WebhookSender } from '../../ports/webhook-sender.ts';
import type { DeliveryQueue, WebhookEndpointStore } from '../../ports/webhook-store.ts';
import type { Webhooks } from '../../ports/webhooks.ts';
import { EndpointHealth } from './endpoint-health.ts';
import { WebhookDesk } from './webhook-desk.ts';
import { WebhookDispatcher } from './webhook-dispatcher.ts';
import { keepWebhooks } from './webhook-upkeep.ts';

export interface WebhookPorts {
  readonly endpoints: WebhookEndpointStore;
  readonly queue: DeliveryQueue;
  readonly sender: WebhookSender;
  readonly secrets: WebhookSecrets;
  readonly alerts: OpsAlerts;
  readonly kept: { readonly deliveredMs: number; readonly failedMs: number };
  /** A UUID. */
  readonly newId: () => string;
  /** From 0 to 1. */
  readonly chance: () => number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface WebhookService {
  readonly api: Webhooks;
  /** Something was committed that may be told: costs nothing, and may be called at every commit. */
  nudge(): void;
  /** From now on this node delivers: it must be the only one that acts. */
  start(): void;
  stop(): Promise<void>;
  /** Whether an alert that an earlier process raised of an endpoint may be true still. */
  minds(alert: OpsAlert): boolean;
}

export function createWebhooks(ports: WebhookPorts): WebhookService {
  const { queue, newId } = ports;
  const health = new EndpointHealth(ports.alerts, ports.log);
  const dispatcher = new WebhookDispatcher({ ...ports, owner: newId(), health });
  const nudge = (): void => dispatcher.nudge();
  const desk = new WebhookDesk({ ...ports, nudge, changed: (id) => health.forget(id) });
  let stopUpkeep: () => void = () => undefined;
  return {
    api: desk,
    nudge,
    minds: (alert) => health.minds(alert),
    start: () => {
      dispatcher.start();
      stopUpkeep = keepWebhooks({ ...ports, queue });
    },
    stop: async () => {
      stopUpkeep();
      await dispatcher.stop();
    },
  };
}
