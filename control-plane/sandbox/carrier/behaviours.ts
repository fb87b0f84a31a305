/**
 * How the simulated phones behave: the last two digits of the dialled number choose a row. The carrier's
 * dialplan, the tests' expectations and docs/sandbox-numbers.md all derive from this table.
 *
 * The digits can be remembered: a leading 0 answers, 1 has early media, 2 rings, 3n answers after n seconds,
 * and 4n, 5n, 6n refuse with the SIP status of these outer digits (486 → 46). All times count from the INVITE.
 */
export interface Behaviour {
  readonly name: string;
  /** The last two digits of the numbers that behave so. */
  readonly digits: string;
  readonly summary: string;
  /** In order of time. Empty: the carrier does not reply to the INVITE at all, not even with 100. */
  readonly steps: readonly BehaviourStep[];
}

export type BehaviourStep =
  | { readonly atMs: number; readonly do: 'ring' }
  /** 183 with SDP; the sound flows before any answer. */
  | { readonly atMs: number; readonly do: 'early-media'; readonly sound: EarlySound }
  /** 200; then what the phone sends. */
  | {
      readonly atMs: number;
      readonly do: 'answer';
      readonly audio: PhoneAudio;
      /** A key that the phone presses (RFC 4733), this long after the answer and before it plays anything. */
      readonly presses?: { readonly key: string; readonly afterMs: number };
    }
  | { readonly atMs: number; readonly do: 'refuse'; readonly status: RefusalStatus }
  | { readonly atMs: number; readonly do: 'hang-up' };

export type EarlySound = 'ringback' | 'announcement';
export type PhoneAudio = 'tone' | 'tone-then-echo' | 'silence';
export type RefusalStatus = 403 | 404 | 480 | 486 | 500 | 503 | 603;

/** How long the phone of `answer-echo` plays its tone before it sends back what it hears. */
export const TONE_BEFORE_ECHO_MS = 2_000;

/** The longest a call lasts here, ringing or answered: a forgotten call ends by itself. */
export const LONGEST_CALL_MS = 3_600_000;

const RING_AT_MS = 200;
const ring = { atMs: RING_AT_MS, do: 'ring' } as const;

const answering: readonly Behaviour[] = [
  {
    name: 'answer-tone',
    digits: '00',
    summary: 'Answers and plays its tone until somebody hangs up',
    steps: [ring, { atMs: 1_000, do: 'answer', audio: 'tone' }],
  },
  {
    name: 'answer-echo',
    digits: '01',
    summary: `Answers, plays its tone for ${TONE_BEFORE_ECHO_MS / 1000} s, then sends back all that it hears`,
    steps: [ring, { atMs: 1_000, do: 'answer', audio: 'tone-then-echo' }],
  },
  {
    name: 'answer-silent',
    digits: '02',
    summary: 'Answers and says nothing: its packets carry silence; it listens',
    steps: [ring, { atMs: 1_000, do: 'answer', audio: 'silence' }],
  },
  {
    name: 'answer-hang-up',
    digits: '03',
    summary: 'Answers, plays its tone, and hangs up 3 s after the answer',
    steps: [ring, { atMs: 1_000, do: 'answer', audio: 'tone' }, { atMs: 4_000, do: 'hang-up' }],
  },
  {
    name: 'answer-late',
    digits: '04',
    summary: 'Answers late: past an operator’s ring timeout of 8 s, within a citizen’s of 25 s',
    steps: [ring, { atMs: 12_000, do: 'answer', audio: 'tone' }],
  },
  {
    name: 'answer-at-once',
    digits: '05',
    summary: 'Answers at once, without ringing',
    steps: [{ atMs: 0, do: 'answer', audio: 'tone' }],
  },
  {
    name: 'answer-press-1',
    digits: '06',
    summary: 'Answers, presses 1 after 1.5 s as a duty phone does that has to accept, then plays its tone',
    steps: [ring, { atMs: 1_000, do: 'answer', audio: 'tone', presses: { key: '1', afterMs: 1_500 } }],
  },
];

