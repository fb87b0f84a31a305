/** One card of the panel: made once, then only its words change, so that focus and meters stay where they are. */
import type { AudioReading } from '../client/audio-monitor.ts';
import type { SessionView } from '../client/gateway-api.ts';
import type { AlertKind } from '../client/panel-client.ts';
import { isOver } from '../client/session-watch.ts';
import {
  ageText,
  alertText,
  assignmentText,
  fallbackText,
  flagsText,
  mayHandOver,
  mayJoin,
  mayListen,
  mayRedial,
  phaseText,
  type placeInQueue,
} from './card-texts.ts';
import type { Bearer } from './page-credentials.ts';
import { setMeter, setText } from './page-elements.ts';
import { formatLocation } from './position.ts';

type Queue = ReturnType<typeof placeInQueue>;

export interface CardActions {
  resolve(session: SessionView): void;
  redial(session: SessionView): void;
  transfer(session: SessionView): void;
  join(session: SessionView): void;
  listen(session: SessionView, listening: boolean): void;
  acknowledge(session: SessionView, kind: AlertKind): void;
  setMuted(session: SessionView, muted: boolean): void;
}

const AUDIO_TEXTS: Record<AudioReading['state'], { readonly text: string; readonly detail: string }> = {
  waiting: { text: 'Waiting for the voice', detail: 'Answered; no packet has come yet.' },
  sound: { text: 'You hear the citizen', detail: '' },
  silence: {
    text: 'Silence: packets, no sound',
    detail: 'The phone sends, but nothing can be heard. It may be locked or covered.',
  },
  lost: { text: 'Voice lost', detail: 'No packets any more. The gateway tries to get it back.' },
};

export class CardView {
  readonly root: HTMLElement;
  private readonly actions: CardActions;
  private readonly bearer: Bearer;
  private session: SessionView;
  private muted = false;

  constructor(session: SessionView, actions: CardActions, bearer: Bearer, queue: Queue = null) {
    const template = document.querySelector<HTMLTemplateElement>('template#card');
    const root = template?.content.firstElementChild?.cloneNode(true);
    if (!(root instanceof HTMLElement)) throw new Error('the page has no card template');
    this.root = root;
    this.session = session;
    this.actions = actions;
    this.bearer = bearer;
    this.onClick('resolve', () => actions.resolve(this.session));
    this.onClick('redial', () => actions.redial(this.session));
    this.onClick('transfer', () => actions.transfer(this.session));
    this.onClick('join', () => actions.join(this.session));
    this.onClick('listen', () => actions.listen(this.session, !this.isListening()));
    this.onClick('mute', () => this.toggleMute());
    root.dataset['sessionId'] = session.id;
    this.showAudio(null);
    this.update(session, queue);
  }

  update(session: SessionView, queue: Queue = null): void {
    // What a click was answered is over when somebody else has her.
    if (session.operatorId !== this.session.operatorId) this.showAnswer('');
    this.session = session;
    const { text, tone } = phaseText(session);
    const open = session.alerts.some((alert) => !alert.acknowledged);
    const { dataset } = this.root;
    dataset['phase'] = session.phase;
    dataset['tone'] = open && tone !== 'over' ? 'alarm' : tone;
    dataset['streaming'] = String(session.streaming);
    dataset['heard'] = String(session.heard);
    dataset['queuePlace'] = String(queue?.place ?? '');
    dataset['sessionSeq'] = String(session.sessionSeq);
    setText(this.slot('citizen'), session.citizenId);
    setText(this.slot('zone'), session.zoneId === null ? 'no zone' : `zone ${session.zoneId}`);
    setText(this.slot('assignment'), assignmentText(session, queue));
    setText(this.slot('phase'), text);
    setText(
      this.slot('location'),
      session.location === null ? 'Not known' : formatLocation(session.location),
    );
    this.fill('fallback', fallbackText(session));
    this.fill('flags', flagsText(session));
    setText(this.slot('session'), session.id);
    this.showAlerts();
    const over = isOver(session.phase);
    this.button('resolve').hidden = over;
    this.button('redial').hidden = !mayRedial(session);
    this.button('transfer').hidden = !mayHandOver(session, this.bearer);
    this.button('join').hidden = !mayJoin(session, this.bearer);
    this.button('listen').hidden = !mayListen(session, this.bearer);
    setText(this.button('listen'), this.isListening() ? 'Stop listening' : 'Listen in');
    this.slot('audio').hidden = over;
    if (this.slot('audio').dataset['audio'] === 'none') this.showAudio(null);
  }

