import { PHONE_TONES_HZ } from '../audio/tones.ts';
import {
  BEHAVIOURS,
  DEFAULT_BEHAVIOUR,
  LONGEST_CALL_MS,
  TONE_BEFORE_ECHO_MS,
  type Behaviour,
  type BehaviourStep,
  type EarlySound,
  type PhoneAudio,
  type RefusalStatus,
} from './behaviours.ts';

/**
 * The dialplan of the carrier's Asterisk, made from the table of behaviours.
 *
 * A dialled number comes in any of the four Indian forms; its last ten digits are kept, its third digit from
 * the end chooses the phone's tone, its last two the behaviour. An answered phone is connected to the media
 * port of the simulator (AudioSocket), which listens; what the phone plays is Asterisk's own.
 */

/** Asterisk's hangup causes that chan_pjsip turns into these statuses; it has none for 603 (see sip-front.ts). */
const HANGUP_CAUSES: Readonly<Record<RefusalStatus, number>> = {
  403: 21,
  404: 1,
  480: 20,
  486: 17,
  500: 38,
  503: 34,
  603: 21,
};

/** Indian ringback (400 Hz, modulated with 25 Hz), and three rising tones in place of a spoken announcement. */
const EARLY_SOUNDS: Readonly<Record<EarlySound, string>> = {
  ringback: '400*25/400,0/200,400*25/400,0/2000',
  announcement: '950/330,1400/330,1800/330,0/1000',
};

const TONES: Readonly<Record<PhoneAudio, string>> = {
  tone: '${PHONE_HZ}',
  'tone-then-echo': `!\${PHONE_HZ}/${TONE_BEFORE_ECHO_MS}`,
  silence: '0',
};

const CALL_HASH = 'Set(CALL_HASH=${MD5(${CHANNEL(pjsip,call-id)})})';

/** A call that ends by its time limit has no cause yet: it gets that of somebody who hangs up. */
const NORMAL_CLEARING = [
  ...extension('h', ['GotoIf($[${HANGUPCAUSE} != 0]?done)', 'Hangup(16)']),
  ' same => n(done),NoOp()',
];

const NUMBER_PATTERNS = ['_+91ZXXXXXXXXX', '_91ZXXXXXXXXX', '_0ZXXXXXXXXX', '_ZXXXXXXXXX'];

/** The whole extensions.conf. `mediaAddress` is where the media port listens ("127.0.0.2:30000"). */
export function renderDialplan(mediaAddress: string): string {
  return [
    [
      '[globals]',
      ...PHONE_TONES_HZ.map((hz, digit) => `TONE_${digit}=${hz}`),
      'TONE_8=${TONE_0}',
      'TONE_9=${TONE_1}',
    ],
    ['[from-gateway]', ...NUMBER_PATTERNS.flatMap(numberExtension)],
    [
      '[behaviours]',
      ...BEHAVIOURS.filter(({ steps }) => steps.length > 0).flatMap((behaviour) =>
        behaviourExtension(behaviour.digits, behaviour, mediaAddress),
      ),
      ...behaviourExtension('_XX', DEFAULT_BEHAVIOUR, mediaAddress),
      ...NORMAL_CLEARING,
    ],
    [
      '[to-gateway]',
      ...extension('answered', [CALL_HASH, 'Playtones(${PHONE_HZ})', ...listen(mediaAddress)]),
    ],
  ]
    .map((section) => `${section.join('\n')}\n`)
    .join('\n');
}

function numberExtension(pattern: string): string[] {
  return extension(pattern, [
    'Set(PHONE_HZ=${TONE_${EXTEN:-3:1}})',
    CALL_HASH,
    `Set(TIMEOUT(absolute)=${LONGEST_CALL_MS / 1000})`,
    'Goto(behaviours,${EXTEN:-2},1)',
  ]);
}

function behaviourExtension(name: string, behaviour: Behaviour, mediaAddress: string): string[] {
  let elapsedMs = 0;
  const hangUpAtMs = behaviour.steps.find((step) => step.do === 'hang-up')?.atMs;
  const lines = behaviour.steps.flatMap((step) => {
    if (step.do === 'hang-up') return [];
    const waitMs = step.atMs - elapsedMs;
    elapsedMs = step.atMs;
    const wait = waitMs > 0 ? [`Wait(${waitMs / 1000})`] : [];
    const untilHangUpMs = hangUpAtMs === undefined ? undefined : hangUpAtMs - step.atMs;
    return [...wait, ...applications(step, mediaAddress, untilHangUpMs)];
  });
  const last = behaviour.steps.at(-1)?.do;
  if (last === 'ring' || last === 'early-media') lines.push(`Wait(${LONGEST_CALL_MS / 1000})`);
  return extension(name, lines);
}

function applications(
  step: Exclude<BehaviourStep, { do: 'hang-up' }>,
  mediaAddress: string,
  untilHangUpMs: number | undefined,
): string[] {
  switch (step.do) {
    case 'ring':
      return ['Ringing()'];
    case 'early-media':
      return ['Progress()', `Playtones(${EARLY_SOUNDS[step.sound]})`];
    case 'refuse':
      return [`Hangup(${HANGUP_CAUSES[step.status]})`];
    case 'answer': {
      const limit = untilHangUpMs === undefined ? [] : [`Set(TIMEOUT(absolute)=${untilHangUpMs / 1000})`];
      const { presses } = step;
      const press = presses ? [`Wait(${presses.afterMs / 1000})`, `SendDTMF(${presses.key})`] : [];
      return ['Answer(0,i)', ...limit, ...press, `Playtones(${TONES[step.audio]})`, ...listen(mediaAddress)];
    }
  }
}

/** Ends when either side hangs up. The id of the audio is the hash of the call's Call-ID, as a UUID. */
function listen(mediaAddress: string): string[] {
  const uuid = [
    '${CALL_HASH:0:8}',
    '${CALL_HASH:8:4}',
    '${CALL_HASH:12:4}',
    '${CALL_HASH:16:4}',
    '${CALL_HASH:20:12}',
  ].join('-');
  return [`AudioSocket(${uuid},${mediaAddress})`, 'Hangup(16)'];
}

function extension(name: string, applicationsInOrder: readonly string[]): string[] {
  return applicationsInOrder.map(
    (application, at) => `${at === 0 ? `exten => ${name},1` : ' same => n'},${application}`,
  );
}
