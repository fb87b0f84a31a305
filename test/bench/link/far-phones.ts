/**
 * The phones on the far side of a slow link, as a program of its own: reads orders as JSON lines and tells what became of
 * them in the same way. `{"press": {"token", "deviceId", "armed", "seconds"}}` → `{"session": id}` or `{"failed": why}`.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createHeadlessCitizen, type HeadlessCitizen } from '../../../control-plane/client/headless/index.ts';
import { FarBrowser } from './far-browser.ts';
import type { PressOrder, PressReport } from './press-order.ts';
import { FAR } from './slow-link.ts';
import { markedSpeech } from './marked-speech.ts';

const [baseUrl = '', certificateFile = ''] = process.argv.slice(2);
const ca = readFileSync(certificateFile, 'utf8');
const ARMED_MS = 15_000;
const citizens: HeadlessCitizen[] = [];
const browser = new FarBrowser(baseUrl);

async function press(order: PressOrder): Promise<PressReport> {
  const { number, token, deviceId, location, armed, speechSeconds } = order;
  if (order.phone === 'chromium') return { number, session: await browser.press(order), failed: null };
  const citizen = await createHeadlessCitizen({
    baseUrl,
    token,
    deviceId,
    ca,
    address: FAR,
    ...(speechSeconds === 0 ? {} : { voice: await markedSpeech(speechSeconds) }),
  });
  citizens.push(citizen);
  if (armed) {
    const ready = new Promise<void>((resolve, reject) => {
      setTimeout(() => reject(new Error('not armed in time')), ARMED_MS).unref();
      citizen.client.on('state', ({ name }) => {
        if (name === 'armed') resolve();
      });
    });
    citizen.client.arm(location);
    await ready;
  }
  await citizen.client.press(location);
  return { number, session: citizen.client.sessionId, failed: null };
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as PressOrder;
  void press(order)
    .catch((error: unknown): PressReport => ({ number: order.number, session: null, failed: String(error) }))
    .then((report) => process.stdout.write(`${JSON.stringify(report)}\n`));
}
await browser.close();
await Promise.all(citizens.map((citizen) => citizen.close()));
process.exit(0);
