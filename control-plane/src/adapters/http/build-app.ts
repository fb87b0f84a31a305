/** The Express application: routes from the operation table, documents, metrics, pages. */
import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Response } from 'express';
import { OPERATIONS, type OperationId } from '../../contracts/operations.ts';
import type { Secret } from '../../domain/secret.ts';
import { bearerOf } from '../../ports/authenticator.ts';
import type { Calls } from '../../ports/calls.ts';
import type { Directory } from '../../ports/directory.ts';
import type { Gateway } from '../../ports/gateway.ts';
import type { OpsAlertBoard } from '../../ports/ops-alerts.ts';
import type { Revocations } from '../../ports/revocations.ts';
import type { TicketStore } from '../../ports/tickets.ts';
import type { TrunkDesk } from '../../ports/trunks.ts';
import type { Webhooks } from '../../ports/webhooks.ts';
import { activationHandler } from './handlers/activation.ts';
import { callHandlers } from './handlers/calls.ts';
import { alertHandlers } from './handlers/alerts.ts';
import { clientHandlers, type ClientSettings } from './handlers/clients.ts';
import { peopleHandlers } from './handlers/people.ts';
import { probeHandlers } from './handlers/probes.ts';
import { sessionHandlers } from './handlers/sessions.ts';
import { tokenHandlers } from './handlers/tokens.ts';
import { trunkHandlers } from './handlers/trunks.ts';
import { webhookHandlers } from './handlers/webhooks.ts';
import { zoneHandlers } from './handlers/zones.ts';
import { failure, operationOf, type Handlers } from './http-call.ts';
import { nameOperation, observeRequests } from './observe-requests.ts';
import { crossOrigin, pageHeaders, securityHeaders, type SecuritySettings } from './security-headers.ts';
import { failureOf, serveOperation, type AnyHandler, type ServeContext } from './serve-operation.ts';
import { writeOutcome } from './write-reply.ts';

export interface AppOptions {
  readonly gateway: Gateway;
  readonly calls: Calls;
  readonly directory: Directory;
  readonly tickets: TicketStore;
  readonly revocations: Pick<Revocations, 'revoke'>;
  readonly trunks: TrunkDesk;
  readonly webhooks: Webhooks;
  readonly alerts: OpsAlertBoard;
  readonly clients: ClientSettings;
  readonly security: SecuritySettings;
  readonly metricsToken: Secret | null;
  readonly exposition: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Directory of the pages; `null`: none are served. */
  readonly staticDir: string | null;
  /** This node waits for its turn; absent: never. */
  readonly standsBy?: () => boolean;
  readonly serve: ServeContext;
}

export function buildApp(options: AppOptions): Express {
  const app = express();
  app
    .disable('x-powered-by')
    .disable('etag')
    .set('query parser', 'simple')
    .set('case sensitive routing', true);
  app.use(observeRequests(options.serve.clock, options.serve.log, options.serve.metrics));
  app.use(securityHeaders(options.security));
  app.use(crossOrigin(options.security.corsOrigins));
  addOperations(app, options);
  addDocuments(app);
  addMetrics(app, options);
  addMethodRefusals(app, options);
  if (options.staticDir !== null) addPages(app, options.staticDir, options.security);
  app.use((_request, response) => refuse(options, response, 'ERR_HTTP_NOT_FOUND', 'nothing is there'));
  app.use(errorHandler(options));
  return app;
}

/** `/v1/sos/{id}` as Express writes it. */
function routeOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function addOperations(app: Express, options: AppOptions): void {
  const handlers: Handlers = {
    activateSos: activationHandler(options.gateway, options.serve.metrics, 'activate'),
    armSos: activationHandler(options.gateway, options.serve.metrics, 'arm'),
    ...sessionHandlers(options.gateway),
    ...clientHandlers(options.tickets, options.serve.clock, options.clients),
    ...tokenHandlers(options.revocations, options.serve.clock, options.serve.log),
    ...callHandlers(options.calls),
    ...peopleHandlers(options.directory, (number) => options.calls.registrationRefusal(number)),
    ...zoneHandlers(options.directory),
    ...webhookHandlers(options.webhooks),
    ...alertHandlers(options.alerts),
    ...trunkHandlers(options.trunks),
    ...probeHandlers(options.gateway, options.standsBy ?? (() => false), options.alerts, options.trunks),
  };
  for (const id of Object.keys(OPERATIONS) as OperationId[]) {
    const operation = operationOf(OPERATIONS, id);
    app[operation.method](
      routeOf(operation.path),
      (_request, response, next) => {
        nameOperation(response, id);
        next();
      },
      serveOperation(options.serve, operation, handlers[id] as AnyHandler),
    );
  }
}

