/** The citizen's page. All that it does with the gateway is CitizenClient; the rest is showing. */
import { browserCitizenMedia, watchNetwork } from '../client/browser-media.ts';
import { CitizenClient } from '../client/citizen-client.ts';
import { GatewayApi, type Location, type SessionView } from '../client/gateway-api.ts';
import { GatewaySockets } from '../client/gateway-sockets.ts';
import { createLevelMeter, type LevelMeter } from '../client/level-meter.ts';
import { citizenTexts } from './citizen-texts.ts';
import { watchHold } from './hold-button.ts';
import { readPageCredentials, type PageCredentials } from './page-credentials.ts';
import { element, inputElement, setMeter, setNotice, setText } from './page-elements.ts';
import { formatLocation, parseTyped, PositionWatch } from './position.ts';

const HOLD_MS = 1_000;
const SHOW_EVERY_MS = 100;
const TWO_PRESS_MS = 5_000;
/** Where the running SOS is kept, so that a reloaded page goes on with it. */
const SESSION_KEY = 'hamrahi.citizen.session';

const page = element('citizen');
function runPage({ token, deviceId }: PageCredentials): void {
  const api = new GatewayApi({ baseUrl: new URL('.', location.href).href, token: () => token });
  const client = new CitizenClient({
    api,
    sockets: new GatewaySockets({ api, deviceId }),
    media: browserCitizenMedia,
  });
  const position = new PositionWatch(() => showPosition());
  let session: SessionView | null = null;

  function typed(): Location | null {
    return parseTyped(inputElement('latitude-input').value, inputElement('longitude-input').value);
  }

  function here(): Location | undefined {
    return position.current(typed()).location ?? undefined;
  }

  function showPosition(): void {
    const { state, location: at } = position.current(typed());
    const words = { unknown: 'Not known yet', asking: 'Searching…', refused: 'Not allowed' } as const;
    const target = element('location');
    target.dataset['position'] = state;
    setText(target, at === null ? words[state as keyof typeof words] : formatLocation(at));
  }

  function showState(): void {
    const { state } = client;
    const running = state.name === 'calling' || state.name === 'streaming';
    page.dataset['state'] = state.name;
    page.dataset['waitingFor'] = state.name === 'calling' ? state.waitingFor : '';
    page.dataset['reason'] = state.name === 'ended' ? state.reason : '';
    page.dataset['phase'] = session?.phase ?? '';
    const texts = citizenTexts(state, session);
    setText(element('headline'), texts.headline);
    setText(element('explanation'), texts.explanation);
    setText(element('on-air').querySelector('strong') ?? element('on-air'), texts.onAir);
    setText(element('session-id'), client.sessionId === null ? '' : `SOS ${client.sessionId}`);
    if (running && client.sessionId !== null) sessionStorage.setItem(SESSION_KEY, client.sessionId);
    if (state.name === 'ended') sessionStorage.removeItem(SESSION_KEY);
    if (running) void keepScreenOn();
  }

  client.on('state', (state) => {
    if (state.name === 'connecting' || (state.name === 'calling' && client.sessionId === null))
      session = null;
    if (state.name === 'connecting') setNotice(element('trouble'), '');
    showState();
  });
  client.on('session', (view) => {
    session = view;
    showState();
  });
  client.on('connection', (connection) => {
    page.dataset['connection'] = connection;
    const target = element('connection');
    target.dataset['connection'] = connection;
    const words = { connecting: 'Connecting…', registered: 'Connected', stopped: 'Ready' } as const;
    setText(target, words[connection]);
  });
  client.on('trouble', (error) => {
    if (error.name === 'NotAllowedError' || error.name === 'NotFoundError')
      setNotice(
        element('trouble'),
        'This page may not use your microphone. Send the SOS all the same: the police will call your phone.',
      );
  });
  showMicrophone(client);

  watchHold({
    button: element('sos-button'),
    holdMs: HOLD_MS,
    onDown() {
      page.dataset['holding'] = 'yes';
      position.start();
      client.arm(here());
    },
    onHeld() {
      delete page.dataset['holding'];
      void client.press(here());
    },
    onLetGo() {
      delete page.dataset['holding'];
      void client.release();
    },
  });
  watchTwoPresses(
    () => client.arm(here()),
    () => void client.press(here()),
    () => void client.release(),
  );
  for (const field of ['latitude-input', 'longitude-input'])
    element(field).addEventListener('input', showPosition);
  watchNetwork(() => client.networkChanged());
  // A phone that sleeps drops its connections without a word.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') client.networkChanged();
  });

  showState();
  showPosition();
  setText(element('connection'), 'Ready');
  void offerSetup(position);
  void client.prepare();
  const left = sessionStorage.getItem(SESSION_KEY);
  if (left !== null) client.resume(left);
}

