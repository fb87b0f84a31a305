import { resolve } from 'node:path';
import { reservePort } from '../free-ports.ts';
import { startAudioSocketServer, type PhoneEar } from './audio-socket-server.ts';
import { createCallLedger, type CallLedger } from './call-ledger.ts';
import { startCarrierAsterisk, type CarrierAsterisk } from './carrier-asterisk.ts';
import { startReportServer } from './report-server.ts';
import type { PlacedCall } from './report-schema.ts';
import { startSipFront, type GatewayAddress } from './sip-front.ts';

/**
 * Starts the simulated Indian carrier: an Asterisk of its own, the SIP front that the gateway's trunk points
 * to, the phones' ears, and the report over HTTP. See docs/sandbox-numbers.md for what the numbers do.
 */
export interface CarrierOptions {
  /** The unpacked Asterisk root. */
  readonly root: string;
  /** Of this carrier alone; what an earlier one left running there is ended first. */
  readonly runDir: string;
  /** Default 127.0.0.2; a second carrier may live on 127.0.0.3. */
  readonly host?: string;
  /** The trunk's SIP port. Default: any free one. */
  readonly port?: number;
  /** Default: any free one. */
  readonly reportPort?: number;
  /** Where calls into the gateway go; afterwards the address is learnt from what the gateway sends. */
  readonly gateway?: GatewayAddress;
}

export interface Carrier {
  /** The trunk's address for the gateway: SIP over UDP. */
  readonly host: string;
  readonly port: number;
  readonly reportUrl: string;
  readonly asteriskPid: number;
  /** From the order to the answer of ARI. */
  readonly startedInMs: number;
  setGateway(address: GatewayAddress): void;
  /** Ends everything; harmless when repeated. */
  stop(): Promise<void>;
}

const DEFAULT_HOST = '127.0.0.2';

export async function startCarrier(options: CarrierOptions): Promise<Carrier> {
  const startedAt = performance.now();
  const host = options.host ?? DEFAULT_HOST;
  const ledger = createCallLedger();
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const sipPort = await reservePort([host]);
    stops.push(() => sipPort.release());
    const front = await startSipFront({
      host,
      port: options.port ?? 0,
      carrierPort: sipPort.first,
      onSighting: (sighting, message) => ledger.record(sighting, message),
    });
    stops.push(() => front.stop());
    if (options.gateway !== undefined) front.setGateway(options.gateway);
    const media = await startAudioSocketServer(host, (id) => earOf(ledger, id));
    stops.push(() => media.stop());
    const asterisk = await startCarrierAsterisk({
      root: resolve(options.root),
      runDir: resolve(options.runDir),
      host,
      frontPort: front.port,
      sipPort: sipPort.first,
      mediaAddress: media.address,
    });
    stops.push(() => asterisk.stop());
    const report = await startReportServer(host, options.reportPort ?? 0, {
      ledger,
      placeCall: callPlacer(asterisk, ledger),
      addFault: (fault) => front.addFault(fault),
      clearFaults: () => front.clearFaults(),
    });
    stops.push(() => report.stop());
    return {
      host,
      port: front.port,
      reportUrl: report.url,
      asteriskPid: asterisk.process.pid,
      startedInMs: performance.now() - startedAt,
      setGateway: (address) => front.setGateway(address),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function earOf(ledger: CallLedger, id: string): PhoneEar | undefined {
  const phone = ledger.listen(id);
  if (phone === undefined) return undefined;
  const echoes =
    phone.behaviour?.steps.some((step) => step.do === 'answer' && step.audio === 'tone-then-echo') ?? false;
  return { hear: (samples, arrivedAtMs) => phone.heard.push(samples, arrivedAtMs), echoes };
}

/**
 * Places calls one after the other, up to the INVITE: by its order the call is known in the ledger.
 * Throws ERR_CARRIER_ORIGINATE when Asterisk sends none.
 */
function callPlacer(
  asterisk: CarrierAsterisk,
  ledger: CallLedger,
): (order: { to: string; from: string; timeoutMs: number }) => Promise<PlacedCall> {
  let previous: Promise<unknown> = Promise.resolve();
  return async ({ to, from, timeoutMs }) => {
    const deadline = performance.now() + timeoutMs;
    const invited = previous.then(async () => {
      const known = new Set(ledger.reports().map(({ callId }) => callId));
      await asterisk.placeCall(to, from, timeoutMs);
      return await untilReported(ledger, deadline, () =>
        ledger
          .reports()
          .find(
            (call) => call.direction === 'into-gateway' && call.dialled === to && !known.has(call.callId),
          ),
      );
    });
    previous = invited.catch(() => undefined);
    const call = await invited;
    if (call === undefined) {
      throw Object.assign(new Error('the carrier sent no INVITE: it does not know the gateway’s address'), {
        code: 'ERR_CARRIER_ORIGINATE',
      });
    }
    await untilReported(ledger, deadline, () =>
      (ledger.report(call.callId)?.finalStatus ?? null) === null ? undefined : true,
    );
    const report = ledger.report(call.callId) ?? call;
    return {
      callId: report.callId,
      finalStatus: report.finalStatus,
      statuses: report.statuses.map(({ status }) => status),
    };
  };
}

async function untilReported<Found>(
  ledger: CallLedger,
  deadline: number,
  find: () => Found | undefined,
): Promise<Found | undefined> {
  for (;;) {
    const revision = ledger.revision();
    const found = find();
    const leftMs = deadline - performance.now();
    if (found !== undefined || leftMs <= 0) return found;
    await ledger.changed(revision, leftMs);
  }
}
