/**
 * One trunk's password and registration in Asterisk's memory. The password for calls is the `auth` of the trunk's own name,
 * to which its endpoint in pjsip.conf refers. Its registration has one of three names in turn, with an `auth` of the same
 * name, because of what Asterisk 22 does:
 *
 * - a registration that is put over itself stays as it was; one that is taken away and put again at once may be lost;
 * - one that is taken away unregisters. A carrier that challenges that finds no password any more, for it is taken away
 *   first: so the new registration, a second later, finds the old one still standing, and no call is refused between.
 *
 * What stands is asked of Asterisk each time, and nothing is remembered: whoever dies half way is finished by the next one.
 */
import type { Secret } from '../../domain/secret.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { AriFailure } from './ari-result.ts';
import type { Change, DynamicObjects, ObjectFields } from './dynamic-objects.ts';
import { registrationUris, type RegistrationAuth } from './registration-uris.ts';

/** `unfinished`: the rest is to be done some seconds later, when Asterisk is through with what was taken away. */
export type Settled = { readonly ok: true; readonly is: 'kept' | 'changed' | 'unfinished' } | AriFailure;

const TURNS = ['a', 'b', 'c'] as const;
/** Best first; of those that a carrier offers, the first is taken. */
const DIGEST_ALGORITHMS = 'SHA-512-256,SHA-256,MD5';

/** `secret`: null for a trunk that has none. */
export async function settleAccount(
  objects: DynamicObjects,
  { name, auth, ...trunk }: Trunk,
  secret: Secret | null,
): Promise<Settled> {
  if (auth.kind === 'ip') return withdrawAccount(objects, name);
  const proof = secret === null ? null : authFields(auth.username, secret);
  const calls = await putOrRemove(objects, name, proof);
  if (!calls.ok) return calls;
  const result =
    auth.kind === 'registration'
      ? await settleRegistration(objects, { ...trunk, name, auth }, proof)
      : await withdrawRegistration(objects, name);
  return result.ok && result.is === 'kept' && calls.changed ? { ok: true, is: 'changed' } : result;
}

/** The passwords go last: the carrier asks for them once more before it lets us unregister. */
export async function withdrawAccount(objects: DynamicObjects, name: string): Promise<Settled> {
  const registration = await withdrawRegistration(objects, name);
  if (!registration.ok || registration.is === 'unfinished') return registration;
  const calls = await objects.remove('auth', name);
  if (!calls.ok) return calls;
  return { ok: true, is: calls.changed ? 'changed' : registration.is };
}

async function withdrawRegistration(objects: DynamicObjects, name: string): Promise<Settled> {
  const withdrawn = await each(TURNS, (turn) => objects.remove('registration', `${name}.${turn}`));
  if (!withdrawn.ok) return withdrawn;
  if (withdrawn.changed) return { ok: true, is: 'unfinished' };
  const cleared = await each(TURNS, (turn) => objects.remove('auth', `${name}.${turn}`));
  return cleared.ok ? { ok: true, is: cleared.changed ? 'changed' : 'kept' } : cleared;
}

type Registering = Trunk & { readonly auth: RegistrationAuth };

async function settleRegistration(
  objects: DynamicObjects,
  trunk: Registering,
  proof: ObjectFields | null,
): Promise<Settled> {
  const standing: (typeof TURNS)[number][] = [];
  let isRight = true;
  for (const turn of TURNS) {
    const id = `${trunk.name}.${turn}`;
    const found = await objects.look('registration', id, registrationFields(trunk, id));
    if (!found.ok) return found;
    if (found.is === null) continue;
    standing.push(turn);
    const password = proof === null ? found : await objects.look('auth', id, proof);
    if (!password.ok) return password;
    isRight &&= found.is === 'same' && password.is === 'same';
  }
  if (standing.length === 1 && isRight) return { ok: true, is: 'kept' };
  const last = standing.at(-1);
  const next = following(last).find((turn) => !standing.includes(turn));
  if (next === undefined) {
    const dropped = await drop(objects, trunk.name, standing);
    return dropped.ok ? { ok: true, is: 'unfinished' } : dropped;
  }
  const id = `${trunk.name}.${next}`;
  const password = await putOrRemove(objects, id, proof);
  if (!password.ok) return password;
  const registered = await objects.put('registration', id, registrationFields(trunk, id));
  if (!registered.ok) return registered;
  const dropped = await drop(objects, trunk.name, standing);
  return dropped.ok ? { ok: true, is: 'changed' } : dropped;
}

/** Without unregistering, where the carrier challenges that. */
function drop(objects: DynamicObjects, name: string, turns: readonly string[]): Promise<Change> {
  return each(turns, async (turn) => {
    const password = await objects.remove('auth', `${name}.${turn}`);
    return password.ok ? objects.remove('registration', `${name}.${turn}`) : password;
  });
}

/** The turns after this one, in order, itself last. */
function following(turn: (typeof TURNS)[number] | undefined): readonly (typeof TURNS)[number][] {
  const from = turn === undefined ? 0 : TURNS.indexOf(turn) + 1;
  return [...TURNS.slice(from), ...TURNS.slice(0, from)];
}

function putOrRemove(objects: DynamicObjects, id: string, proof: ObjectFields | null): Promise<Change> {
  return proof === null ? objects.remove('auth', id) : objects.put('auth', id, proof);
}

async function each(turns: readonly string[], order: (turn: string) => Promise<Change>): Promise<Change> {
  let changed = false;
  for (const turn of turns) {
    const done = await order(turn);
    if (!done.ok) return done;
    changed ||= done.changed;
  }
  return { ok: true, changed };
}

function authFields(username: string, password: Secret): ObjectFields {
  return {
    auth_type: 'digest',
    username,
    password: password.reveal(),
    supported_algorithms_uac: DIGEST_ALGORITHMS,
  };
}

/** It never gives up. Values as Asterisk gives them back, so that they can be compared. */
function registrationFields(
  { auth, transport, localTransport, outboundProxy }: Registering,
  id: string,
): ObjectFields {
  const { client, server, user } = registrationUris(auth, transport);
  return {
    transport: localTransport,
    outbound_auth: auth.secret === null ? '' : id,
    server_uri: server,
    client_uri: client,
    contact_user: user,
    expiration: String(auth.expirySeconds),
    outbound_proxy: outboundProxy === null ? '' : `sip:${outboundProxy};lr;transport=${transport}`,
    max_random_initial_delay: '0',
    retry_interval: '30',
    forbidden_retry_interval: '120',
    fatal_retry_interval: '120',
    max_retries: '1000000',
    auth_rejection_permanent: 'false',
  };
}
