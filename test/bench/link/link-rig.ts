/** A gateway with its operator on this side of a mobile network, and phones on the other. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { startSandbox, type Sandbox } from '../../../control-plane/sandbox/sandbox.ts';
import { call } from '../../../control-plane/sandbox/call.ts';
import { CENTRAL_POINT } from '../../../control-plane/sandbox/people.ts';
import { mintToken } from '../../../control-plane/src/adapters/auth/mint-token.ts';
import type { Timeline } from '../../../control-plane/src/contracts/sos-api.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import {
  createHeadlessOperator,
  type HeadlessOperator,
} from '../../../control-plane/client/headless/index.ts';
import type { FarPhone, PressOrder, PressReport } from './press-order.ts';
import { LISTEN_TONES_HZ } from '../../../control-plane/sandbox/audio/tones.ts';
import { NEAR, openSlowLink, type SlowLink, type SlowLinkOptions } from './slow-link.ts';

const REPORT_MS = 20_000;
const OPERATOR = 'akram';

export interface CallWishes {
  readonly number: number;
  readonly phone: FarPhone;
  /** The app was warm before the press. */
  readonly armed: boolean;
}

export interface CallResult {
  readonly armed: boolean;
  readonly timeline: Timeline | null;
  readonly why: string;
}

export interface LinkRig {
  readonly link: SlowLink;
  /** One call from the press until she is heard, then resolved. */
  call(wishes: CallWishes): Promise<CallResult>;
  /** Speaks until `done` is over. Returns the session's id, `null` when there is none. */
  speak(number: number, seconds: number, done: (sessionId: string | null) => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** `onPayload` gets each packet at the panel. */
export async function openLinkRig(
  options: SlowLinkOptions,
  onPayload: (legId: string, payload: Buffer) => void,
  say: (line: string) => void,
): Promise<LinkRig> {
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(1)));
  try {
    const link = await openSlowLink(options);
    closing.push(() => link.stop());
    const sandbox = await startSandbox({ bind: NEAR, say, env: { HAMRAHI_LOG_LEVEL: 'warn' } });
    closing.push(() => sandbox.stop());
    const gateway = gatewayOf(sandbox);
    const operator = await createHeadlessOperator({
      baseUrl: sandbox.file.urls.api,
      token: await gateway.token('operator', OPERATOR),
      clientId: 'panel1',
      candidatesHz: LISTEN_TONES_HZ,
      address: NEAR,
      ca: gateway.ca,
      fetch: gateway.fetch,
      onPayload,
    });
    closing.push(() => operator.close());
    await operator.beginShift();
    const phones = farPhones(link, sandbox);
    closing.push(() => phones.end());
    return {
      link,
      stop,
      call: (wishes) => one(gateway, phones, operator, wishes),
      async speak(number, seconds, done) {
        const report = await phones.press(
          await gateway.order({ number, phone: 'headless', armed: true }, seconds),
        );
        await done(report.session);
        if (report.session !== null) await gateway.resolve(report.session);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function one(
  gateway: ReturnType<typeof gatewayOf>,
  phones: FarPhones,
  operator: HeadlessOperator,
  wishes: CallWishes,
): Promise<CallResult> {
  const { armed } = wishes;
  const { session, failed } = await phones.press(await gateway.order(wishes, 0));
  if (session === null) return { armed, timeline: null, why: failed ?? 'no session' };
  const is = (type: string) => (event: { sessionId: string; type: string }) =>
    event.sessionId === session && event.type === type;
  const why = await operator.event(is('sos.active'), REPORT_MS).then(() => '', String);
  const timeline = await gateway.timeline(session);
  await gateway.resolve(session);
  await operator.event(is('sos.resolved'), REPORT_MS);
  return { armed, timeline, why };
}

/** When both facts of RTC-2 stood; `null`: never. */
export function activeMs({ timeline }: CallResult): number | null {
  const ms = (name: string): number | undefined =>
    timeline?.milestones.find((milestone) => milestone.name === name)?.ms;
  const both = [ms('heard'), ms('streaming')];
  return both.includes(undefined) ? null : Math.max(...both.map(Number));
}

interface FarPhones {
  press(order: PressOrder): Promise<PressReport>;
  /** They hang up and go home. */
  end(): Promise<void>;
}

function farPhones(link: SlowLink, sandbox: Sandbox): FarPhones {
  const certificate = sandbox.file.certificateFile ?? '';
  const program = resolve(import.meta.dirname, 'far-phones.ts');
  const child = link.spawnFar(process.execPath, [program, sandbox.file.urls.api, certificate], {
    NODE_EXTRA_CA_CERTS: certificate,
  });
  const waiting = new Map<number, (report: PressReport) => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const report = JSON.parse(line) as PressReport;
    waiting.get(report.number)?.(report);
  });
  return {
    press: (order) =>
      new Promise((done) => {
        const timer = setTimeout(
          () => done({ number: order.number, session: null, failed: 'the phone said nothing' }),
          REPORT_MS,
        );
        waiting.set(order.number, (report) => {
          clearTimeout(timer);
          done(report);
        });
        child.stdin?.write(`${JSON.stringify(order)}\n`);
      }),
    end: () =>
      new Promise((done) => {
        if (child.exitCode !== null) {
          done();
          return;
        }
        child.once('exit', () => done());
        child.stdin?.end();
      }),
  };
}

function gatewayOf(sandbox: Sandbox) {
  const { file } = sandbox;
  const secret = new Secret(readFileSync(file.jwt.secretFile, 'utf8').trim());
  const { certificateFile } = file;
  const token = (role: 'citizen' | 'operator', subject: string): Promise<string> =>
    mintToken({ issuer: file.jwt.issuer, audience: file.jwt.audience, secret, role, subject, ttlS: 3600 });
  const ask = async (bearer: string, method: 'GET' | 'POST' | 'PUT', path: string, json?: unknown) => {
    const options = { method, token: bearer, certificateFile, deadlineMs: 5_000 };
    const { status, text } = await call(
      `${file.urls.api}${path}`,
      json === undefined ? options : { ...options, json },
    );
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return text === '' ? null : (JSON.parse(text) as unknown);
  };
  return {
    token,
    ca: readFileSync(certificateFile ?? join(file.runDir, 'certificate.pem'), 'utf8'),
    fetch: trustingFetch(certificateFile),
    async order({ number, phone, armed }: CallWishes, speechSeconds: number): Promise<PressOrder> {
      const id = `rider${number}`;
      const citizen = { phone: `+9198300${String(number).padStart(3, '0')}00`, phoneVerified: true };
      const home = { homeZone: 'central', devices: ['phone1'] };
      await ask(file.tokens.admin.token, 'PUT', `/v1/citizens/${id}`, { ...citizen, ...home });
      return {
        number,
        token: await token('citizen', id),
        deviceId: 'phone1',
        location: CENTRAL_POINT,
        armed,
        phone,
        speechSeconds,
      };
    },
    timeline: async (id: string) =>
      (await ask(file.tokens.supervisor.token, 'GET', `/v1/sos/${id}/timeline`)) as Timeline,
    resolve: (id: string) => ask(file.tokens.admin.token, 'POST', `/v1/sos/${id}/resolve`, {}),
  };
}

/** Node's fetch takes no certificate authority of its own. */
function trustingFetch(certificateFile: string | null): typeof fetch {
  return async (url, init) => {
    const token = new Headers(init?.headers).get('authorization')?.replace(/^Bearer /, '');
    const json = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
    const { status, text } = await call(String(url instanceof Request ? url.url : url), {
      certificateFile,
      deadlineMs: 4_000,
      ...(init?.method === undefined ? {} : { method: init.method }),
      ...(token === undefined ? {} : { token }),
      ...(json === undefined ? {} : { json }),
    });
    return new Response(status === 204 ? null : text, { status });
  };
}
