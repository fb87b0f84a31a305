/** AsyncAPI 3.0 of the panel feed, generated from the schemas that the gateway itself checks with. */
import { z } from 'zod';
import { ERROR_TABLE, type ErrorCode } from './error-table.ts';
import { API_VERSION } from './openapi-document.ts';
import * as feed from './panel-feed.ts';

/** What the gateway sends. */
const SENT = {
  snapshot: {
    schema: feed.feedSnapshot,
    summary: 'Everything open in the zones of this panel; first, unless resumed.',
  },
  event: { schema: feed.feedEvent, summary: 'One change, with the whole card.' },
  gone: { schema: feed.feedGone, summary: 'A session left the zones of this panel.' },
  reply: { schema: feed.feedReply, summary: 'Answer to a message of the panel.' },
  health: { schema: feed.feedHealth, summary: "The gateway's own state, first and at each change." },
  opsAlert: {
    schema: feed.feedOpsAlert,
    summary: 'An alert about the gateway, to supervisors and admins: those that stand, then each change.',
  },
} as const;

/** What a panel may say. */
const RECEIVED = {
  shiftBegin: { schema: feed.shiftBegin, summary: 'On duty at this client.' },
  shiftEnd: { schema: feed.shiftEnd, summary: 'Off duty at this client.' },
  audioReport: { schema: feed.audioReport, summary: 'Packets that reached this end.' },
  alertAcknowledge: { schema: feed.alertAcknowledge, summary: 'Somebody cares for this alert.' },
} as const;

const ALL = { ...SENT, ...RECEIVED };

export function asyncapiDocument() {
  const schemas = componentSchemas();
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Ham Rahi voice gateway: panel feed',
      version: API_VERSION,
      description: description(),
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      panelFeed: {
        address: '/v1/panel/feed',
        title: 'Panel feed',
        description:
          'WebSocket. Query: `ticket` (browsers; from POST /v1/tickets with purpose feed) or an Authorization header, then `device` names the panel client; `since=<seq>` resumes.',
        messages: messageRefs(Object.keys(ALL), (name) => `#/components/messages/${name}`),
        bindings: {
          ws: {
            method: 'GET',
            query: {
              type: 'object',
              properties: {
                ticket: { type: 'string' },
                device: { type: 'string' },
                since: { type: 'integer', minimum: 0 },
              },
            },
            bindingVersion: '0.1.0',
          },
        },
      },
    },
    operations: {
      sendToPanel: operation('send', Object.keys(SENT), 'What the gateway tells a panel.'),
      receiveFromPanel: operation('receive', Object.keys(RECEIVED), 'What a panel tells the gateway.'),
    },
    components: {
      messages: Object.fromEntries(
        Object.entries(ALL).map(([name, { schema, summary }]) => [
          name,
          { name, summary, payload: { $ref: `#/components/schemas/${idOf(schema)}` } },
        ]),
      ),
      schemas,
    },
  };
}

function operation(action: 'send' | 'receive', names: readonly string[], summary: string) {
  return {
    action,
    summary,
    channel: { $ref: '#/channels/panelFeed' },
    messages: names.map((name) => ({ $ref: `#/channels/panelFeed/messages/${name}` })),
  };
}

function messageRefs(names: readonly string[], refOf: (name: string) => string) {
  return Object.fromEntries(names.map((name) => [name, { $ref: refOf(name) }]));
}

function idOf(schema: z.ZodType): string {
  const id = z.globalRegistry.get(schema)?.id;
  if (id === undefined) throw new Error('a message of the feed has no schema id');
  return id;
}

/** JSON Schemas of all messages and of what they share, by their ids. */
function componentSchemas(): Record<string, unknown> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io: 'output',
    target: 'draft-7',
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
  });
  const wanted = new Set<string>();
  const visit = (id: string): void => {
    if (wanted.has(id)) return;
    wanted.add(id);
    for (const [, other] of JSON.stringify(schemas[id]).matchAll(/"#\/components\/schemas\/([^"/]+)"/g))
      if (other !== undefined) visit(other);
  };
  Object.values(ALL).forEach(({ schema }) => visit(idOf(schema)));
  return Object.fromEntries([...wanted].sort().map((id) => [id, withoutIds(schemas[id])]));
}

/** A schema inside a document is found by its place: its own `$id` and `$schema` would send parsers elsewhere. */
function withoutIds(schema: unknown): unknown {
  const { $id: _id, $schema: _schema, id: _name, ...rest } = schema as Record<string, unknown>;
  return rest;
}

function description(): string {
  const codes = (Object.keys(ERROR_TABLE) as ErrorCode[]).filter((code) => code.startsWith('ERR_FEED_'));
  return [
    'A snapshot first (or the missed changes after `since`), then every change in order, none lost or doubled.',
    `Limits: frames of ${feed.FEED_LIMITS.maxFrameBytes} bytes, ${feed.FEED_LIMITS.messagesPerSecond} messages a second. Dead connections are found by ping within 10 s.`,
    `Error codes: ${codes.join(', ')}; see docs/errors.md.`,
  ].join('\n\n');
}
