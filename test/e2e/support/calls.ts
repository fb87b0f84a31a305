/** What the carrier saw of one person's phone. */
import type { CallReport } from '../../../control-plane/sandbox/carrier/report-schema.ts';
import type { Gateway } from './gateway.ts';

const DEADLINE_MS = 12_000;

/** The first call to this number that fits. */
export function callTo(
  gateway: Gateway,
  number: string | null | undefined,
  fits: (call: CallReport) => boolean = () => true,
  deadlineMs = DEADLINE_MS,
): Promise<CallReport> {
  return gateway.carrier.waitForCall((call) => call.number === number && fits(call), deadlineMs);
}

/** Resolves once this phone has heard a tone of this frequency. */
export function heardAt(
  gateway: Gateway,
  number: string | null | undefined,
  hz: number,
): Promise<CallReport> {
  return callTo(gateway, number, (call) => call.heard.some((tone) => tone.hz === hz));
}

export function callsTo(gateway: Gateway, number: string | null | undefined): Promise<CallReport[]> {
  return gateway.carrier.fetchCalls({ number: number ?? '' });
}
