import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { CLIENT_TONES_HZ, PHONE_TONES_HZ } from '../sandbox/audio/tones.ts';
import {
  BEHAVIOURS,
  DEFAULT_BEHAVIOUR,
  type Behaviour,
  type BehaviourStep,
} from '../sandbox/carrier/behaviours.ts';
import { OPERATOR_SERIES } from '../sandbox/carrier/indian-numbers.ts';

/**
 * docs/sandbox-numbers.md, made from the table of behaviours. A test holds the file to it; write it anew with
 * `node control-plane/tools/sandbox-numbers-document.ts`.
 */
export const NUMBERS_DOCUMENT_PATH = join(import.meta.dirname, '../../docs/sandbox-numbers.md');

export async function renderNumbersDocument(): Promise<string> {
  const options = await resolveConfig(NUMBERS_DOCUMENT_PATH);
  return format(documentText(), { ...options, parser: 'markdown' });
}

function documentText(): string {
  return `# Numbers of the sandbox

The sandbox's carrier is simulated: no call leaves the machine, nothing costs money. Any Indian number can be dialled, in any of the forms \`+919810012000\`, \`919810012000\`, \`09810012000\`, \`9810012000\`; anything else is refused with 404. **The last two digits choose what the phone does**; a number whose last two digits are in no row behaves like \`${DEFAULT_BEHAVIOUR.digits}\`. All times count from the INVITE.

| last two digits | name | what happens | on the wire |
| --- | --- | --- | --- |
${BEHAVIOURS.map(row).join('\n')}

The digits can be remembered: \`0x\` answers, \`1x\` has early media, \`2x\` rings, \`3n\` answers after n seconds, \`4n 5n 6n\` refuse with the SIP status of these outer digits (486 → \`46\`), \`99\` is silence. OPTIONS is always answered with 200.

## The phone's tone

An answered phone plays a pure tone, so that both ends of a bridge can be told apart. **The third digit from the end chooses it**:

| third digit from the end | ${PHONE_TONES_HZ.map((_, digit) => toneDigits(digit)).join(' | ')} |
| --- | ${PHONE_TONES_HZ.map(() => '---').join(' | ')} |
| tone in Hz | ${PHONE_TONES_HZ.join(' | ')} |

So \`+919810012300\` answers after 1 s with ${PHONE_TONES_HZ[3]} Hz. Clients that test with tones best use ${CLIENT_TONES_HZ.join(', ')} Hz: the phones listen for these as well as for each other's, and report what they heard and when.

## Operators

| operator | numbers begin with |
| --- | --- |
${Object.entries(OPERATOR_SERIES)
  .map(([operator, digits]) => `| ${OPERATOR_NAMES[operator] ?? operator} | \`+91${digits}\` |`)
  .join('\n')}

This is a convention of the simulator, for its report alone. In reality the series only tells whom a number was first given to; with number portability it says nothing reliable about who serves it today.

## The report

The carrier tells what it saw of each call over HTTP on the loopback address (\`reportUrl\`), as JSON:

| request | answer |
| --- | --- |
| \`GET /calls\`, \`GET /calls?number=…\` | every call, oldest first: request URI, From, P-Asserted-Identity, P-Preferred-Identity, Privacy, codecs, the time of every step, CANCEL and BYE with their reasons, final status, tones heard |
| \`GET /calls?since=<revision>&waitMs=…\` | waits for a change, then lists the calls that changed |
| \`GET /calls/{callId}\`, \`GET /calls/{callId}/messages\` | one call; its SIP messages word for word |
| \`GET /messages\` | messages outside calls (OPTIONS) |
| \`DELETE /calls\` | forgets all calls |
| \`POST /calls\` \`{"to", "from"}\` | places a call from the carrier into the gateway, answers with the status it got |
| \`POST /faults\`, \`DELETE /faults\` | drops or delays messages that match \`number\`, \`from\` (\`gateway\`, \`carrier\`), \`method\`, \`status\` |
`;
}

const OPERATOR_NAMES: Readonly<Record<string, string>> = {
  jio: 'Jio',
  airtel: 'Airtel',
  vi: 'Vi',
  bsnl: 'BSNL',
};

function row(behaviour: Behaviour): string {
  const wire = behaviour.steps.map(onTheWire).join(', ') || 'nothing, not even 100';
  return `| \`${behaviour.digits}\` | \`${behaviour.name}\` | ${behaviour.summary} | ${wire} |`;
}

function onTheWire(step: BehaviourStep): string {
  const at = `at ${step.atMs / 1000} s`;
  switch (step.do) {
    case 'ring':
      return `180 ${at}`;
    case 'early-media':
      return `183 with ${step.sound} ${at}`;
    case 'answer':
      return `200 ${at}`;
    case 'refuse':
      return `${step.status} ${at}`;
    case 'hang-up':
      return `BYE ${at}`;
  }
}

/** "0, 8" for the first: ten digits share eight tones. */
function toneDigits(digit: number): string {
  return digit + PHONE_TONES_HZ.length < 10 ? `${digit}, ${digit + PHONE_TONES_HZ.length}` : `${digit}`;
}

if (import.meta.main) writeFileSync(NUMBERS_DOCUMENT_PATH, await renderNumbersDocument());
