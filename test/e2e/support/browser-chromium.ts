/** Debian's Chromium with a tone for a microphone, and what its pages complain about. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import { chromiumPath } from '../../../control-plane/sandbox/install/chromium.ts';

export interface ChromiumWishes {
  /** What the microphone hears. */
  readonly toneHz: number;
  /** The browser may send no UDP that is not proxied: it has no candidates, and no call of it ever connects. */
  readonly withoutUdp?: boolean;
}

export interface OpenBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Chromium leaves 127/8 out of its candidates unless told otherwise, and the sandbox's media live there. */
const FLAGS = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

export async function openChromium({ toneHz, withoutUdp = false }: ChromiumWishes): Promise<OpenBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'hamrahi-tone-'));
  const tone = join(folder, 'tone.wav');
  writeFileSync(tone, toneWav(toneHz));
  const args = [
    ...FLAGS,
    `--use-file-for-fake-audio-capture=${tone}`,
    ...(withoutUdp
      ? ['--webrtc-ip-handling-policy=disable_non_proxied_udp', '--force-webrtc-ip-handling-policy']
      : []),
  ];
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const browser = await chromium.launch({ executablePath: chromiumPath, args });
    return {
      browser,
      close: async () => {
        // One after the other: closing a browser under its contexts leaves calls unanswered.
        for (const context of browser.contexts()) await context.close().catch(() => undefined);
        await browser.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** What a page's script keeps for the tests. */
declare global {
  var witnessedConnections: RTCPeerConnection[] | undefined;
}

export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors, violations of the content security policy, errors nobody caught, requests that failed. */
  readonly complaints: string[];
}

const SLOWEST_STEP_MS = 10_000;

/** A page in a context (cookies, storage) of its own, or beside another one as its second tab. */
export async function openWatchedPage(
  where: Browser | BrowserContext,
  wishes: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = 'newContext' in where ? await where.newContext(wishes) : where;
  context.setDefaultTimeout(SLOWEST_STEP_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) =>
    complaints.push(`failed: ${request.url()} ${request.failure()?.errorText ?? ''}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  await page.addInitScript(witness);
  return { page, context, complaints };
}

/** Runs in the page before its own scripts: keeps its peer connections, and says aloud what the policy forbade. */
function witness(): void {
  const kept: RTCPeerConnection[] = [];
  globalThis.witnessedConnections = kept;
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      kept.push(this);
    }
  };
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    // eslint-disable-next-line no-console -- the only way out of the page
    console.error(`policy: ${violatedDirective} ${blockedURI}`),
  );
}

const WAV_RATE_HZ = 48_000;
const WAV_S = 10;
const WAV_AMPLITUDE = 8_000;

/** RIFF, 16 bit, mono; a whole number of periods, so that its repetition is not heard. */
function toneWav(hz: number): Buffer {
  const samples = WAV_RATE_HZ * WAV_S;
  const bytes = Buffer.alloc(44 + samples * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + samples * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(WAV_RATE_HZ, 24);
  bytes.writeUInt32LE(WAV_RATE_HZ * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * 2, 40);
  for (let index = 0; index < samples; index += 1) {
    const value = WAV_AMPLITUDE * Math.sin((2 * Math.PI * hz * index) / WAV_RATE_HZ);
    bytes.writeInt16LE(Math.round(value), 44 + index * 2);
  }
  return bytes;
}
