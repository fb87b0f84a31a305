import { createHash } from 'node:crypto';
import { phoneToneHz } from '../audio/tones.ts';
import { behaviourOf, type Behaviour } from './behaviours.ts';
import { createHeardTones, type HeardTones } from './heard-tones.ts';
import { operatorSeriesOf, parseDialledNumber } from './indian-numbers.ts';
import { offeredCodecs, offeredDirection } from './offered-codecs.ts';
import type { CallReport, SipSighting } from './report-schema.ts';
import {
  header,
  isInDialog,
  parseNameAddress,
  parseReasons,
  parseSipUri,
  type NameAddress,
  type SipMessage,
} from './sip-message.ts';

/**
 * What the carrier saw of each call, put together from the messages as they passed. Late and doubled ones
 * change nothing. Memory is bounded: the oldest call goes when there are too many.
 */
export interface CallLedger {
  /** Takes one message, in the order of passing. */
  record(sighting: SipSighting, message: SipMessage): void;
  /** Oldest first; with `since`, those that changed after that revision. */
  reports(since?: number): CallReport[];
  report(callId: string): CallReport | undefined;
  sightings(callId: string): readonly SipSighting[] | undefined;
  /** The latest messages of no reported call: OPTIONS, and what came after a clear(). */
  sightingsOutsideCalls(): readonly SipSighting[];
  /** The ear of the phone whose audio has this id (see audioId). */
  listen(id: string): { heard: HeardTones; behaviour: Behaviour | undefined } | undefined;
  /** Grows with every change. */
  revision(): number;
  /** Resolves at the next change after `since`, or after `waitMs`. */
  changed(since: number, waitMs: number): Promise<void>;
  /** Forgets the calls that have been seen so far; messages of theirs that still come are not reported. */
  clear(): void;
}

interface Entry {
  readonly report: CallReport;
  readonly inviteCseq: number;
  readonly behaviour: Behaviour | undefined;
  readonly sightings: SipSighting[];
  heard: HeardTones | undefined;
  /** The revision of its latest change. */
  revision: number;
}

const MAX_CALLS = 500;
const MAX_SIGHTINGS_PER_CALL = 100;
const MAX_SIGHTINGS_OUTSIDE_CALLS = 200;

/** The id of a call's audio: the MD5 of its Call-ID, which the dialplan computes as well. */
export function audioId(callId: string): string {
  return createHash('md5').update(callId).digest('hex');
}

export function createCallLedger(): CallLedger {
  const entries = new Map<string, Entry>();
  const byAudioId = new Map<string, Entry>();
  const outside: SipSighting[] = [];
  const waiting = new Set<() => void>();
  let revision = 0;

  const change = (entry?: Entry): void => {
    revision += 1;
    if (entry !== undefined) entry.revision = revision;
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const forget = (callId: string): void => {
    entries.delete(callId);
    byAudioId.delete(audioId(callId));
  };
  const open = (sighting: SipSighting, message: SipMessage): Entry | undefined => {
    const entry = openEntry(sighting, message);
    if (entry === undefined) return undefined;
    entries.set(message.callId, entry);
    byAudioId.set(audioId(message.callId), entry);
    const oldest = entries.keys().next();
    if (entries.size > MAX_CALLS && oldest.done !== true) forget(oldest.value);
    return entry;
  };

  return {
    record(sighting, message) {
      const entry = entries.get(message.callId) ?? open(sighting, message);
      if (entry === undefined) {
        outside.push(sighting);
        if (outside.length > MAX_SIGHTINGS_OUTSIDE_CALLS) outside.shift();
        return;
      }
      if (entry.sightings.length < MAX_SIGHTINGS_PER_CALL) entry.sightings.push(sighting);
      if (sighting.fate !== 'dropped') apply(entry, sighting, message);
      change(entry);
    },
    reports: (since = 0) => [...entries.values()].filter((entry) => entry.revision > since).map(snapshot),
    report: (callId) => {
      const entry = entries.get(callId);
      return entry === undefined ? undefined : snapshot(entry);
    },
    sightings: (callId) => entries.get(callId)?.sightings,
    sightingsOutsideCalls: () => outside,
    listen(id) {
      const entry = byAudioId.get(id);
      if (entry === undefined) return undefined;
      entry.heard ??= createHeardTones(() => change(entry));
      return { heard: entry.heard, behaviour: entry.behaviour };
    },
    revision: () => revision,
    changed(since, waitMs) {
      if (revision > since) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, waitMs);
        waiting.add(wake);
      });
    },
    clear() {
      for (const callId of [...entries.keys()]) forget(callId);
      outside.length = 0;
      change();
    },
  };
}

