/** Alerts about the gateway that stand, as the feed tells them to supervisors. */
import type { FeedMessage } from '../src/contracts/panel-feed.ts';
import type { OpsAlertView } from './gateway-api.ts';

export class OpsAlertList {
  private readonly alerts = new Map<string, OpsAlertView>();

  /** What nobody cares for yet first, then the worst, then the newest. */
  all(): OpsAlertView[] {
    return [...this.alerts.values()].sort(
      (one, other) =>
        Number(one.acknowledged !== null) - Number(other.acknowledged !== null) ||
        one.severity.localeCompare(other.severity) ||
        other.raisedAt.localeCompare(one.raisedAt),
    );
  }

  /** True when something changed. */
  take(message: FeedMessage): boolean {
    if (message.type !== 'ops.alert' || !('data' in message) || !('kind' in message.data)) return false;
    const { data } = message;
    if (data.state === 'resolved') return this.alerts.delete(data.id);
    this.alerts.set(data.id, data);
    return true;
  }

  /** True when there was something. */
  clear(): boolean {
    const had = this.alerts.size > 0;
    this.alerts.clear();
    return had;
  }
}
