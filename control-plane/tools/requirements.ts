/** What is asked of the gateway, by the ids that tests, commits and documents use, and how far each is built. */
export interface Requirement {
  readonly id: string;
  readonly what: string;
  readonly state: 'built' | 'part' | 'open';
  /** What is missing, and what is there today. */
  readonly missing?: string;
}

export interface RequirementGroup {
  readonly title: string;
  readonly requirements: readonly Requirement[];
}

const built = (id: string, what: string): Requirement => ({ id, what, state: 'built' });
const part = (id: string, what: string, missing: string): Requirement => ({
  id,
  what,
  state: 'part',
  missing,
});
const open = (id: string, what: string, missing?: string): Requirement => ({
  id,
  what,
  state: 'open',
  ...(missing === undefined ? {} : { missing }),
});

const stream: RequirementGroup = {
  title: 'RTC: the WebRTC session',
  requirements: [
    built('RTC-1', 'Offer towards her device within 500 ms of the SOS.'),
    built('RTC-2', 'Stream confirmed active, streaming and heard, within 3 s, judged on the server.'),
    built(
      'RTC-3',
      'One way only: SDP, bridge and edge let no sound through to her, whatever a client tries.',
    ),
    built(
      'RTC-4',
      'A record from the activation on: citizen, time, operator, WebRTC session, position. See `session_record` in the data model.',
    ),
    built(
      'RTC-5',
      'Operator away or busy: the next free one of the zone; nobody within 10 s: alert, queue, assignment as soon as somebody is free.',
    ),
    built('RTC-6', 'The panel knows of the SOS, with the id that joins the audio, within 3 s.'),
    built('RTC-7', 'Three seconds or a signalling error: logged, degraded, exactly one retry, logged too.'),
    built('RTC-8', 'Many at once: no id twice, no voice in a foreign session.'),
    built('RTC-9', 'Resolved: stream closed, time of resolution kept, nothing left in the engine.'),
    built('RTC-10', 'What comes in is validated; who may speak for whom is checked.'),
  ],
};

const fallback: RequirementGroup = {
  title: 'FB: the phone fallback',
  requirements: [
    built('FB-1', 'A watchdog of 5 s from the activation; a confirmed stream clears it without a trace.'),
    built('FB-2', 'Watchdog due without a stream: her phone is called within 2 s, by nobody’s hand.'),
    built('FB-3', 'Her call is bridged to the duty phone of her operator, or of the next one.'),
    built(
      'FB-4',
      'On the record at the trigger: both times, the call’s reference, a reason that tells which failure.',
    ),
    built('FB-5', 'The panel hears `phone-fallback-active` within 1 s.'),
    built('FB-6', 'She does not answer: the attempt is on the record, a supervisor is alerted.'),
    built('FB-7', 'Duty phones in order, the supervisor last, and all of it inside her ring time.'),
    built('FB-8', 'Stream against call: one of them wins, the same one whatever the interleaving.'),
    built('FB-9', 'The call stands: the WebRTC side is ended, nothing is orphaned.'),
    built('FB-10', 'No call for an early release, none for a session that was never activated.'),
  ],
};

const telephony: RequirementGroup = {
  title: 'TEL: the carrier',
  requirements: [
    part('TEL-1', 'Mobiles of Jio, Airtel, Vi and BSNL can be called.', 'Calls over a real carrier.'),
    part('TEL-2', 'A recognisable caller identity, never masked.', 'Proof from a real carrier.'),
    built('TEL-3', 'Signed webhooks on ringing, answered, failed, ended, within 2 s.'),
    built('TEL-4', 'From the API’s request to the first ring in under 3 s, 20 calls.'),
    built('TEL-5', 'A sandbox that reaches no real number, costs nothing, and serves other developers.'),
    built('TEL-6', 'Credentials in a secrets manager, none in the repository or in logs.'),
    built('TEL-7', 'Carrier out of reach: a clear error in time, escalation, another carrier.'),
    built('TEL-8', 'On-call alert within 2 min when a carrier is out of reach or calls fail.'),
    part(
      'TEL-9',
      'Everything about a carrier is code; a new place needs secrets alone.',
      'Ansible. Today: trunk files, a site file and secrets by reference; templates rendered from them.',
    ),
    built('TEL-10', 'Holding, passing on while a duty phone does not answer, and handing over by hand.'),
    built('TEL-11', 'Call detail records can be fetched.'),
  ],
};

const later: RequirementGroup = {
  title: 'IN and VA: calls that arrive, and the voice agent',
  requirements: [
    open('IN-1', 'A called number is the only way to a tenant; there is no default.'),
    open(
      'IN-2',
      'Unknown number: refused politely, logged.',
      'Tenants. Today: every call from a trunk gets 480 and a log line.',
    ),
    open('IN-3', 'A record for each arriving call, with its tenant.'),
    open('IN-4', 'An internal endpoint for arriving calls: authenticated, limited, no stack traces.'),
    open('IN-5', 'Numbers are registered and removed by API, effective at once.'),
    open(
      'IN-6',
      'Engine configuration for the Tata trunk as templates.',
      'The inbound half; the trunk itself is there.',
    ),
    open('IN-7', 'Recording, live state, transfer, menus, voicemail, analytics.'),
    open('VA-1', 'Voice webhook with greeting, consent, stream and key menu.'),
    open('VA-2', 'Two-way audio over a WebSocket, with barge-in.'),
    open('VA-3', 'Endpoints for keys, status, health and sessions.'),
    open('VA-4', 'Signatures checked, callers limited.'),
    open('VA-5', 'Speech in, speech out, with a local default.'),
    open('VA-6', 'Emergency words lead to a human.'),
    open('VA-7', 'Greetings, menus and words by tenant.'),
    open('VA-8', 'A hundred calls at once, quick turns, small sessions.'),
    open('VA-9', 'The same agent for calls that arrive on the trunk.'),
  ],
};

export const REQUIREMENTS: readonly RequirementGroup[] = [stream, fallback, telephony, later];