/** The contracts as documents; made at the first request and kept, for nobody waits for them at start. */
function addDocuments(app: Express): void {
  let openapi: Promise<unknown> | undefined;
  let asyncapi: Promise<unknown> | undefined;
  app.get('/openapi.json', async (_request, response) => {
    nameOperation(response, 'getOpenapi');
    openapi ??= import('../../contracts/openapi-document.ts').then((module) => module.openapiDocument());
    writeOutcome(response, { ok: true, status: 200, body: await openapi });
  });
  app.get('/asyncapi.json', async (_request, response) => {
    nameOperation(response, 'getAsyncapi');
    asyncapi ??= import('../../contracts/asyncapi-document.ts').then((module) => module.asyncapiDocument());
    writeOutcome(response, { ok: true, status: 200, body: await asyncapi });
  });
}

function addMetrics(app: Express, options: AppOptions): void {
  app.get('/metrics', async (request, response) => {
    nameOperation(response, 'getMetrics');
    if (
      options.metricsToken &&
      !sameText(bearerOf(request.headers.authorization) ?? '', options.metricsToken.reveal())
    ) {
      refuse(options, response, 'ERR_AUTH_INVALID', 'metrics ask for their own token');
      return;
    }
    const { contentType, text } = await options.exposition();
    response.writeHead(200, { 'Content-Type': contentType }).end(text);
  });
}

/** In a time that tells nothing about where they differ. */
function sameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

function addMethodRefusals(app: Express, options: AppOptions): void {
  const methods = new Map<string, Set<string>>();
  for (const id of Object.keys(OPERATIONS) as OperationId[]) {
    const { path, method } = OPERATIONS[id];
    methods.set(path, (methods.get(path) ?? new Set()).add(method.toUpperCase()));
  }
  for (const path of ['/openapi.json', '/asyncapi.json', '/metrics']) methods.set(path, new Set(['GET']));
  for (const [path, allowed] of methods) {
    app.all(routeOf(path), (request, response) => {
      response.setHeader('Allow', [...allowed].join(', '));
      refuse(options, response, 'ERR_HTTP_METHOD', `${request.method} is not possible here`);
    });
  }
}

function addPages(app: Express, directory: string, security: SecuritySettings): void {
  const headers = pageHeaders(security);
  const setHeaders = (response: Response) => {
    nameOperation(response, 'page');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  };
  const serve = express.static(directory, {
    extensions: ['html'],
    redirect: false,
    cacheControl: false,
    etag: true,
    setHeaders,
  });
  app.use((request, response, next) => {
    // What a page is made of is no page.
    if (/\.(ts|json)$/.test(request.path)) next();
    else void serve(request, response, next);
  });
}

function refuse(options: AppOptions, response: Response, ...what: Parameters<typeof failure>): void {
  options.serve.metrics.count('hamrahi_http_refused_total', { code: what[0] });
  writeOutcome(response, failure(...what));
}

function errorHandler(options: AppOptions): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    // Express and its file server mark what the client did wrong with a 4xx status.
    const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined;
    if (status === 404) refuse(options, response, 'ERR_HTTP_NOT_FOUND', 'nothing is there');
    else if (typeof status === 'number' && status >= 400 && status < 500)
      refuse(options, response, 'ERR_HTTP_MALFORMED_REQUEST', 'the request cannot be read');
    else writeOutcome(response, failureOf(error, options.serve.log, response.getHeader('X-Request-Id')));
  };
}
