import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { CallLedger } from './call-ledger.ts';
import { parseDialledNumber } from './indian-numbers.ts';
import { placeCallSchema, sipFaultSchema, type PlacedCall, type SipFault } from './report-schema.ts';

/**
 * The carrier's report over HTTP, for tests and for developers of clients (loopback only):
 *
 *   GET    /calls[?number=][&since=&waitMs=]   {revision, calls}; with `since`: waits for a
 *                                              change after that revision, and lists what changed
 *   GET    /calls/{callId}                     one call
 *   GET    /calls/{callId}/messages            its SIP messages
 *   GET    /messages                           those outside calls (OPTIONS)
 *   DELETE /calls                              forgets all calls
 *   POST   /calls {to, from, timeoutMs}        places a call into the gateway, answers with its final status
 *   POST   /faults {…}, DELETE /faults         see sipFaultSchema
 *
 * Errors are {code, message}.
 */
export interface ReportServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface ReportActions {
  readonly ledger: CallLedger;
  placeCall(order: z.output<typeof placeCallSchema>): Promise<PlacedCall>;
  addFault(fault: SipFault): void;
  clearFaults(): void;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

const MAX_BODY_BYTES = 16_384;
const MAX_WAIT_MS = 30_000;

export async function startReportServer(
  host: string,
  port: number,
  actions: ReportActions,
): Promise<ReportServer> {
  const server = createServer((request, response) => {
    void handle(request, actions).then((answer) => send(response, answer));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound.port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(request: IncomingMessage, actions: ReportActions): Promise<Answer> {
  try {
    const url = new URL(request.url ?? '/', 'http://carrier');
    const [area = '', id, part] = url.pathname.split('/').slice(1).map(decodeURIComponent);
    switch (`${request.method ?? ''} ${area}`) {
      case 'GET calls':
        return id === undefined ? await listCalls(url, actions.ledger) : oneCall(id, part, actions.ledger);
      case 'DELETE calls':
        actions.ledger.clear();
        return { status: 204 };
      case 'POST calls':
        return { status: 200, body: await actions.placeCall(placeCallSchema.parse(await readJson(request))) };
      case 'GET messages':
        return { status: 200, body: actions.ledger.sightingsOutsideCalls() };
      case 'POST faults':
        actions.addFault(sipFaultSchema.parse(await readJson(request)));
        return { status: 204 };
      case 'DELETE faults':
        actions.clearFaults();
        return { status: 204 };
      default:
        return failure(404, 'ERR_CARRIER_NO_SUCH_RESOURCE', url.pathname);
    }
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError || error instanceof URIError)
      return failure(400, 'ERR_CARRIER_BAD_REQUEST', error.message);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERR_CARRIER_INTERNAL';
    return failure(500, code, String(error));
  }
}

const listQuery = z.object({
  number: z.string().optional(),
  since: z.coerce.number().int().optional(),
  waitMs: z.coerce.number().positive().max(MAX_WAIT_MS).default(MAX_WAIT_MS),
});

async function listCalls(url: URL, ledger: CallLedger): Promise<Answer> {
  const query = listQuery.parse(Object.fromEntries(url.searchParams));
  if (query.since !== undefined) await ledger.changed(query.since, query.waitMs);
  const revision = ledger.revision();
  const reports = ledger.reports(query.since);
  if (query.number === undefined) return { status: 200, body: { revision, calls: reports } };
  // A "+" that was not escaped in the query arrives as a space.
  const wanted = query.number.replace(/^ /, '+');
  const e164 = parseDialledNumber(wanted)?.e164;
  const calls = reports.filter(({ number, dialled }) =>
    e164 === undefined ? dialled === wanted : number === e164,
  );
  return { status: 200, body: { revision, calls } };
}

function oneCall(callId: string, part: string | undefined, ledger: CallLedger): Answer {
  const found = part === 'messages' ? ledger.sightings(callId) : ledger.report(callId);
  if (found === undefined || (part !== undefined && part !== 'messages'))
    return failure(404, 'ERR_CARRIER_NO_SUCH_CALL', callId);
  return { status: 200, body: found };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new SyntaxError(`the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}

function failure(status: number, code: string, message: string): Answer {
  return { status, body: { code, message } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (body === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
