/** SOS over a mobile network: how soon she is heard, and how well. In a network namespace of its own (see main.ts). */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { startSandbox, type Sandbox } from '../../../control-plane/sandbox/sandbox.ts';
import { call } from '../../../control-plane/sandbox/call.ts';
import { CENTRAL_POINT } from '../../../control-plane/sandbox/people.ts';
import { mintToken } from '../../../control-plane/src/adapters/auth/mint-token.ts';
import type { Timeline } from '../../../control-plane/src/contracts/sos-api.ts';
import { Secret } from '../../../control-plane/src/domain/secret.ts';
import { createHeadlessOperator, wallClockMs, type HeadlessOperator } from '../../support/headless/index.ts';
import { readMark } from '../../support/plain/marked-voice.ts';
import { told as row, timed, type Row } from '../load/bench-table.ts';
import type { PressOrder, PressReport } from './far-phones.ts';
import { intelligibility } from './intelligibility.ts';
import { playOut, type Arrival } from './playout.ts';
import { NEAR, openSlowLink, type SlowLink, type SlowLinkOptions } from './slow-link.ts';
import { decoded, spokenPackets } from './speech.ts';

export interface LinkPlan extends SlowLinkOptions {
  readonly calls: number;
  /** Side by side. */
  readonly lanes: number;
  /** How many must be heard in time. */
  readonly wanted: number;
  readonly speechSeconds: number;
}

const HEARD_MS = 3_000;
const REPORT_MS = 20_000;
/** A listener's buffer; with one-way jitter below it nothing comes too late. */
const BUFFER_MS = 100;
/** Understood practically word for word. */
const INTELLIGIBLE = 0.9;
const OPERATOR = 'akram';

export async function callsOverLink(plan: LinkPlan, say: (line: string) => void): Promise<readonly Row[]> {
  const link = await openSlowLink(plan);
  try {
    const sandbox = await startSandbox({ bind: NEAR, say, env: { HAMRAHI_LOG_LEVEL: 'warn' } });
    try {
      return await measure(sandbox, link, plan, say);
    } finally {
      await sandbox.stop();
    }
  } finally {
    await link.stop();
  }
}

async function measure(
  sandbox: Sandbox,
  link: SlowLink,
  plan: LinkPlan,
  say: (line: string) => void,
): Promise<readonly Row[]> {
  const gateway = gatewayOf(sandbox);
  const arrivals: Arrival[] = [];
  let speechLeg = '';
  const operator = await createHeadlessOperator({
    baseUrl: sandbox.file.urls.api,
    token: await gateway.token('operator', OPERATOR),
    clientId: 'panel1',
    address: NEAR,
    ca: gateway.ca,
    fetch: gateway.fetch,
    onPayload(legId, payload) {
      const mark = legId.startsWith(speechLeg) ? readMark(payload) : null;
      if (mark && speechLeg !== '') arrivals.push({ frame: mark.number, at: wallClockMs() });
    },
  });
  await operator.beginShift();
  const phones = farPhones(link, sandbox);
  const results: Result[] = [];
  for (let from = 0; from < plan.calls; from += plan.lanes) {
    const numbers = Array.from(
      { length: Math.min(plan.lanes, plan.calls - from) },
      (_, index) => from + index,
    );
    results.push(...(await Promise.all(numbers.map((number) => one(gateway, phones, operator, number)))));
    say(`${results.length} of ${plan.calls} calls`);
  }
  say(`${plan.speechSeconds} s of speech`);
  const spoken = await gateway.order(plan.calls, plan.speechSeconds);
  const report = await phones.press(spoken);
  speechLeg = report.session ?? 'none';
  await new Promise((done) => setTimeout(done, (plan.speechSeconds + 1) * 1000));
  const speech = await judged(arrivals, plan);
  if (report.session !== null) await gateway.resolve(report.session);
  phones.end();
  await operator.close();
  return [...startRows(results, plan), ...speech];
}

interface Result {
  readonly armed: boolean;
  readonly timeline: Timeline | null;
  readonly why: string;
}

async function one(
  gateway: ReturnType<typeof gatewayOf>,
  phones: FarPhones,
  operator: HeadlessOperator,
  number: number,
): Promise<Result> {
  const order = await gateway.order(number, 0);
  const { session, failed } = await phones.press(order);
  if (session === null) return { armed: order.armed, timeline: null, why: failed ?? 'no session' };
  const is = (type: string) => (event: { sessionId: string; type: string }) =>
    event.sessionId === session && event.type === type;
  const why = await operator.event(is('sos.active'), REPORT_MS).then(() => '', String);
  const timeline = await gateway.timeline(session);
  await gateway.resolve(session);
  await operator.event(is('sos.resolved'), REPORT_MS);
  return { armed: order.armed, timeline, why };
}