  private isListening(): boolean {
    return this.session.listeners.includes(this.bearer.subject);
  }

  /** `null`: no call for it plays here. */
  showAudio(reading: AudioReading | null): void {
    const box = this.slot('audio');
    const meter = this.meter();
    const state = reading?.state ?? 'none';
    box.dataset['audio'] = state;
    meter.dataset['audio'] = state;
    meter.dataset['packets'] = String(reading?.packets ?? 0);
    setMeter(meter, reading?.levelDb ?? null);
    const { text, detail } = reading === null ? this.absentAudio() : AUDIO_TEXTS[reading.state];
    setText(this.slot('audio-text'), this.muted && reading?.state === 'sound' ? 'Muted here' : text);
    setText(this.slot('audio-detail'), detail);
  }

  /** `nowMs` by the gateway's clock. */
  showAge(nowMs: number): void {
    const { activatedAt, resolvedAt } = this.session;
    if (activatedAt === null) return;
    const endMs = resolvedAt === null ? nowMs : Date.parse(resolvedAt);
    setText(this.slot('age'), ageText(endMs - Date.parse(activatedAt)));
  }

  /** What came of a click. */
  showAnswer(text: string): void {
    setText(this.slot('answer'), text);
  }

  private absentAudio(): { readonly text: string; readonly detail: string } {
    if (this.session.phase === 'phone-connected')
      return { text: 'On the telephone', detail: 'Speak with the citizen on the duty phone.' };
    if (this.session.heard) return { text: 'Heard by another officer', detail: '' };
    if (this.session.streaming) return { text: 'The microphone is on', detail: 'No officer hears it yet.' };
    return { text: 'No voice yet', detail: '' };
  }

  private showAlerts(): void {
    const list = this.slot('alerts');
    const key = JSON.stringify(this.session.alerts);
    if (list.dataset['shown'] === key) return;
    list.dataset['shown'] = key;
    list.replaceChildren(...this.session.alerts.map((alert) => this.alertItem(alert)));
  }

  private alertItem({ kind, acknowledged }: SessionView['alerts'][number]): HTMLElement {
    const item = document.createElement('li');
    item.dataset['kind'] = kind;
    item.dataset['acknowledged'] = acknowledged ? 'yes' : 'no';
    const text = document.createElement('span');
    text.textContent = acknowledged ? `${alertText(kind)} (seen)` : alertText(kind);
    item.append(text);
    if (!acknowledged) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = 'Seen';
      button.dataset['testid'] = 'acknowledge-button';
      button.addEventListener('click', () => this.actions.acknowledge(this.session, kind));
      item.append(button);
    }
    return item;
  }

  private toggleMute(): void {
    this.muted = !this.muted;
    const button = this.button('mute');
    button.setAttribute('aria-pressed', String(this.muted));
    setText(button, this.muted ? 'Listen again' : 'Mute');
    this.actions.setMuted(this.session, this.muted);
  }

  private fill(name: 'fallback' | 'flags', text: string): void {
    this.slot(name).hidden = text === '';
    setText(this.slot(`${name}-text`), text);
  }

  private slot(name: string): HTMLElement {
    return this.find(`[data-slot="${name}"]`);
  }

  private meter(): HTMLElement {
    return this.find('.meter');
  }

  private button(action: string): HTMLElement {
    return this.find(`[data-action="${action}"]`);
  }

  private onClick(action: string, act: () => void): void {
    this.button(action).addEventListener('click', act);
  }

  private find(selector: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(selector);
    if (found === null) throw new Error(`a card has no ${selector}`);
    return found;
  }
}
