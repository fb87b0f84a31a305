/** The gateway's use cases with answers that a test sets: it records what it was asked, in order. */
import type { Activated, Timeline } from '../../control-plane/src/contracts/sos-api.ts';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type { ActivateRequest, Gateway, GatewayResult } from '../../control-plane/src/ports/gateway.ts';

export const SESSION_ID = '5f3c1a52-8f0e-4e7b-9d3e-2f6f6a1f0a11';

export const SAMPLE_VIEW: SessionView = {
  id: SESSION_ID,
  sessionSeq: 3,
  phase: 'connecting',
  citizenId: 'priya',
  zoneId: 'north',
  activatedAt: '2026-01-02T03:04:05.678Z',
  operatorId: 'akram',
  handOver: null,
  listeners: [],
  queued: false,
  webrtcSessionId: `${SESSION_ID}.citizen-app.1`,
  streaming: false,
  heard: false,
  sound: null,
  degradedReason: null,
  fallback: null,
  alerts: [],
  flags: [],
  location: { latitude: 28.6, longitude: 77.2 },
  resolvedAt: null,
};

const ACTIVATED: Activated = {
  id: SESSION_ID,
  phase: 'connecting',
  activatedAt: '2026-01-02T03:04:05.678Z',
  folded: false,
  flags: [],
  sipUri: 'sip:citizen-priya-phone1@sos.test',
};

const TIMELINE: Timeline = { id: SESSION_ID, activatedAt: null, milestones: [], verdicts: [] };

export class FakeGateway implements Gateway {
  /** Name of the use case and its arguments. */
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  activated: GatewayResult<Activated> = { ok: true, value: ACTIVATED };
  viewed: GatewayResult<SessionView> = { ok: true, value: SAMPLE_VIEW };
  listed: GatewayResult<readonly SessionView[]> = { ok: true, value: [SAMPLE_VIEW] };
  healthy = { engine: true, database: true };
  journal = { entries: 0, durable: true };
  /** Awaited before every answer. */
  before: (name: string) => Promise<void> | void = () => undefined;

  argsOf(name: string): readonly (readonly unknown[])[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.args);
  }

  /** The last activation or arming. */
  get request(): ActivateRequest {
    const call = this.calls.findLast(({ name }) => name === 'activate' || name === 'arm');
    if (!call) throw new Error('nothing was activated');
    return call.args[0] as ActivateRequest;
  }

  async #answer<T>(name: string, args: readonly unknown[], value: () => T): Promise<T> {
    this.calls.push({ name, args });
    await this.before(name);
    return value();
  }

  activate: Gateway['activate'] = (...args) => this.#answer('activate', args, () => this.activated);
  arm: Gateway['arm'] = (...args) => this.#answer('arm', args, () => this.activated);
  activateArmed: Gateway['activateArmed'] = (...args) =>
    this.#answer('activateArmed', args, () => this.activated);
  release: Gateway['release'] = (...args) => this.#answer('release', args, () => this.viewed);
  resolve: Gateway['resolve'] = (...args) => this.#answer('resolve', args, () => this.viewed);
  redial: Gateway['redial'] = (...args) => this.#answer('redial', args, () => this.viewed);
  transfer: Gateway['transfer'] = (...args) => this.#answer('transfer', args, () => this.viewed);
  join: Gateway['join'] = (...args) => this.#answer('join', args, () => this.viewed);
  listen: Gateway['listen'] = (...args) => this.#answer('listen', args, () => this.viewed);
  stopListening: Gateway['stopListening'] = (...args) =>
    this.#answer('stopListening', args, () => this.viewed);
  view: Gateway['view'] = (...args) => this.#answer('view', args, () => this.viewed);
  timeline: Gateway['timeline'] = (...args) =>
    this.#answer('timeline', args, () => ({ ok: true, value: TIMELINE }));
  list: Gateway['list'] = (...args) => this.#answer('list', args, () => this.listed);
  panelTold: Gateway['panelTold'] = (...args) => void this.#answer('panelTold', args, () => undefined);
  heard: Gateway['heard'] = (...args) => this.#answer('heard', args, () => undefined);
  acknowledgeAlert: Gateway['acknowledgeAlert'] = (...args) =>
    this.#answer('acknowledgeAlert', args, () => this.viewed);
  shift: Gateway['shift'] = (...args) => this.#answer('shift', args, () => undefined);
  deviceAdmitted: Gateway['deviceAdmitted'] = (...args) =>
    this.#answer('deviceAdmitted', args, () => ({ ok: true, value: null }));
  deviceExpected: Gateway['deviceExpected'] = (...args) =>
    this.#answer('deviceExpected', args, () => ({ ok: true, value: null }));
  stamped: Gateway['stamped'] = (...args) => void this.calls.push({ name: 'stamped', args });
  deviceLost: Gateway['deviceLost'] = (...args) => void this.calls.push({ name: 'deviceLost', args });
  deviceLeft: Gateway['deviceLeft'] = (...args) => void this.calls.push({ name: 'deviceLeft', args });
  health: Gateway['health'] = () =>
    this.#answer('health', [], () => ({ ...this.healthy, journal: this.journal }));
}