interface FarPhones {
  press(order: PressOrder): Promise<PressReport>;
  /** They hang up and go home. */
  end(): void;
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
    end: () => child.stdin?.end(),
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
    async order(number: number, speechSeconds: number): Promise<PressOrder> {
      const id = `rider${number}`;
      const citizen = { phone: `+9198300${String(number).padStart(3, '0')}00`, phoneVerified: true };
      const home = { homeZone: 'central', devices: ['phone1'] };
      await ask(file.tokens.admin.token, 'PUT', `/v1/citizens/${id}`, { ...citizen, ...home });
      return {
        number,
        token: await token('citizen', id),
        deviceId: 'phone1',
        location: CENTRAL_POINT,
        armed: number % 2 === 0,
        speechSeconds,
      };
    },
    timeline: async (id: string) =>
      (await ask(file.tokens.supervisor.token, 'GET', `/v1/sos/${id}/timeline`)) as Timeline,
    resolve: (id: string) => ask(file.tokens.supervisor.token, 'POST', `/v1/sos/${id}/resolve`, {}),
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

function startRows(results: readonly Result[], { wanted, calls }: LinkPlan): readonly Row[] {
  const activeMs = ({ timeline }: Result): number | null => {
    const ms = (name: string): number | undefined =>
      timeline?.milestones.find((one) => one.name === name)?.ms;
    const both = [ms('heard'), ms('streaming')];
    return both.includes(undefined) ? null : Math.max(...both.map(Number));
  };
  const values = (which: readonly Result[]): number[] => which.map(activeMs).filter((ms) => ms !== null);
  const inTime = values(results).filter((ms) => ms <= HEARD_MS).length;
  const late = results.filter((result) => (activeMs(result) ?? Infinity) > HEARD_MS);
  const reasons = results.map(({ why }) => why).filter((why) => why !== '');
  return [
    ...late.map(({ timeline, armed, why }) => {
      const steps = timeline?.milestones.map(({ name, ms }) => `${name} ${ms.toFixed(0)}`) ?? [why];
      return row(armed ? 'late, app warm' : 'late, app cold', steps.join(', '));
    }),
    row(
      `heard within ${HEARD_MS / 1000} s`,
      `${inTime} of ${calls} ${reasons[0] ?? ''}`,
      `at least ${wanted}`,
      inTime >= wanted,
    ),
    timed('app warm: activation → heard, ms', values(results.filter(({ armed }) => armed))),
    timed('app started by the press: activation → heard', values(results.filter(({ armed }) => !armed))),
    ...['offer-sent', 'answer-received', 'first-packet'].map((name) =>
      timed(
        `activation → ${name}`,
        results.flatMap(
          ({ timeline }) =>
            timeline?.milestones
              .filter((one) => one.name === name)
              .slice(0, 1)
              .map(({ ms }) => ms) ?? [],
        ),
      ),
    ),
  ];
}

async function judged(
  arrivals: readonly Arrival[],
  { speechSeconds, loss }: LinkPlan,
): Promise<readonly Row[]> {
  const packets = await spokenPackets(speechSeconds);
  // the last second may still have been under way when the listening ended
  const start = arrivals[0]?.frame ?? 0;
  const frames = (speechSeconds - 1) * 50;
  // the speech begins anew at its end
  const unrolled = arrivals.map(({ frame, at }) => ({
    frame: frame < start ? frame + packets.length : frame,
    at,
  }));
  const { inTime, lost, late } = playOut(unrolled, frames, BUFFER_MS);
  const sent = inTime.map((_, index) => packets[(start + index) % packets.length]!);
  const clean = await decoded(sent);
  const heard = await decoded(sent.map((packet, index) => (inTime[index] === true ? packet : null)));
  const score = arrivals.length === 0 ? 0 : intelligibility(clean, heard);
  const missing = (lost + late) / frames;
  const mostMissing = 2 * loss + 0.02;
  return [
    row(
      `speech, ${frames} frames: lost, too late`,
      `${lost}, ${late} (${(100 * missing).toFixed(1)} %)`,
      `≤ ${(100 * mostMissing).toFixed(0)} %`,
      missing <= mostMissing,
    ),
    row('intelligibility (STOI)', score.toFixed(3), `≥ ${INTELLIGIBLE}`, score >= INTELLIGIBLE),
  ];
}
