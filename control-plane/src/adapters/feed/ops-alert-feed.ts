/** Alerts about the gateway on the feeds of supervisors and admins: those that stand once a feed has begun, then each change. */
import type { OpsAlertView } from '../../contracts/alert-api.ts';
import type { FeedMessage } from '../../contracts/panel-feed.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OpsAlertBoard } from '../../ports/ops-alerts.ts';
import type { FeedConnection } from './feed-connection.ts';
import { isoTime } from './iso-time.ts';

export interface OpsAlertFeedOptions {
  readonly alerts: Pick<OpsAlertBoard, 'standing' | 'watch'>;
  readonly clock: Clock;
}

export class OpsAlertFeed {
  readonly #options: OpsAlertFeedOptions;
  /** Who was told what stands, and so hears of changes. */
  readonly #connections = new Set<FeedConnection>();

  constructor(options: OpsAlertFeedOptions) {
    this.#options = options;
  }

  /** Returns how to stop. */
  start(): () => void {
    return this.#options.alerts.watch((alert) => {
      const message = this.#message(alert);
      for (const connection of this.#connections) connection.send(message);
    });
  }

  /** Its snapshot, or what it had missed, was sent. */
  begun(connection: FeedConnection): void {
    if (connection.panel.role === 'operator') return;
    for (const alert of this.#options.alerts.standing()) connection.send(this.#message(alert));
    this.#connections.add(connection);
  }

  ended(connection: FeedConnection): void {
    this.#connections.delete(connection);
  }

  #message(alert: OpsAlertView): FeedMessage {
    return { type: 'ops.alert', at: isoTime(this.#options.clock.now()), data: alert };
  }
}
