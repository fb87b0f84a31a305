/**
 * Whether our registrations with carriers stand, as Asterisk's own metrics tell it (res_prometheus; ARI has no word for
 * it). Asterisk knows a registration by its URIs there, of which the client's is the key: two trunks with one account
 * at one domain are one to it.
 */
import type { Instant } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import { registrationUris } from './registration-uris.ts';

const METRIC = 'asterisk_pjsip_outbound_registration_status';
const REGISTERED = '1';
const REJECTED = '2';
const MAX_BYTES = 32 * 1_048_576;
/** So many readings in a row that brought nothing: what was read before holds no more. */
const TRUSTED_FAILURES = 3;

export interface RegistrationPollerOptions {
  /** Of the engine's HTTP server, with its prefix. */
  readonly url: string;
  readonly user: string;
  readonly password: Secret;
  /** Those of now. */
  readonly trunks: () => readonly Trunk[];
  /** `null`: it cannot be told. */
  readonly told: (trunk: string, isRegistered: boolean | null, at: Instant) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Default 10 s and 3 s. */
  readonly everyMs?: number;
  readonly deadlineMs?: number;
}

export class RegistrationPoller {
  readonly #options: RegistrationPollerOptions;
  #failures = 0;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: RegistrationPollerOptions) {
    this.#options = options;
  }

  /** Trunks that register, by the two URIs. */
  #registering(): ReadonlyMap<string, string> {
    const entries = this.#options.trunks().flatMap(({ name, transport, auth }) => {
      if (auth.kind !== 'registration') return [];
      const { client, server } = registrationUris(auth, transport);
      return [[keyOf(client, server), name] as const];
    });
    return new Map(entries);
  }

  /** Nothing is asked where no trunk registers. */
  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #round(): Promise<void> {
    const { clock, everyMs = 10_000 } = this.#options;
    const registering = this.#registering();
    if (registering.size > 0) await this.#read(registering);
    if (this.#stopped) return;
    this.#cancel = clock.at((clock.now() + everyMs) as Instant, () => void this.#round());
  }

  async #read(registering: ReadonlyMap<string, string>): Promise<void> {
    const { told, clock, log, metrics } = this.#options;
    try {
      const statuses = registrationStatuses(await this.#fetch());
      this.#failures = 0;
      metrics.count('hamrahi_trunk_registration_readings_total', { result: 'ok' });
      if (this.#stopped) return;
      for (const [key, trunk] of registering) told(trunk, asRegistered(statuses.get(key)), clock.now());
    } catch (error) {
      this.#failures += 1;
      metrics.count('hamrahi_trunk_registration_readings_total', { result: 'failed' });
      if (this.#failures !== TRUSTED_FAILURES || this.#stopped) return;
      log.warn('The state of our registrations cannot be read from the engine.', { reason: reasonOf(error) });
      for (const trunk of registering.values()) told(trunk, null, clock.now());
    }
  }

  async #fetch(): Promise<string> {
    const { url, user, password, deadlineMs = 3000 } = this.#options;
    const response = await fetch(`${url}/metrics`, {
      headers: { authorization: `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}` },
      redirect: 'error',
      signal: AbortSignal.timeout(deadlineMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the engine answered ${response.status}`);
    }
    return textWithin(response, MAX_BYTES);
  }
}

async function textWithin(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error('the engine told more than is read');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Asterisk tells nothing of a registration that has had no answer yet. */
function asRegistered(status: string | undefined): boolean | null {
  if (status === REGISTERED) return true;
  return status === REJECTED ? false : null;
}

/** From the text format of Prometheus: the value of each registration, by its two URIs. */
export function registrationStatuses(text: string): ReadonlyMap<string, string> {
  const statuses = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${METRIC}{`)) continue;
    const end = line.lastIndexOf('}');
    const labels = new Map(
      [...line.slice(METRIC.length + 1, end).matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(
        ([, name = '', value = '']) => [name, value.replace(/\\(.)/g, '$1')],
      ),
    );
    const [value] = line
      .slice(end + 1)
      .trim()
      .split(' ');
    statuses.set(keyOf(labels.get('username') ?? '', labels.get('domain') ?? ''), value ?? '');
  }
  return statuses;
}

function keyOf(clientUri: string, serverUri: string): string {
  return `${clientUri} ${serverUri}`;
}

/** Never more than a word: what `fetch` says of itself names addresses. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.message.startsWith('the engine ') ? error.message : error.name;
}
