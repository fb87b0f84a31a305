/** The operator's page. All that it does with the gateway is PanelClient; the rest is showing. */
import { BrowserPanelMedia, watchNetwork } from '../client/browser-media.ts';
import { GatewayApi, GatewayError, type SessionView } from '../client/gateway-api.ts';
import { GatewaySockets } from '../client/gateway-sockets.ts';
import { PanelClient } from '../client/panel-client.ts';
import { isOver } from '../client/session-watch.ts';
import { placeInQueue } from './card-texts.ts';
import { CardView, type CardActions } from './card-view.ts';
import { bearerOf, readPageCredentials, type Bearer, type PageCredentials } from './page-credentials.ts';
import { OpsAlertStrip } from './ops-alert-strip.ts';
import { element, inputElement, setNotice, setText } from './page-elements.ts';

const TITLE = document.title;
const SHOW_AGE_EVERY_MS = 250;

function runPage({ token, deviceId }: PageCredentials): void {
  const api = new GatewayApi({ baseUrl: new URL('.', location.href).href, token: () => token });
  const client = new PanelClient({
    api,
    sockets: new GatewaySockets({ api, deviceId }),
    media: new BrowserPanelMedia(),
  });
  showConnections(client);
  const bearer = bearerOf(token);
  showShift(client, bearer);
  const strip = new OpsAlertStrip({ acknowledge: (alert) => client.acknowledgeOpsAlert(alert.id) });
  client.on('opsAlerts', (alerts) => strip.show(alerts));
  const cards = new CardTable(client, bearer);
  client.on('trouble', (error) => {
    if (error instanceof GatewayError && !error.temporary)
      setNotice(element('trouble'), `The gateway refuses this panel: ${error.message} (${error.code})`);
  });
  client.on('cards', (sessions) => cards.show(sessions));
  client.on('audio', (reading) => cards.get(reading.sessionId)?.showAudio(reading));
  client.on('audioEnded', ({ sessionId }) => cards.get(sessionId)?.showAudio(null));
  watchNetwork(() => client.networkChanged());
  watchLeaving(client);
  cards.show([]);
  client.start().catch((error: unknown) => setNotice(element('trouble'), String(error)));
}

/**
 * A page that is closed or loaded again says so: otherwise the gateway would take its calls for heard until they time
 * out. Whoever comes back by the browser's history gets a fresh page.
 */
function watchLeaving(client: PanelClient): void {
  window.addEventListener('pagehide', () => void client.stop());
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}

/** The cards on the page, in the client's order. */
class CardTable {
  private readonly client: PanelClient;
  private readonly bearer: Bearer;
  private readonly views = new Map<string, CardView>();
  /** The gateway's clock minus ours, by the newest event. */
  private clockOffsetMs = 0;

  constructor(client: PanelClient, bearer: Bearer) {
    this.client = client;
    this.bearer = bearer;
    client.on('event', ({ at }) => (this.clockOffsetMs = Date.parse(at) - Date.now()));
    setInterval(() => {
      for (const view of this.views.values()) view.showAge(Date.now() + this.clockOffsetMs);
    }, SHOW_AGE_EVERY_MS);
  }

  get(sessionId: string): CardView | undefined {
    return this.views.get(sessionId);
  }

  show(sessions: readonly SessionView[]): void {
    const named = new Set(sessions.map(({ id }) => id));
    for (const [id, view] of this.views) {
      if (named.has(id)) continue;
      view.root.remove();
      this.views.delete(id);
    }
    const table = element('cards');
    sessions.forEach((session, index) => {
      const view = this.viewOf(session, placeInQueue(session, sessions));
      if (table.children[index] !== view.root) table.insertBefore(view.root, table.children[index] ?? null);
    });
    const open = sessions.filter(({ phase }) => !isOver(phase)).length;
    element('empty').hidden = sessions.length > 0;
    document.title = open === 0 ? TITLE : `(${open}) ${TITLE}`;
  }

  private viewOf(session: SessionView, queue: ReturnType<typeof placeInQueue>): CardView {
    const known = this.views.get(session.id);
    if (known !== undefined) {
      known.update(session, queue);
      return known;
    }
    const view = new CardView(session, this.actions(), this.bearer, queue);
    view.showAge(Date.now() + this.clockOffsetMs);
    this.views.set(session.id, view);
    if (!isOver(session.phase)) setText(element('announcement'), `New SOS from ${session.citizenId}`);
    return view;
  }

  private actions(): CardActions {
    const { client } = this;
    return {
      resolve: (session) =>
        askToResolve(session, (reason) =>
          this.order(session, 'Resolving…', 'Resolved.', client.resolve(session.id, reason)),
        ),
      redial: (session) =>
        this.order(
          session,
          'Calling again…',
          'The citizen is being called again.',
          client.redial(session.id),
        ),
      transfer: (session) =>
        this.order(
          session,
          'Calling the next officer…',
          'The next officer is being called. Until then she is yours.',
          client.transfer(session.id, 'next'),
        ),
      join: (session) =>
        this.order(session, 'Asking to be called…', 'You are being called.', client.join(session.id)),
      listen: (session, listening) =>
        listening
          ? this.order(session, 'Asking to be called…', 'You are being called.', client.listen(session.id))
          : this.order(session, 'Leaving…', 'You do not listen any more.', client.stopListening(session.id)),
      acknowledge: (session, kind) => {
        const said = client.acknowledge(session.id, kind);
        if (!said) this.get(session.id)?.showAnswer('Not connected: try again in a moment.');
      },
      setMuted: (session, muted) => client.setMuted(session.id, muted),
    };
  }

