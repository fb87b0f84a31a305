/** The citizen's page in Chromium on the far side of a slow link: what a phone's WebRTC makes of it. */
import { openChromium, openWatchedPage, type OpenBrowser } from '../../e2e/support/browser-chromium.ts';
import { CitizenPage } from '../../e2e/support/browser-pages.ts';
import type { PressOrder } from './press-order.ts';

const TONE_HZ = 1300;

export class FarBrowser {
  readonly #baseUrl: string;
  #browser: Promise<OpenBrowser> | null = null;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  /** On a page of its own, which stays open. Warm: she holds the button; cold: two presses at once. Returns the session. */
  async press({ token, location, armed }: PressOrder): Promise<string> {
    this.#browser ??= openChromium({ toneHz: TONE_HZ });
    const { latitude, longitude, accuracyM } = location;
    const { page, context } = await openWatchedPage((await this.#browser).browser, {
      permissions: ['microphone', 'geolocation'],
      geolocation: { latitude, longitude, accuracy: accuracyM },
      ignoreHTTPSErrors: true,
    });
    const her = new CitizenPage(page);
    await her.open(this.#baseUrl, token);
    await (armed ? her.holdSos() : her.pressTwice());
    const told = await page.waitForFunction(
      () => /^SOS (.+)$/.exec(document.querySelector('[data-testid="session-id"]')?.textContent ?? '')?.[1],
    );
    // resolved or not: what she has no more use for must not load the machine
    void her
      .inState('ended')
      .then(() => context.close())
      .catch(() => undefined);
    return (await told.jsonValue()) ?? '';
  }

  async close(): Promise<void> {
    await (await this.#browser)?.close();
  }
}
