/** A quiet strip under the bar, for supervisors: what is wrong with the gateway itself. Sessions have their cards. */
import type { OpsAlertView } from '../client/gateway-api.ts';
import { element, setText } from './page-elements.ts';

/** More would push the cards away; the rest is counted. */
const MAX_SHOWN = 3;

export interface StripActions {
  /** Rejects when it was not taken. */
  readonly acknowledge: (alert: OpsAlertView) => Promise<unknown>;
}

export class OpsAlertStrip {
  private readonly actions: StripActions;
  private readonly root = element('ops-alerts');

  constructor(actions: StripActions) {
    this.actions = actions;
  }

  show(alerts: readonly OpsAlertView[]): void {
    const own = alerts.filter(({ kind }) => kind !== 'session-alert');
    this.root.hidden = own.length === 0;
    const rows = own.slice(0, MAX_SHOWN).map((alert) => this.rowOf(alert));
    const more = own.length - rows.length;
    if (more > 0) rows.push(rest(more));
    this.root.replaceChildren(...rows);
  }

  private rowOf(alert: OpsAlertView): HTMLElement {
    const row = document.createElement('li');
    row.dataset['testid'] = 'ops-alert';
    row.dataset['kind'] = alert.kind;
    row.dataset['severity'] = alert.severity;
    row.dataset['acknowledged'] = alert.acknowledged === null ? 'no' : 'yes';
    const text = document.createElement('span');
    setText(text, alert.summary);
    const since = document.createElement('time');
    since.dateTime = alert.raisedAt;
    setText(
      since,
      `since ${new Date(alert.raisedAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })}`,
    );
    row.append(text, since, alert.acknowledged === null ? this.button(alert) : note(alert.acknowledged.by));
    return row;
  }

  private button(alert: OpsAlertView): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet';
    button.dataset['testid'] = 'ops-alert-acknowledge';
    setText(button, 'I look after it');
    button.addEventListener('click', () => {
      button.disabled = true;
      this.actions.acknowledge(alert).catch(() => (button.disabled = false));
    });
    return button;
  }
}

function note(by: string): HTMLElement {
  const text = document.createElement('span');
  text.className = 'muted';
  setText(text, `${by} looks after it`);
  return text;
}

function rest(count: number): HTMLElement {
  const row = document.createElement('li');
  row.className = 'muted';
  setText(row, `and ${count} more`);
  return row;
}
