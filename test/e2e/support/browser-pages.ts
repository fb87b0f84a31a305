/** The citizen's and the operator's page, used as people use them: by what they see and click. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';

const HOLD_MS = 1_000;
const SCREENSHOTS = resolve(import.meta.dirname, '../../../coverage/e2e-screenshots');
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;

/** RTP of a page since it was loaded, over all its peer connections that are still open. */
export interface PageRtp {
  readonly sent: number;
  readonly received: number;
  readonly directions: readonly string[];
}

export class CitizenPage {
  readonly page: Page;
  readonly root: Locator;

  constructor(page: Page) {
    this.page = page;
    this.root = page.getByTestId('citizen');
  }

  async open(baseUrl: string, token: string): Promise<void> {
    await this.page.goto(`${baseUrl}/citizen.html#token=${token}&device=phone1`);
    await this.inState('idle');
  }

  /** Holds the button until the SOS is sent. Returns when the second was over, by this process's clock. */
  async holdSos(): Promise<number> {
    const button = await this.page.getByTestId('sos-button').boundingBox();
    if (button === null) throw new Error('the SOS button is not on the page');
    await this.page.mouse.move(button.x + button.width / 2, button.y + button.height / 2);
    const downAt = performance.now();
    await this.page.mouse.down();
    await this.page.locator('[data-state="calling"], [data-state="streaming"]').first().waitFor();
    await this.page.mouse.up();
    return downAt + HOLD_MS;
  }

  /** The other way, for hands that cannot hold. */
  async pressTwice(): Promise<void> {
    const button = this.page.getByTestId('two-press-button');
    await button.click();
    await button.click();
  }

  /** The state, as the page's root tells it. */
  inState(state: string, more = ''): Promise<void> {
    return this.page.locator(`[data-testid="citizen"][data-state="${state}"]${more}`).waitFor();
  }

  headline(): Promise<string> {
    return this.page.getByTestId('headline').innerText();
  }
}

export class PanelPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(baseUrl: string, token: string, client = 'panel1'): Promise<void> {
    await this.page.goto(`${baseUrl}/panel.html#token=${token}&device=${client}`);
    await this.feedIs('open');
  }

  async beginShift(): Promise<void> {
    await this.page.getByTestId('shift-button').click();
    await this.page.locator('body[data-shift="on"][data-connection="registered"]').waitFor();
  }

  feedIs(state: string): Promise<void> {
    return this.page.locator(`body[data-feed="${state}"]`).waitFor();
  }

  card(sessionId: string): Locator {
    return this.page.locator(`[data-testid="card"][data-session-id="${sessionId}"]`);
  }

  /** The id of the only card, once there is one. */
  async onlyCard(): Promise<string> {
    const card = this.page.getByTestId('card');
    await card.waitFor();
    return (await card.getAttribute('data-session-id')) ?? '';
  }

  cardIs(sessionId: string, phase: string, deadlineMs?: number): Promise<void> {
    const wanted = this.page.locator(
      `[data-testid="card"][data-session-id="${sessionId}"][data-phase="${phase}"]`,
    );
    return wanted.waitFor(deadlineMs === undefined ? {} : { timeout: deadlineMs });
  }

  /** Waits until the meter of this session shows a voice and more packets than these; both at that moment. */
  async sound(
    sessionId: string,
    morePacketsThan = 0,
  ): Promise<{ readonly packets: number; readonly levelDb: number }> {
    const handle = await this.page.waitForFunction(
      ({ id, floorDb, packetsBefore }) => {
        const audio = document.querySelector(`[data-session-id="${id}"] [data-audio="sound"]`);
        const meter = audio?.querySelector<HTMLElement>('[data-testid="level-meter"]');
        const { packets, levelDb } = meter?.dataset ?? {};
        const level = Number(levelDb === '' ? NaN : levelDb);
        return level > floorDb && Number(packets) > packetsBefore
          ? { packets: Number(packets), levelDb: level }
          : null;
      },
      { id: sessionId, floorDb: -50, packetsBefore: morePacketsThan },
    );
    const reading = await handle.jsonValue();
    if (reading === null) throw new Error('no reading');
    return reading;
  }

  /** Waits until this part of a card says so. */
  async says(sessionId: string, slot: string, words: string | RegExp): Promise<void> {
    await this.card(sessionId).locator(`[data-slot="${slot}"]`).filter({ hasText: words }).waitFor();
  }

  /** By the buttons: Resolve, then the answer to whether one is sure. */
  async resolve(sessionId: string): Promise<void> {
    await this.card(sessionId).getByTestId('resolve-button').click();
    await this.page.getByTestId('resolve-confirm').click();
  }
}

/** What really went through the page's peer connections: the browser's own counters. */
export function pageRtp(page: Page): Promise<PageRtp> {
  return page.evaluate(async () => {
    const open = (globalThis.witnessedConnections ?? []).filter((one) => one.connectionState !== 'closed');
    let [sent, received] = [0, 0];
    for (const connection of open) {
      const report = await connection.getStats();
      report.forEach((entry: { type: string; packetsSent?: number; packetsReceived?: number }) => {
        if (entry.type === 'outbound-rtp') sent += entry.packetsSent ?? 0;
        if (entry.type === 'inbound-rtp') received += entry.packetsReceived ?? 0;
      });
    }
    const directions = open.flatMap((connection) =>
      connection.getTransceivers().map(({ currentDirection }) => currentDirection ?? 'none'),
    );
    return { sent, received, directions };
  });
}

/** The strongest tone that arrives at the page, in Hz: whose voice it is. */
export function arrivingToneHz(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const connection = (globalThis.witnessedConnections ?? []).find(
      (one) => one.connectionState === 'connected',
    );
    const track = connection?.getReceivers()[0]?.track;
    if (track === undefined) return 0;
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    // The analyser's window has to be full of sound first.
    const until = performance.now() + 1_000;
    while (performance.now() < until) await new Promise(requestAnimationFrame);
    analyser.getFloatFrequencyData(bins);
    await context.close();
    return (bins.indexOf(Math.max(...bins)) * context.sampleRate) / analyser.fftSize;
  });
}

/** Pictures in both sizes. Returns by how many pixels the page is wider than the screen, the larger of both. */
export async function takePictures(page: Page, name: string): Promise<number> {
  const before = page.viewportSize();
  let overflow = 0;
  mkdirSync(SCREENSHOTS, { recursive: true });
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${size}.png`) });
    overflow = Math.max(
      overflow,
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    );
  }
  if (before !== null) await page.setViewportSize(before);
  return overflow;
}
