import { z } from 'zod';
import {
  callListSchema,
  callReportSchema,
  placedCallSchema,
  sipSightingSchema,
  type CallList,
  type CallReport,
  type PlaceCall,
  type PlacedCall,
  type SipFault,
  type SipSighting,
} from './report-schema.ts';

/** Reads the simulated carrier's report, from any process on this machine. */
export interface CarrierReport {
  /** Oldest first; `number` in any of the four forms. */
  fetchCalls(filter?: { number?: string }): Promise<CallReport[]>;
  fetchCall(callId: string): Promise<CallReport | undefined>;
  fetchMessages(callId: string): Promise<SipSighting[]>;
  /** OPTIONS and the like. */
  fetchMessagesOutsideCalls(): Promise<SipSighting[]>;
  /**
   * The first call that fits, now or as soon as there is one; told by the carrier, not polled.
   * Throws ERR_CARRIER_WAIT_DEADLINE, with what was seen, after `deadlineMs`.
   */
  waitForCall(predicate: (call: CallReport) => boolean, deadlineMs: number): Promise<CallReport>;
  /** Places a call into the gateway and waits for its final status. */
  placeCall(order: PlaceCall): Promise<PlacedCall>;
  addFault(fault: SipFault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Forgets all calls. */
  reset(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 5_000;
const LONGEST_POLL_MS = 30_000;

export function createCarrierReport(reportUrl: string): CarrierReport {
  const request = async (method: string, path: string, body?: unknown, waitMs = 0): Promise<Response> => {
    const response = await fetch(new URL(path, reportUrl), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(waitMs + REQUEST_TIMEOUT_MS),
    });
    if (response.ok || response.status === 404) return response;
    throw Object.assign(
      new Error(`carrier: ${method} ${path}: ${response.status} ${await response.text()}`),
      {
        code: 'ERR_CARRIER_REPORT',
      },
    );
  };
  const list = async (query: Record<string, string>, waitMs = 0): Promise<CallList> => {
    const path = `/calls?${new URLSearchParams(query).toString()}`;
    return callListSchema.parse(await (await request('GET', path, undefined, waitMs)).json());
  };
  const messages = async (path: string): Promise<SipSighting[]> => {
    const response = await request('GET', path);
    return response.status === 404 ? [] : z.array(sipSightingSchema).parse(await response.json());
  };

  return {
    fetchCalls: async (filter = {}) =>
      (await list(filter.number === undefined ? {} : { number: filter.number })).calls,
    async fetchCall(callId) {
      const response = await request('GET', `/calls/${encodeURIComponent(callId)}`);
      return response.status === 404 ? undefined : callReportSchema.parse(await response.json());
    },
    fetchMessages: (callId) => messages(`/calls/${encodeURIComponent(callId)}/messages`),
    fetchMessagesOutsideCalls: () => messages('/messages'),
    async waitForCall(predicate, deadlineMs) {
      const deadline = performance.now() + deadlineMs;
      const seen = new Map<string, CallReport>();
      let { revision, calls } = await list({});
      for (;;) {
        for (const call of calls) seen.set(call.callId, call);
        const found = calls.find(predicate);
        if (found !== undefined) return found;
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) throw deadlineError(deadlineMs, [...seen.values()]);
        const waitMs = Math.min(Math.ceil(leftMs), LONGEST_POLL_MS);
        ({ revision, calls } = await list({ since: `${revision}`, waitMs: `${waitMs}` }, waitMs));
      }
    },
    placeCall: async (order) =>
      placedCallSchema.parse(await (await request('POST', '/calls', order, order.timeoutMs ?? 5_000)).json()),
    async addFault(fault) {
      await request('POST', '/faults', fault);
    },
    async clearFaults() {
      await request('DELETE', '/faults');
    },
    async reset() {
      await request('DELETE', '/calls');
    },
  };
}

function deadlineError(deadlineMs: number, calls: readonly CallReport[]): Error {
  const lines = calls.map(
    ({ dialled, state, behaviour, statuses, heard }) =>
      `${dialled} ${behaviour ?? '-'} ${state} [${statuses.map(({ status }) => status).join(' ')}]` +
      ` heard [${heard.map(({ hz }) => hz).join(' ')}]`,
  );
  return Object.assign(
    new Error(`no such call within ${deadlineMs} ms; the carrier saw:\n${lines.join('\n') || 'none'}`),
    { code: 'ERR_CARRIER_WAIT_DEADLINE' },
  );
}
