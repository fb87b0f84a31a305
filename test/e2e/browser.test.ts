/** The pages in a real browser, driven as people drive them: what they see, hear and click. */
import { expect } from 'chai';
import type { BrowserContext, BrowserContextOptions } from 'playwright-core';
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts';
import {
  openChromium,
  openWatchedPage,
  type OpenBrowser,
  type WatchedPage,
} from './support/browser-chromium.ts';
import { arrivingToneHz, CitizenPage, PanelPage, pageRtp, takePictures } from './support/browser-pages.ts';
import type { District } from './support/district.ts';
import { eventually } from './support/eventually.ts';
import { useGateway, type Citizen } from './support/gateway.ts';
import { press, told } from './support/sos.ts';

const TONE_HZ = 1300;
const TONE_TOLERANCE_HZ = 15;

describe('e2e: in a real browser', function () {
  this.timeout(30_000);
  /** Pages reach the gateway through it, so that a test can cut their connections. */
  const behind = { host: '127.0.0.1', port: 0 };
  let proxy: CuttableProxy;
  let chromium: OpenBrowser;
  const gateway = useGateway(async () => {
    proxy = await startCuttableProxy(behind);
    const env = {
      HAMRAHI_PUBLIC_URL: `http://127.0.0.1:${proxy.port}`,
      HAMRAHI_NO_OPERATOR_ALERT_MS: '700',
    };
    return { env };
  });
  before('opens the browser', async () => {
    behind.port = gateway.file.ports.http;
    chromium = await openChromium({ toneHz: TONE_HZ });
  });
  after('closes the browser', async () => {
    await chromium.close();
    await proxy.stop();
  });

  const baseUrl = (): string => `http://127.0.0.1:${proxy.port}`;

  /** Closed at the end of the test, after Asterisk was looked at. */
  async function watchedPage(browser: OpenBrowser, wishes: BrowserContextOptions = {}): Promise<WatchedPage> {
    const watched = await openWatchedPage(browser.browser, wishes);
    gateway.keep({ close: () => closeContext(watched.context) });
    return watched;
  }

  async function citizenPage(
    { location }: District,
    browser = chromium,
  ): Promise<WatchedPage & { readonly her: CitizenPage; readonly citizen: Citizen }> {
    const citizen = await gateway.citizen();
    const { latitude, longitude, accuracyM } = location;
    const watched = await watchedPage(browser, {
      viewport: { width: 390, height: 844 },
      permissions: ['microphone', 'geolocation'],
      geolocation: { latitude, longitude, accuracy: accuracyM ?? 0 },
    });
    const her = new CitizenPage(watched.page);
    await her.open(baseUrl(), citizen.token);
    return { ...watched, her, citizen };
  }

  async function panelPage(district: District): Promise<WatchedPage & { readonly panel: PanelPage }> {
    const operatorId = district.operators[0]!.id;
    gateway.lingers(`operator-${operatorId}-panel1`);
    const watched = await watchedPage(chromium);
    const panel = new PanelPage(watched.page);
    await panel.open(baseUrl(), await gateway.token('operator', operatorId));
    return { ...watched, panel };
  }

  it('RTC-2 RTC-3 RTC-9 she holds SOS, he hears her within 3 s and not the other way, he ends it', async () => {
    const district = await gateway.district();
    const { panel, ...his } = await panelPage(district);
    await panel.beginShift();
    const { her, ...hers } = await citizenPage(district);

    const sentAt = await her.holdSos();
    const id = await panel.onlyCard();
    const first = await panel.sound(id);
    const soundAfterMs = performance.now() - sentAt;
    await panel.cardIs(id, 'active');
    await her.inState('streaming', '[data-microphone="on"]');
    const toneHz = await arrivingToneHz(panel.page);
    const later = await panel.sound(id);
    const [rtpHers, rtpHis] = [await pageRtp(her.page), await pageRtp(panel.page)];
    const overflows = [
      await takePictures(her.page, 'citizen-streaming'),
      await takePictures(panel.page, 'panel-active'),
    ];

    expect(soundAfterMs, 'from the sent SOS to her voice at the panel').to.be.below(3000);
    // The first reading may be of the rim of her first words.
    expect(later.levelDb).to.be.within(-40, 0);
    expect(toneHz, 'her own voice').to.be.closeTo(TONE_HZ, TONE_TOLERANCE_HZ);
    expect(later.packets - first.packets, 'packets in the second that was listened to').to.be.above(40);
    expect(rtpHers.sent).to.be.above(40);
    expect(rtpHers).to.deep.include({ received: 0, directions: ['sendonly'] });
    expect(rtpHis.received, 'what came in at the panel, by the same counter').to.be.above(40);
    expect(rtpHis).to.deep.include({ sent: 0, directions: ['recvonly'] });
    expect(overflows, 'nothing to scroll sideways for').to.deep.equal([0, 0]);

    await panel.card(id).getByTestId('resolve-button').click();
    await takePictures(panel.page, 'panel-resolve-dialog');
    await panel.page.getByTestId('resolve-confirm').click();
    await her.inState('ended', '[data-reason="resolved"][data-microphone="off"]');
    await panel.cardIs(id, 'resolved');
    await takePictures(her.page, 'citizen-resolved');

    expect(await her.headline()).to.equal('The police ended this SOS');
    expect(await her.page.getByTestId('microphone').isVisible()).to.equal(false);
    expect((await gateway.view(id)).phase).to.equal('resolved');
    expect(await pageRtp(her.page), 'no connection is open').to.deep.equal({
      sent: 0,
      received: 0,
      directions: [],
    });
    expect([...hers.complaints, ...his.complaints]).to.deep.equal([]);
  });

  it('FB-2 FB-3 FB-5 no media get through: the card tells of the calls, both phones are joined, and he redials her', async () => {
    const district = await gateway.district();
    const operator = district.operators[0]!;
    const { panel, ...his } = await panelPage(district);
    await panel.beginShift();
    const mute = await openChromium({ toneHz: TONE_HZ, withoutUdp: true });
    gateway.keep({ close: () => mute.close() });
    const { her, citizen, ...hers } = await citizenPage(district, mute);

    await her.pressTwice();
    const id = await panel.onlyCard();
    await panel.cardIs(id, 'phone-fallback-active');
    await takePictures(panel.page, 'panel-fallback');
    await panel.cardIs(id, 'phone-connected', 15_000);
    await her.inState('calling', '[data-waiting-for="phone"][data-microphone="off"]');
    const overflow = await takePictures(panel.page, 'panel-phone-connected');
    await takePictures(her.page, 'citizen-phone-connected');
    const [herPhone, dutyPhone] = await Promise.all([
      gateway.carrier.waitForCall(
        ({ number, heard }) => number === citizen.phone && heard.some(({ hz }) => hz === 940),
        5_000,
      ),
      gateway.carrier.waitForCall(
        ({ number, heard }) => number === operator.dutyPhone && heard.some(({ hz }) => hz === 700),
        5_000,
      ),
    ]);

    expect([herPhone.phoneHz, dutyPhone.phoneHz]).to.deep.equal([700, 940]);
    expect((await pageRtp(her.page)).sent, 'nothing got through').to.equal(0);
    expect(await her.headline()).to.equal('The police are on the phone');
    expect(await panel.card(id).getByTestId('fallback').innerText()).to.match(/answered.*answered/s);
    expect(overflow).to.equal(0);

    await panel.card(id).getByTestId('redial-button').click();
    await gateway.carrier.waitForCall(
      ({ number, callId, times }) =>
        number === citizen.phone && callId !== herPhone.callId && times.answeredAt !== null,
      10_000,
    );
    await panel.cardIs(id, 'phone-connected');
    await panel.resolve(id);
    await her.inState('ended', '[data-reason="resolved"]');
    await eventually('all three calls have been hung up', async () => {
      const calls = await gateway.carrier.fetchCalls();
      return calls.length === 3 && calls.every(({ byeBy }) => byeBy === 'gateway') ? true : null;
    });
    expect([...hers.complaints, ...his.complaints]).to.deep.equal([]);
  });

  it('TEL-10 RTC-5 the queue, alerts, listening in, joining and handing over are seen and done with the buttons', async () => {
    // Phones that nobody answers: whoever waits for more than five seconds waits on.
    const district = await gateway.district({
      operators: [
        { capacity: 1, phone: '20' },
        { capacity: 5, phone: '20' },
      ],
      supervisor: '20',
    });
    const chief = district.supervisor!.id;
    gateway.lingers(`operator-${chief}-panel1`);
    const watched = await watchedPage(chromium);
    const above = new PanelPage(watched.page);
    await above.open(baseUrl(), await gateway.token('supervisor', chief));
    await above.page.getByTestId('shift-button').click();
    const [one, other] = [
      await gateway.armedCitizen(district.location, { toneHz: 1400 }),
      await gateway.armedCitizen(district.location, { toneHz: 1600 }),
    ];
    const first = await press(one, district.location);
    const second = await press(other, district.location);
    await above.says(first, 'assignment', 'place 1 of 2');
    await above.says(second, 'assignment', 'place 2 of 2');
    await above.says(first, 'alerts', 'No officer is free');
    await takePictures(above.page, 'supervisor-queue');
    await above.card(first).getByTestId('acknowledge-button').click();
    await above.says(first, 'alerts', '(seen)');

    const { panel, ...his } = await panelPage(district);
    await panel.beginShift();
    await panel.sound(first);
    await above.says(first, 'assignment', district.operators[0]!.id);
    await above.says(second, 'assignment', 'place 1 of 1');

    await above.card(first).getByTestId('listen-button').click();
    await above.sound(first);
    await above.says(first, 'assignment', `${chief} listening in`);
    await takePictures(above.page, 'supervisor-listening');
    await above.card(first).getByTestId('listen-button').click();
    await panel.says(first, 'assignment', new RegExp(`officer ${district.operators[0]!.id}$`));

    const next = await gateway.panel(district.operators[1]!.id);
    await told(next, second, 'sos.active');
    await panel.card(first).getByTestId('transfer-button').click();
    await told(next, first, 'sos.handed-over');
    await panel.says(first, 'assignment', `officer ${district.operators[1]!.id}`);
    await panel.card(first).getByTestId('transfer-button').waitFor({ state: 'hidden' });
    await takePictures(panel.page, 'panel-handed-over');

    await above.card(first).getByTestId('join-button').click();
    await above.sound(first);
    await above.says(first, 'assignment', `officer ${chief}`);
    await above.cardIs(first, 'active');
    expect(await takePictures(above.page, 'supervisor-joined'), 'nothing to scroll sideways for').to.equal(0);
    expect([...watched.complaints, ...his.complaints]).to.deep.equal([]);
  });

  it('RTC-7 a voice that is lost is told as such', async () => {
    const district = await gateway.district();
    const { panel } = await panelPage(district);
    await panel.beginShift();
    const citizen = await gateway.armedCitizen(district.location, { toneHz: 1400 });
    const id = await press(citizen, district.location);
    await panel.sound(id);
    // Sound comes before the stream is confirmed; only what was there can be lost.
    await panel.cardIs(id, 'active');
    await citizen.vanish();
    await panel.cardIs(id, 'degraded');
    await panel.says(id, 'phase', 'Voice lost');
    await takePictures(panel.page, 'panel-voice-lost');
  });

  it('a second tab of the same panel takes the shift and the voice, and the first one says so', async () => {
    const district = await gateway.district();
    const { panel: first, context } = await panelPage(district);
    await first.beginShift();
    const { her } = await citizenPage(district);
    await her.holdSos();
    const id = await first.onlyCard();
    await first.sound(id);
    const second = new PanelPage((await openWatchedPage(context)).page);
    await second.open(baseUrl(), await gateway.token('operator', district.operators[0]!.id));
    await second.cardIs(id, 'active');
    await first.feedIs('open');

    await second.beginShift();
    await first.feedIs('taken');
    const { packets } = await second.sound(id);
    await second.cardIs(id, 'active');
    await takePictures(first.page, 'panel-taken');

    expect(packets).to.be.above(0);
    const { page } = first;
    expect(await page.getByTestId('shift-button').isVisible(), 'a button that could do nothing').to.equal(
      false,
    );
    expect(await page.getByTestId('state-feed').innerText()).to.equal('Open in another tab');
    expect(await page.getByTestId('trouble').innerText()).to.include('another tab, which has the shift now');
    expect(await page.locator('body').getAttribute('data-shift')).to.equal('off');
    expect(await page.getByTestId('card').isVisible(), 'a card that nobody keeps up to date').to.equal(false);
    await page.locator('body[data-connection="stopped"]').waitFor();
  });

  it('RTC-6 the panel finds its cards again after a reload and after a cut feed, and hears her again', async () => {
    const district = await gateway.district();
    const { panel, page } = await panelPage(district);
    await panel.beginShift();
    const { her } = await citizenPage(district);
    await her.holdSos();
    const id = await panel.onlyCard();
    const before = await panel.sound(id);

    const feedReopened = page.waitForEvent('websocket', (socket) => socket.url().includes('/v1/panel/feed'));
    proxy.cut();
    await feedReopened;
    await panel.feedIs('open');
    await page.locator('body[data-shift="on"]').waitFor();
    // The voice does not travel by the connections that were cut.
    await panel.sound(id, before.packets);

    await page.reload();
    await panel.feedIs('open');
    await panel.card(id).waitFor();
    const shift = await page.locator('body').getAttribute('data-shift');
    expect(shift, 'a browser plays nothing before a click').to.equal('off');
    await eventually('nobody is said to hear her', async () =>
      (await gateway.view(id)).heard ? null : true,
    );
    await panel.beginShift();
    const again = await panel.sound(id);
    expect(again.packets).to.be.above(0);
    await panel.cardIs(id, 'active');
    await panel.resolve(id);
    await her.inState('ended', '[data-microphone="off"]');
  });

  it('no page complains: no error, no violation of its policy, nothing wider than the screen', async () => {
    const district = await gateway.district();
    const tokens = {
      citizen: (await gateway.citizen()).token,
      panel: await gateway.token('operator', district.operators[0]!.id),
    };
    const addresses = {
      index: '/index.html',
      citizen: `/citizen.html#token=${tokens.citizen}&device=phone1`,
      'citizen-no-token': '/citizen.html',
      panel: `/panel.html#token=${tokens.panel}&device=panel1`,
      'panel-no-token': '/panel.html',
    };
    for (const [name, address] of Object.entries(addresses)) {
      const { page, complaints, context } = await watchedPage(chromium);
      await page.goto(`${baseUrl()}${address}`, { waitUntil: 'networkidle' });
      const overflow = await takePictures(page, name);
      expect(page.url(), 'no token stays in the address').to.not.include('token');
      expect({ name, complaints, overflow }).to.deep.equal({ name, complaints: [], overflow: 0 });
      await context.close();
    }
  });
});

/** A browser that goes in the same moment takes its contexts with it. */
async function closeContext(context: BrowserContext): Promise<void> {
  try {
    await context.close();
  } catch (error) {
    if (context.browser()?.isConnected() === true) throw error;
  }
}
