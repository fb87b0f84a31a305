/**
 * Requests and messages made from the published schemas (good, nearly good, hostile) against the whole gateway: no crash,
 * no 500, nothing that the contract does not name, and a session beside them that notices nothing.
 */
import { once } from 'node:events';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Role } from '../../control-plane/src/contracts/common.ts';
import { isErrorCode } from '../../control-plane/src/contracts/error-table.ts';
import { openapiDocument } from '../../control-plane/src/contracts/openapi-document.ts';
import { asyncapiDocument } from '../../control-plane/src/contracts/asyncapi-document.ts';
import { checkAgainstContract } from '../support/contract-check.ts';
import { fuzzRuns, fuzzTimeoutMs } from '../support/fuzz/fuzz-plan.ts';
import { fitting, hostileBody, nastyText, nearlyFitting, type Schema } from '../support/fuzz/from-schema.ts';
import { useBadInputLab } from './support/bad-input-lab.ts';
import { openFeed } from './support/feed-socket.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
}
interface Shot {
  readonly token: string | null;
  readonly path: string;
  readonly body: string | Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const ROLES: readonly Role[] = ['citizen', 'operator', 'supervisor', 'admin', 'backend'];
/** What nobody outside may read in an answer. */
const INSIDES = /node_modules|\.ts:\d|\bat \w+ \(|SELECT |INSERT |knex|postgres|ECONN|undefined is not/i;
/** Gives every run a name of its own, so that what is made here meets nothing of the session beside. */
const PREFIX = 'fz';

describe('e2e fuzz', function () {
  this.timeout(fuzzTimeoutMs(60_000));
  const lab = useBadInputLab();
  const { gateway } = lab;
  const document = openapiDocument() as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tokens: (string | null)[] = [null, 'no.token.atall'];

  before(async () => {
    for (const role of ROLES) tokens.push(await gateway.token(role, `${PREFIX}${role}`));
  });

  /** An id of ours most of the time: what is deleted and replaced here is nobody else's. */
  const idOf = (schema: Schema): fc.Arbitrary<string> =>
    fc.oneof(
      {
        weight: 3,
        arbitrary: fitting(schema, document).map((value) =>
          'format' in schema ? String(value) : `${PREFIX}${String(value)}`,
        ),
      },
      { weight: 1, arbitrary: nastyText },
    );

  const shots = (path: string, operation: Operation): fc.Arbitrary<Shot> => {
    const parameters = operation.parameters ?? [];
    const inPath = parameters.filter((one) => one.in === 'path');
    const inQuery = parameters.filter((one) => one.in === 'query');
    const schema = operation.requestBody?.content['application/json'].schema;
    const bodies: fc.Arbitrary<string | Uint8Array | undefined> =
      schema === undefined
        ? fc.constantFrom(undefined, '{}')
        : fc.oneof(
            fitting(schema, document).map((value) => JSON.stringify(value)),
            nearlyFitting(schema, document).map((value) => JSON.stringify(value)),
            hostileBody,
          );
    return fc.record({
      token: fc.nat({ max: tokens.length - 1 }).map((at) => tokens[at] ?? null),
      path: fc
        .tuple(
          fc.tuple(...inPath.map((one) => idOf(one.schema))),
          fc.tuple(
            ...inQuery.map((one) =>
              fc.option(fc.oneof(fitting(one.schema, document).map(String), nastyText), { nil: undefined }),
            ),
          ),
        )
        .map(([ids, queries]) => addressOf(path, inPath, ids, inQuery, queries)),
      body: bodies,
      headers: fc.constantFrom(
        {},
        {},
        {},
        { 'idempotency-key': 'k'.repeat(300) },
        { 'content-type': 'text/plain' },
        { 'content-type': 'application/json; charset=utf-16' },
        { 'content-encoding': 'gzip' },
        { 'x-forwarded-for': '127.0.0.1' },
      ),
    });
  };

  for (const { path, method, operation } of operations)
    it(`RTC-10 ${method.toUpperCase()} ${path} answers whatever comes as its contract says, and never 500`, async () => {
      // An SOS is a whole session with its timers: fewer of them do.
      const isActivation = path === '/v1/sos' || path === '/v1/sos/arm';
      await fc.assert(
        fc.asyncProperty(shots(path, operation), async (shot) => {
          const hasBody = shot.body !== undefined && method !== 'get';
          const response = await fetch(new URL(shot.path, gateway.file.urls.api), {
            method: method.toUpperCase(),
            headers: {
              ...(shot.token === null ? {} : { authorization: `Bearer ${shot.token}` }),
              ...(hasBody ? { 'content-type': 'application/json' } : {}),
              ...shot.headers,
            },
            body: hasBody ? (shot.body as BodyInit) : null,
            signal: AbortSignal.timeout(10_000),
          });
          await assertProper(method, shot.path, response);
        }),
        fuzzRuns(isActivation ? 12 : 25),
      );
    });

  it('RTC-10 refuses or keeps texts that no database column holds, in every field that takes text', async () => {
    const { token } = gateway.file.tokens.admin;
    const operator = { dutyPhone: null, capacity: 1, active: true };
    for (const text of ['\0', 'a\0b', '\ud800', '\udfff\ud800', '\u{10ffff}', '\u202e']) {
      const bodies: readonly (readonly [string, string, unknown])[] = [
        ['put', `/v1/operators/${PREFIX}text`, { ...operator, name: text }],
        ['put', `/v1/zones/${PREFIX}text`, { name: text, polygon: { type: 'Polygon', coordinates: [] } }],
        ['post', '/v1/tokens/revoke', { jti: text }],
        ['post', '/v1/tokens/revoke', { role: 'backend', subject: text }],
        ['post', '/v1/sos', { citizenId: `${PREFIX}text`, deviceId: text, clientTime: text, location: text }],
      ];
      for (const [method, path, body] of bodies) {
        const asked = path === '/v1/sos' ? gateway.file.tokens.backend.token : token;
        const response = await fetch(new URL(path, gateway.file.urls.api), {
          method: method.toUpperCase(),
          headers: { authorization: `Bearer ${asked}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(10_000),
        });
        await assertProper(method, path, response);
        expect(response.status, `${path} ${JSON.stringify(text)}`).to.not.equal(503);
      }
    }
  });

  it('RTC-10 whatever a panel says is answered or ends its own feed, and no other', async () => {
    const { components } = asyncapiDocument() as unknown as {
      readonly components: { readonly messages: Readonly<Record<string, { readonly payload: Schema }>> };
    };
    const root = asyncapiDocument();
    const said = ['shiftBegin', 'shiftEnd', 'audioReport', 'alertAcknowledge'].map(
      (name) => components.messages[name]!.payload,
    );
    const messages = fc.oneof(
      ...said.map((schema) => fitting(schema, root).map((value) => JSON.stringify(value))),
      ...said.map((schema) => nearlyFitting(schema, root).map((value) => JSON.stringify(value))),
      hostileBody,
    );
    const token = await gateway.token('operator', lab.district.operators[0]!.id);
    const { numRuns, seed } = fuzzRuns(120);
    const all = fc.sample(messages, { numRuns, seed });
    // Within what a panel may say in a second.
    for (let from = 0; from < all.length; from += 40) {
      const feed = await openFeed(gateway, { token });
      if (!('socket' in feed)) throw new Error(`the feed was refused: ${JSON.stringify(feed)}`);
      for (const message of all.slice(from, from + 40)) feed.socket.send(message);
      // A pong comes behind all that was said before the ping: it has been read by then, or the feed has ended.
      const over = Promise.race([once(feed.socket, 'pong'), once(feed.socket, 'close')]);
      feed.socket.ping();
      await over;
      for (const message of feed.messages) {
        expect(JSON.stringify(message)).to.not.match(INSIDES);
        if (message.type === 'error') expect(isErrorCode(message.code), message.code).to.equal(true);
      }
      feed.socket.close();
    }
  });

  it('is the process that was started, still, with no failure that nobody expected in its log', async () => {
    expect(await gateway.metric('hamrahi_core_unhandled_rejections_total')).to.equal(0);
    expect((await gateway.send(null, 'GET', '/readyz')).status).to.equal(200);
  });
});

function addressOf(
  path: string,
  inPath: readonly { readonly name: string }[],
  ids: readonly string[],
  inQuery: readonly { readonly name: string }[],
  values: readonly (string | undefined)[],
): string {
  let address = path;
  for (const [index, { name }] of inPath.entries())
    address = address.replace(
      `{${name}}`,
      encodeURIComponent(wellFormed(ids[index]!)).replaceAll('.', '%2E'),
    );
  const query = new URLSearchParams();
  for (const [index, { name }] of inQuery.entries()) {
    const value = values[index];
    if (value !== undefined) query.set(name, wellFormed(value));
  }
  return query.size === 0 ? address : `${address}?${query.toString()}`;
}

/** Half of a surrogate pair cannot be written in an address. */
function wellFormed(value: string): string {
  return value.toWellFormed();
}

async function assertProper(method: string, path: string, response: Response): Promise<void> {
  const text = await response.text();
  const type = response.headers.get('content-type');
  const body: unknown = text === '' ? null : type?.includes('json') ? JSON.parse(text) : text;
  expect(response.status, `${method} ${path}: ${text}`).to.not.equal(500);
  if (response.status >= 400) {
    expect(type, text).to.match(/^application\/(problem\+)?json/);
    expect(text).to.not.match(INSIDES);
    const { code } = body as { readonly code?: unknown };
    if (response.status !== 503) expect(isErrorCode(code), text).to.equal(true);
  }
  checkAgainstContract(method, path.split('?')[0]!, response.status, type, body);
}