  private order(session: SessionView, doing: string, done: string, work: Promise<unknown>): void {
    const say = (text: string): void => this.get(session.id)?.showAnswer(text);
    say(doing);
    work.then(
      () => say(done),
      (error: unknown) =>
        say(error instanceof GatewayError ? `${error.message} (${error.code})` : String(error)),
    );
  }
}

function askToResolve(session: SessionView, resolve: (reason: string | undefined) => void): void {
  const dialog = element('resolve-dialog') as HTMLDialogElement;
  const reason = inputElement('resolve-reason');
  reason.value = '';
  setText(
    element('resolve-citizen'),
    `The voice of ${session.citizenId} is cut, and the microphone is stopped.`,
  );
  element('resolve-cancel').onclick = () => dialog.close();
  element('resolve-confirm').onclick = () => {
    dialog.close();
    resolve(reason.value.trim() === '' ? undefined : reason.value.trim());
  };
  dialog.showModal();
}

/** A supervisor has no shift: the click unlocks the sound, and lets the gateway call this panel. */
function showSound(client: PanelClient, button: HTMLButtonElement): void {
  setText(element('shift-text'), 'Supervisor');
  setText(button, 'Turn on the sound');
  setText(
    element('empty-text'),
    'A new SOS appears here. Turn on the sound to listen in or to take one over.',
  );
  button.disabled = false;
  button.addEventListener('click', () => {
    button.hidden = true;
    void client.openAudio();
  });
}

function showShift(client: PanelClient, { role }: Bearer): void {
  const button = element('shift-button') as HTMLButtonElement;
  if (role === 'supervisor') {
    showSound(client, button);
    return;
  }
  const show = (): void => {
    const { shift } = client;
    document.body.dataset['shift'] = shift;
    const words = { off: 'Off duty', beginning: 'Going on duty…', on: 'On duty' } as const;
    setText(element('shift-text'), words[shift]);
    setText(button, shift === 'off' ? 'Begin shift' : 'End shift');
    button.classList.toggle('primary', shift === 'off');
    button.disabled = false;
    setText(
      element('empty-text'),
      shift === 'off'
        ? 'Begin your shift: it turns on the sound, and calls are answered by themselves.'
        : 'A new SOS appears here, and you hear it at once.',
    );
  };
  client.on('shift', show);
  button.addEventListener('click', () => {
    if (client.shift === 'off') void client.beginShift();
    else client.endShift();
  });
  show();
}

function showConnections(client: PanelClient): void {
  const set = (testId: string, [good, text]: readonly [string, string]): void => {
    const target = element(testId);
    target.dataset['good'] = good;
    setText(target, text);
  };
  const feedTexts = {
    open: ['yes', 'Live'],
    connecting: ['no', 'Connecting…'],
    taken: ['broken', 'Open in another tab'],
    stopped: ['no', 'Not connected'],
  } as const;
  const callTexts = {
    registered: ['yes', 'Calls reach you'],
    connecting: ['no', 'Calls: connecting…'],
    stopped: ['unknown', 'Calls: off'],
  } as const;
  client.on('feed', (feed) => {
    document.body.dataset['feed'] = feed;
    set('state-feed', feedTexts[feed]);
    if (feed === 'taken') showTaken();
    if (feed !== 'open') {
      set('state-engine', ['unknown', 'Engine: not known']);
      set('state-database', ['unknown', 'Database: not known']);
    }
  });
  client.on('connection', (connection) => {
    document.body.dataset['connection'] = connection;
    set('state-calls', callTexts[connection]);
  });
  client.on('health', ({ engine, database }) => {
    document.body.dataset['engine'] = String(engine);
    set('state-engine', engine ? ['yes', 'Engine'] : ['broken', 'Engine is down']);
    set('state-database', database ? ['yes', 'Database'] : ['broken', 'Database is down']);
  });
  set('state-feed', feedTexts.stopped);
  set('state-calls', callTexts.stopped);
  set('state-engine', ['unknown', 'Engine: not known']);
  set('state-database', ['unknown', 'Database: not known']);
}

/** Nothing is followed here any more, so nothing of it is shown. */
function showTaken(): void {
  setNotice(
    element('trouble'),
    'This panel is open in another tab, which has the shift now. To go on here, load this page again.',
  );
  for (const part of ['shift-button', 'cards', 'empty']) element(part).hidden = true;
}

const credentials = readPageCredentials('panel');
if (credentials === null) {
  element('no-token').hidden = false;
  for (const part of ['states', 'shift', 'empty']) element(part).hidden = true;
} else {
  runPage(credentials);
}
