/** How a session begins: warm-up, activation, and the second press of the same citizen. */
import type { AddressOfRecord, Instant } from '../ids.ts';
import type { Command } from './command.ts';
import { Draft, NO_ATTEMPTS } from './draft.ts';
import type { Decision } from './draft.ts';
import type { Subject } from './event.ts';
import type { Arming, Flag, Live, LiveFacts, Stream } from './session.ts';
import { dialCitizenApp } from './dial-citizen-app.ts';

export const FRESH_STREAM: Stream = {
  leg: null,
  streamingSince: null,
  heardBy: null,
  heardSince: null,
  sound: null,
  retryUsed: false,
  failures: [],
  lost: false,
};

/** Warm-up: the app connects in peace; no watchdog runs and nobody is called. */
export function arm(subject: Subject, at: Instant): Decision {
  const session: Arming = { ...common(subject, at), phase: 'arming' };
  const dueAt = (at + subject.policy.armingMs) as Instant;
  return { session, commands: [{ type: 'timer.set', timer: 'arming-expiry', dueAt }], verdict: 'applied' };
}

/** The activation: t0. The watchdog starts here (FB-1), the offer goes out as soon as there is a contact (RTC-1). */
export function activate(
  subject: Subject,
  contactOnline: boolean,
  armed: Arming | null,
  at: Instant,
): Decision {
  const facts: LiveFacts = {
    ...common(subject, armed?.createdAt ?? at),
    flags: merged(armed?.flags ?? [], subject.flags),
    activatedAt: at,
    assignment: null,
    triedOperators: [],
    legs: [],
    attempts: NO_ATTEMPTS,
    devices: [{ aor: subject.aor, online: contactOnline }],
    foldedAt: null,
    stream: FRESH_STREAM,
    degradedReason: null,
    alerts: [],
    alertRepeatAt: null,
    hungUp: false,
    watchdogAt: null,
    fallback: null,
  };
  const draft = new Draft({ ...facts, phase: 'connecting' }, at);
  if (armed) draft.clearTimers('arming-expiry');
  draft.startWatchdog(facts.policy.watchdogMs);
  draft.setTimer('retry', facts.policy.firstRetryMs);
  draft.setTimer('long-session', facts.policy.maxSessionMs);
  if (contactOnline) dialCitizenApp(draft, subject.aor);
  draft.publish('sos.activated', {});
  draft.order({ type: 'roster.assign', exclude: [] });
  return draft.seal();
}

/** A press that changes nothing is written down at most this often: a stuck or hostile app floods nobody. */
const FOLD_EVERY_MS = 1000;
const MAX_DEVICES = 5;

/**
 * She presses again while a session is open: the same session, perhaps from another device, which is added and takes
 * nothing from the first. Without a voice channel and without a running deadline, connecting and watchdog start anew;
 * a running deadline is never postponed.
 */
export function fold(session: Live, subject: Subject, contactOnline: boolean, at: Instant): Decision {
  const draft = new Draft(session, at);
  const known = session.devices.find((device) => device.aor === subject.aor);
  // A name that no device stands behind is no news once the list is full: nobody makes panels blink with invented ones.
  const hasRoom = session.devices.length < MAX_DEVICES;
  const news = known === undefined ? contactOnline || hasRoom : contactOnline && !known.online;
  if (news) noteDevice(draft, subject.aor, contactOnline);
  const hasVoice = session.phase === 'active' || session.phase === 'phone-connected';
  const calls =
    !hasVoice && contactOnline && !draft.standing('citizen-app').some((leg) => leg.aor === subject.aor);
  const restarts = session.phase === 'degraded' && session.watchdogAt === null;
  const justFolded = session.foldedAt !== null && at - session.foldedAt < FOLD_EVERY_MS;
  const flagged = subject.flags.some((flag) => !REJUDGED.includes(flag) && !session.flags.includes(flag));
  if (justFolded && !news && !flagged && !calls && !restarts)
    return { session, commands: [], verdict: 'ignored' };
  draft.change({ flags: merged(session.flags, [...subject.flags, 'folded']), foldedAt: at, hungUp: false });
  if (calls) dialCitizenApp(draft, subject.aor);
  if (restarts) restart(draft);
  // She had hung up, and only duty phones are being called: her own press brings hers back in, after the usual time.
  if (session.hungUp && session.phase === 'phone-fallback-active' && session.watchdogAt === null)
    draft.startWatchdog(session.policy.watchdogMs);
  draft.publish('sos.folded', {});
  return draft.seal();
}

function noteDevice(draft: Draft, aor: AddressOfRecord, online: boolean): void {
  const { devices } = draft.facts;
  const isKnown = devices.some((device) => device.aor === aor);
  const next = isKnown
    ? devices.map((device) => (device.aor === aor ? { aor, online } : device))
    : [...devices, { aor, online }];
  // The first is the one that called for help: it is never pushed out; nor is one that streams, while others do not.
  const [first, ...others] = next;
  const streams = (device: { readonly aor: AddressOfRecord }): boolean =>
    draft.standing('citizen-app').some((leg) => leg.aor === device.aor && leg.streaming);
  const worth = (device: { readonly aor: AddressOfRecord; readonly online: boolean }): number =>
    2 * Number(streams(device)) + Number(device.online);
  const kept = others.toSorted((one, other) => worth(one) - worth(other)).slice(1 - MAX_DEVICES);
  draft.change({ devices: first ? [first, ...kept] : [] });
}

function restart(draft: Draft): void {
  const { policy } = draft.facts;
  draft.phase = 'connecting';
  draft.changeStream({ retryUsed: false, failures: [] });
  draft.change({ triedOperators: [], degradedReason: null });
  draft.startWatchdog(policy.watchdogMs);
  draft.setTimer('retry', policy.firstRetryMs);
  if (draft.standing('operator-app').length === 0) draft.order({ type: 'roster.assign', exclude: [] });
}

/** A warm-up that ends without an activation (US-029: early release). Nothing was dialled, nothing is. */
export function release(session: Arming, by: string, at: Instant): Decision {
  const { phase: _, ...rest } = session;
  const commands: Command[] = [
    { type: 'timer.clear', timer: 'arming-expiry' },
    { type: 'pbx.remove-endpoint', aor: session.aor },
  ];
  return {
    session: {
      ...rest,
      phase: 'released',
      activatedAt: null,
      aors: [session.aor],
      endedAt: at,
      endedBy: by,
      operatorId: null,
      webrtcSessionId: null,
      fallback: null,
      degradedReason: null,
      alerts: [],
      legs: [],
    },
    commands,
    verdict: 'applied',
  };
}

function common(subject: Subject, createdAt: Instant) {
  const { citizenId, deviceId, aor, zoneId, profile, flags, policy } = subject;
  return { id: subject.sessionId, citizenId, deviceId, aor, zoneId, profile, flags, policy, createdAt };
}

/** What each activation tells anew; the rest stays on the record once it was so. */
const REJUDGED: readonly Flag[] = ['location-missing', 'location-absurd', 'unknown-zone', 'unknown-device'];

function merged(flags: readonly Flag[], more: readonly Flag[]): readonly Flag[] {
  return [...new Set([...flags.filter((flag) => !REJUDGED.includes(flag)), ...more])];
}
