/** How a session stands, by what the gateway says and by what is really heard. */
import { phoneToneHz } from '../../control-plane/sandbox/audio/tones.ts';
import type { CallReport } from '../../control-plane/sandbox/carrier/report-schema.ts';
import type { SessionView } from '../../control-plane/src/contracts/session-view.ts';
import type { Outcome, Standing } from './standing.ts';

export function outcomeOf(
  standing: Standing,
  view: SessionView | null,
  calls: readonly CallReport[],
): Outcome {
  switch (view?.phase) {
    case 'resolved':
    case 'released':
      return 'resolved';
    case 'active':
      return isStreamHeard(standing, calls) ? 'stream' : 'none';
    case 'phone-connected':
      return isCallHeard(standing, calls) ? 'phone' : 'none';
    case 'degraded':
    case 'phone-fallback-active':
      return waitsForHelp(view) ? 'alert' : 'none';
    default:
      return 'none';
  }
}

/** Every number whose calls are this session's alone, hers first. */
export function numbersOf({ citizen, district, panel }: Standing): readonly string[] {
  const operators = panel ? [] : [...district.operators, district.supervisor];
  const phones = operators.flatMap((one) => (one ? [one.dutyPhone] : []));
  return citizen.phone === null ? phones : [citizen.phone, ...phones];
}

function isStreamHeard(
  { panel, toneHz, district, citizen }: Standing,
  calls: readonly CallReport[],
): boolean {
  const id = citizen.client.sessionId ?? '-';
  const atPanel = (panel?.heard() ?? []).some(
    ({ legId, now }) => legId.startsWith(id) && now.kind === 'tone' && now.hz === toneHz,
  );
  return atPanel || dutyPhones(district).some((number) => hearsAt(calls, number, toneHz));
}

function isCallHeard({ citizen, district }: Standing, calls: readonly CallReport[]): boolean {
  const her = citizen.phone;
  if (her === null) return false;
  return dutyPhones(district).some(
    (number) => hearsAt(calls, her, phoneToneHz(number)) && hearsAt(calls, number, phoneToneHz(her)),
  );
}

function dutyPhones({ operators, supervisor }: Standing['district']): readonly string[] {
  return [...operators, ...(supervisor ? [supervisor] : [])].map(({ dutyPhone }) => dutyPhone);
}

function hearsAt(calls: readonly CallReport[], number: string, hz: number | null): boolean {
  return calls.some(
    (call) =>
      call.number === number &&
      call.state === 'live' &&
      call.heard.some((tone) => tone.hz === hz && tone.toMs === null),
  );
}

/** Nothing rings any more, or nobody answers; and somebody has been told. */
function waitsForHelp({ alerts, fallback }: SessionView): boolean {
  const rings = ['dialing', 'ringing'].includes(fallback?.citizenPhone ?? 'idle');
  return !rings && alerts.some(({ acknowledged }) => !acknowledged);
}