/** Only an INVITE outside a dialog opens a call. */
function openEntry(sighting: SipSighting, message: SipMessage): Entry | undefined {
  const { start } = message;
  if (start.kind !== 'request' || start.method !== 'INVITE' || isInDialog(message)) return undefined;
  const direction = sighting.from === 'gateway' ? 'from-gateway' : 'into-gateway';
  const target = parseSipUri(start.uri);
  const dialled = target?.user ?? '';
  const number = parseDialledNumber(dialled);
  const isPhone = direction === 'from-gateway' && number !== undefined;
  const behaviour = isPhone ? behaviourOf(number.e164) : undefined;
  const report: CallReport = {
    callId: message.callId,
    direction,
    state: 'live',
    requestUri: start.uri,
    dialled,
    number: number?.e164 ?? null,
    numberForm: number?.form ?? null,
    operatorSeries: number === undefined ? null : operatorSeriesOf(number.e164),
    behaviour: behaviour?.name ?? null,
    from: address(message, 'from'),
    to: address(message, 'to'),
    pAssertedIdentity: address(message, 'p-asserted-identity'),
    pPreferredIdentity: address(message, 'p-preferred-identity'),
    privacy: header(message, 'privacy') ?? null,
    userPhone: target?.userPhone ?? false,
    userAgent: header(message, 'user-agent') ?? null,
    codecs: offeredCodecs(message.body),
    mediaDirection: offeredDirection(message.body),
    times: {
      inviteAt: sighting.at,
      tryingAt: null,
      ringingAt: null,
      progressAt: null,
      answeredAt: null,
      ackAt: null,
      cancelAt: null,
      byeAt: null,
      endedAt: null,
    },
    statuses: [],
    finalStatus: null,
    finalReasons: [],
    cancelReasons: [],
    byeBy: null,
    byeReasons: [],
    // The opening INVITE is applied like any later one of its number, and counted away there.
    inviteRetransmissions: -1,
    reinvites: 0,
    phoneHz: isPhone ? phoneToneHz(number.e164) : null,
    audio: null,
    heard: [],
  };
  return { report, inviteCseq: message.cseq.number, behaviour, sightings: [], heard: undefined, revision: 0 };
}

function apply(entry: Entry, sighting: SipSighting, message: SipMessage): void {
  if (message.start.kind === 'request') applyRequest(entry, sighting, message, message.start.method);
  else if (message.cseq.method === 'INVITE' && message.cseq.number === entry.inviteCseq)
    applyInviteStatus(entry.report, sighting, message, message.start);
}

function applyRequest(
  { report, inviteCseq }: Entry,
  sighting: SipSighting,
  message: SipMessage,
  method: string,
): void {
  const { times } = report;
  switch (method) {
    case 'INVITE':
      if (message.cseq.number === inviteCseq) report.inviteRetransmissions += 1;
      else report.reinvites += 1;
      return;
    case 'ACK':
      times.ackAt ??= sighting.at;
      return;
    case 'CANCEL':
      if (times.cancelAt !== null) return;
      times.cancelAt = sighting.at;
      report.cancelReasons = parseReasons(message);
      return;
    case 'BYE':
      if (times.byeAt !== null) return;
      times.byeAt = sighting.at;
      report.byeBy = sighting.from;
      report.byeReasons = parseReasons(message);
      end(report, sighting.at);
      return;
    default:
      return;
  }
}

function applyInviteStatus(
  report: CallReport,
  sighting: SipSighting,
  message: SipMessage,
  { status, phrase }: { status: number; phrase: string },
): void {
  if (report.statuses.some((seen) => seen.status === status) || report.finalStatus !== null) return;
  const { at } = sighting;
  const { times } = report;
  report.statuses.push({ status, phrase, at });
  if (status === 100) times.tryingAt = at;
  if (status === 180) times.ringingAt = at;
  if (status === 183) times.progressAt = at;
  if (status < 200) return;
  report.finalStatus = status;
  report.finalReasons = parseReasons(message);
  if (status < 300) times.answeredAt = at;
  else end(report, at);
}

function end(report: CallReport, at: number): void {
  report.state = 'ended';
  report.times.endedAt ??= at;
}

function snapshot({ report, heard }: Entry): CallReport {
  if (heard === undefined) return structuredClone(report);
  return { ...structuredClone(report), audio: heard.audio(), heard: heard.tones() };
}

function address(message: SipMessage, name: string): NameAddress | null {
  return parseNameAddress(header(message, name) ?? '') ?? null;
}