const earlyMedia: readonly Behaviour[] = [
  {
    name: 'early-media-answer',
    digits: '10',
    summary: 'A ringback tone in early media (no 180), then an answer',
    steps: [
      { atMs: 300, do: 'early-media', sound: 'ringback' },
      { atMs: 2_000, do: 'answer', audio: 'tone' },
    ],
  },
  {
    name: 'slow-mobile',
    digits: '11',
    summary: 'An Indian mobile that the network takes long to find: 183, then 180, then an answer',
    steps: [
      { atMs: 3_000, do: 'early-media', sound: 'ringback' },
      { atMs: 6_000, do: 'ring' },
      { atMs: 8_000, do: 'answer', audio: 'tone' },
    ],
  },
  {
    name: 'switched-off',
    digits: '12',
    summary: 'An announcement in early media (“switched off”), then 480',
    steps: [
      { atMs: 500, do: 'early-media', sound: 'announcement' },
      { atMs: 4_000, do: 'refuse', status: 480 },
    ],
  },
];

const ringing: readonly Behaviour[] = [
  { name: 'ring-for-ever', digits: '20', summary: 'Rings and is never answered', steps: [ring] },
  {
    name: 'slow-ring',
    digits: '21',
    summary: 'The first ring comes late, then an answer',
    steps: [
      { atMs: 5_000, do: 'ring' },
      { atMs: 6_000, do: 'answer', audio: 'tone' },
    ],
  },
];

const answeringAfter: readonly Behaviour[] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((seconds) => ({
  name: `answer-after-${seconds}s`,
  digits: `3${seconds}`,
  summary: `Rings, and answers ${seconds} s after the INVITE`,
  steps: [ring, { atMs: seconds * 1_000, do: 'answer', audio: 'tone' }],
}));

const refusing: readonly Behaviour[] = [
  refusal('unavailable', 480, 'Temporarily unavailable: not reachable, with no announcement'),
  refusal('forbidden', 403, 'Refused by the network: the caller is not allowed'),
  refusal('unknown-subscriber', 404, 'No such subscriber'),
  refusal('busy', 486, 'Busy'),
  refusal('server-error', 500, 'The carrier’s switch fails'),
  refusal('congestion', 503, 'The carrier has no free circuit'),
  {
    name: 'declined',
    digits: '63',
    summary: 'Rings; the person declines',
    steps: [ring, { atMs: 1_500, do: 'refuse', status: 603 }],
  },
];

const silent: Behaviour = {
  name: 'no-reply',
  digits: '99',
  summary: 'The carrier does not reply at all, not even with 100 Trying',
  steps: [],
};

export const BEHAVIOURS: readonly Behaviour[] = [
  ...answering,
  ...earlyMedia,
  ...ringing,
  ...answeringAfter,
  ...refusing,
  silent,
];

/** How a number behaves whose last two digits are in no row. */
export const DEFAULT_BEHAVIOUR = behaviourNamed('answer-tone');

const byDigits = new Map(BEHAVIOURS.map((behaviour) => [behaviour.digits, behaviour]));

/** The behaviour of a dialled number (in any form: only its last two digits count). */
export function behaviourOf(number: string): Behaviour {
  return byDigits.get(number.slice(-2)) ?? DEFAULT_BEHAVIOUR;
}

/** Throws on a name that is in no row: the names are written in tests, so that is a slip. */
export function behaviourNamed(name: string): Behaviour {
  const found = BEHAVIOURS.find((behaviour) => behaviour.name === name);
  if (found === undefined) throw new RangeError(`no behaviour is named ${name}`);
  return found;
}

/** The status a behaviour refuses with, if it refuses. */
export function refusalStatus(behaviour: Behaviour): RefusalStatus | undefined {
  return behaviour.steps.find((step) => step.do === 'refuse')?.status;
}

function refusal(name: string, status: RefusalStatus, summary: string): Behaviour {
  const digits = `${Math.floor(status / 100)}${status % 10}`;
  return { name, digits, summary, steps: [{ atMs: 300, do: 'refuse', status }] };
}