/** Level and packets of what is sent. */
function showMicrophone(client: CitizenClient): void {
  let meter: LevelMeter | null = null;
  let context: AudioContext | null = null;
  client.on('microphone', (track) => {
    page.dataset['microphone'] = track === null ? 'off' : 'on';
    element('microphone').hidden = track === null;
    meter?.stop();
    meter = null;
    if (track === null) return;
    context ??= new AudioContext();
    void context.resume();
    meter = createLevelMeter(context, track);
  });
  setInterval(() => {
    if (meter === null) return;
    const level = meter.levelDb();
    setMeter(element('level-meter'), level);
    setText(element('level-text'), level > -60 ? 'Sound' : 'Quiet');
    const [leg] = client.calls.filter((call) => call.connected);
    void leg?.media?.rtpCounts().then(({ packetsSent }) => (page.dataset['packets'] = String(packetsSent)));
  }, SHOW_EVERY_MS);
}

/** For hands that cannot hold: two presses within five seconds. */
function watchTwoPresses(arm: () => void, press: () => void, release: () => void): void {
  const button = element('two-press-button');
  const first = button.textContent;
  let timer: ReturnType<typeof setTimeout> | null = null;
  button.addEventListener('click', () => {
    if (timer === null) {
      arm();
      setText(button, 'Press again to send an SOS');
      timer = setTimeout(() => {
        timer = null;
        setText(button, first);
        release();
      }, TWO_PRESS_MS);
      return;
    }
    clearTimeout(timer);
    timer = null;
    setText(button, first);
    press();
  });
}

/** Shows the permission card unless the browser says that everything was allowed. */
async function offerSetup(position: PositionWatch): Promise<void> {
  const setup = element('setup');
  const allowed = async (name: string): Promise<boolean> => {
    const status = await navigator.permissions.query({ name: name as PermissionName }).catch(() => null);
    return status?.state === 'granted';
  };
  const [microphone, geolocation] = await Promise.all([allowed('microphone'), allowed('geolocation')]);
  if (geolocation) position.start();
  setup.hidden = microphone && geolocation;
  element('setup-button').addEventListener('click', () => {
    position.start();
    browserCitizenMedia.openMicrophone().then(
      (track) => {
        track.stop();
        setup.hidden = true;
      },
      () =>
        setNotice(element('trouble'), 'The browser refused the microphone. Allow it in the site settings.'),
    );
  });
}

let screenLock: { released: boolean } | null = null;

/** While an SOS runs the screen stays on: a locked phone sends silence. */
async function keepScreenOn(): Promise<void> {
  if (!('wakeLock' in navigator) || screenLock?.released === false) return;
  screenLock = await navigator.wakeLock.request('screen').catch(() => null);
}

const credentials = readPageCredentials('citizen');
if (credentials === null) {
  element('no-token').hidden = false;
  for (const part of ['connection', 'sos-area', 'setup', 'place', 'footer']) element(part).hidden = true;
} else {
  runPage(credentials);
}
