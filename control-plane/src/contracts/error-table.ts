/**
 * Every error code that a client can meet, with its one HTTP status. Codes are stable: clients may branch on them;
 * titles and details are for humans. docs/errors.md is generated from this table.
 */
import type { Problem } from './common.ts';

interface ErrorEntry {
  /** HTTP status, or the status of a refused WebSocket upgrade; `null`: met only inside a WebSocket, or where `metIn` says. */
  readonly status: number | null;
  /** WebSocket close code (RFC 6455 §7.4) when the socket is closed for it. */
  readonly close?: number;
  /** Where else it is met. */
  readonly metIn?: string;
  readonly title: string;
  /** What the client can do about it. */
  readonly remedy: string;
}

export const ERROR_TABLE = {
  ERR_AUTH_MISSING: {
    status: 401,
    title: 'No credentials',
    remedy: 'Send `Authorization: Bearer <token>`; a browser WebSocket sends a ticket.',
  },
  ERR_AUTH_INVALID: {
    status: 401,
    title: 'The token is not valid',
    remedy: 'Signature, algorithm, issuer, audience or a claim is wrong: get a new token.',
  },
  ERR_AUTH_EXPIRED: { status: 401, title: 'The token has expired', remedy: 'Get a new token.' },
  ERR_AUTH_TICKET: {
    status: 401,
    title: 'The ticket is unknown, used or too old',
    remedy: 'Get a new one from POST /v1/tickets; it is valid once, for 30 s.',
  },
  ERR_AUTH_REVOKED: {
    status: 401,
    close: 4005,
    title: 'The token was revoked',
    remedy: 'Sign in anew. An operator whom the directory calls inactive stays out.',
  },
  ERR_AUTH_REVOCATIONS_FULL: {
    status: 409,
    title: 'The list of revocations is full',
    remedy:
      'Revoke by subject: one line then stands for every token of that person. One supervisor has room for 1,000 tokens and 1,000 people; an admin can go on.',
  },
  ERR_AUTH_ROLE: {
    status: 403,
    title: 'Not permitted to this role',
    remedy: 'The operation needs another role; see its description.',
  },
  ERR_AUTH_UNAVAILABLE: {
    status: 503,
    title: 'Tokens cannot be checked now',
    remedy: "The issuer's keys could not be fetched: try again.",
  },
  ERR_HTTP_NOT_FOUND: { status: 404, title: 'No such resource', remedy: 'Check the path.' },
  ERR_HTTP_METHOD: { status: 405, title: 'Method not allowed', remedy: 'See the `Allow` header.' },
  ERR_HTTP_MALFORMED_REQUEST: {
    status: 400,
    title: 'The request cannot be read',
    remedy: 'It is not HTTP/1.1, or its path is not valid percent-encoding.',
  },
  ERR_HTTP_MALFORMED_JSON: {
    status: 400,
    title: 'The body is not JSON',
    remedy: "Send UTF-8 JSON (RFC 8259). A citizen's activation is served in spite of it, and flagged.",
  },
  ERR_HTTP_VALIDATION: {
    status: 400,
    title: 'The request does not fit the contract',
    remedy: '`errors` names each field.',
  },
  ERR_HTTP_TIMEOUT: { status: 408, title: 'The request came too slowly', remedy: 'Send it at once.' },
  ERR_HTTP_BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    remedy: 'The limit is 16 KiB (calls: 8 KiB; zones and rosters: 256 KiB).',
  },
  ERR_HTTP_MEDIA_TYPE: {
    status: 415,
    title: 'The media type is not supported',
    remedy: 'Send `Content-Type: application/json` without a content encoding.',
  },
  ERR_HTTP_HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The header fields are too large',
    remedy: 'The limit is 16 KiB for all of them.',
  },
  ERR_HTTP_RATE_LIMITED: {
    status: 429,
    title: 'Too many requests of this identity',
    remedy: 'Wait as `Retry-After` says. An activation is never refused for this.',
  },
  ERR_HTTP_DEADLINE: {
    status: 503,
    title: 'No answer in time',
    remedy: 'The outcome is unknown: repeat with the same Idempotency-Key.',
  },
  ERR_HTTP_INTERNAL: {
    status: 500,
    title: 'Internal error',
    remedy: 'Tell the operators of the gateway the X-Request-Id.',
  },
  ERR_SOS_NOT_FOUND: { status: 404, title: 'No such session', remedy: 'Check the id.' },
  ERR_SOS_FOREIGN: {
    status: 403,
    title: "Somebody else's session",
    remedy:
      'A citizen activates and sees only her own sessions, an operator those of the own zones; a supervisor sees all and acts where on duty as a supervisor.',
  },
  ERR_SOS_PHASE: {
    status: 409,
    title: 'Not possible in this phase of the session',
    remedy: 'Read the session: its phase has moved on.',
  },
  ERR_SOS_OPERATOR_UNAVAILABLE: {
    status: 409,
    title: 'Nobody can take her over',
    remedy:
      'The operator named is not on duty in her zone, not there, or has no room; try another, or `next`.',
  },
  ERR_SOS_PANEL_ABSENT: {
    status: 409,
    title: 'No panel of yours can be called',
    remedy: 'Register the panel by SIP first, and name it by its `deviceId`.',
  },
  ERR_SOS_REASON_REQUIRED: {
    status: 400,
    title: 'A reason is required',
    remedy: 'A backend that ends a session says why; it is audited.',
  },
  ERR_SOS_CITIZEN_REQUIRED: {
    status: 400,
    title: 'Whose SOS this is must be said',
    remedy: 'A backend sends `citizenId`: letters, digits, underscore, at most 64.',
  },
  ERR_CALL_NOT_FOUND: {
    status: 404,
    title: 'No such call',
    remedy: 'Check the id. A backend sees the calls that it asked for.',
  },
  ERR_CALL_STATE: {
    status: 409,
    title: 'Not possible in this state',
    remedy:
      'Read the call: its `state` and `talk` tell what it does. Hold and transfer need somebody who has answered.',
  },
  ERR_CALL_KEY_REQUIRED: {
    status: 400,
    title: 'A call needs an Idempotency-Key',
    remedy: 'Send one of at most 255 characters, new for each call and the same for each repetition.',
  },
  ERR_CALL_KEY_REUSED: {
    status: 409,
    title: 'This Idempotency-Key was used for another call',
    remedy: 'Take a new key. A repetition sends the same body.',
  },
  ERR_CALL_NUMBER_REFUSED: {
    status: 422,
    title: 'A number cannot be called',
    remedy: '`errors` says for each field what is wrong: form, length, range, kind or country.',
  },
  ERR_CALL_CALLER_ID: {
    status: 422,
    title: 'No trunk owns this caller id',
    remedy: "Name one of the trunks' own numbers, or none.",
  },
  ERR_CALL_TOO_MANY: {
    status: 429,
    title: 'Too many calls are open',
    remedy: 'Wait as `Retry-After` says, or end calls. An SOS is never refused for this.',
  },
  ERR_CALL_UNAVAILABLE: {
    status: 503,
    title: 'No call can be placed now',
    remedy: 'The telephone engine is out of reach. Repeat with the same Idempotency-Key.',
  },
  ERR_CALL_NO_CAPACITY: {
    status: null,
    metIn: 'a call',
    title: 'No trunk had room for the call within 10 s',
    remedy:
      'Met as `code` of a call that has failed: place it again later. What is reserved for SOS is not lent.',
  },
  ERR_GATEWAY_BUSY: {
    status: 503,
    title: 'Too much at once',
    remedy: 'Try again after a second; what is asked of one session again and again, after five.',
  },
  ERR_GATEWAY_UNAVAILABLE: {
    status: 503,
    title: 'The gateway cannot serve this now',
    remedy: 'Try again after a second; see /readyz.',
  },
  ERR_GATEWAY_STANDBY: {
    status: 503,
    title: 'This node stands by',
    remedy: 'Ask again, by the public address: another node serves, or this one does in a moment.',
  },
  ERR_DIRECTORY_NOT_FOUND: { status: 404, title: 'No such entry', remedy: 'Check the id.' },
  ERR_DIRECTORY_IN_USE: {
    status: 409,
    title: 'The entry is in use',
    remedy: 'End or move what refers to it first.',
  },
  ERR_DIRECTORY_FOREIGN: {
    status: 403,
    title: "Another zone's roster, or an own entry in it",
    remedy: 'A supervisor writes the rosters of the zones in which he is on duty, and no entry of his own.',
  },
  ERR_DIRECTORY_CONFLICT: {
    status: 409,
    title: 'The entry contradicts another one',
    remedy: 'For instance a second catch-all zone, or a roster with an unknown operator.',
  },
  ERR_WEBHOOK_NOT_FOUND: { status: 404, title: 'No such webhook', remedy: 'Check the id.' },
  ERR_WEBHOOK_DELIVERY_NOT_FOUND: {
    status: 404,
    title: 'No such delivery',
    remedy: 'Check the id: it is the `webhook-id`. Deliveries are kept for a few days or weeks.',
  },
  ERR_WEBHOOK_URL: {
    status: 400,
    title: 'Nothing can be sent to this URL',
    remedy: '`detail` says why. https, no credentials; a private address must be allowed by the settings.',
  },
  ERR_WEBHOOK_LIMIT: {
    status: 409,
    title: 'As many webhooks as there can be',
    remedy: 'Remove one that nobody needs: there are at most 50.',
  },
  ERR_WEBHOOK_DISABLED: {
    status: 409,
    title: 'The webhook is disabled',
    remedy: 'Enable it first, by PUT with `enabled`.',
  },
  ERR_WEBHOOK_NO_DATA_KEY: {
    status: 501,
    title: 'The gateway has no key to keep a secret with',
    remedy: 'Whoever runs the gateway sets HAMRAHI_DATA_KEY.',
  },
  ERR_ALERT_NOT_FOUND: {
    status: 404,
    title: 'No such alert',
    remedy: 'Check the id: the oldest are forgotten.',
  },
  ERR_ALERT_RESOLVED: {
    status: 409,
    title: 'The alert is over',
    remedy: 'There is nothing left to care for. Trouble that comes back is another alert.',
  },
  ERR_TRUNK_FILES_WRONG: {
    status: 422,
    title: 'The trunk files are wrong',
    remedy:
      'What was in force stays. `errors` names file, line and field of each mistake; `hamrahi trunks validate` does too.',
  },
  ERR_STORE_UNAVAILABLE: {
    status: 503,
    title: 'The database does not answer',
    remedy: 'Try again after a second; see /readyz.',
  },
  ERR_STORE_CONFLICT: { status: 503, title: 'Too many changes at once', remedy: 'Try again.' },
  ERR_STORE_UNKNOWN_OUTCOME: {
    status: 503,
    title: 'Whether it was stored is unknown',
    remedy: 'Repeat with the same Idempotency-Key.',
  },
  ERR_STORE_FENCED: {
    status: 503,
    title: 'Another node has taken over',
    remedy: 'Nothing was stored: repeat with the same Idempotency-Key.',
  },
  ERR_FEED_FULL: {
    status: 503,
    title: 'Too many feed connections',
    remedy: 'Close others of the same identity, or try again later.',
  },
  ERR_FEED_MALFORMED: {
    status: null,
    title: 'The message is not JSON text of the contract',
    remedy: 'See asyncapi.json.',
  },
  ERR_FEED_DEVICE_REQUIRED: {
    status: null,
    title: 'The connection names no panel client',
    remedy: 'Ask for the ticket with `deviceId`, or open the feed with `?device=`.',
  },
  ERR_FEED_LEG: {
    status: null,
    title: 'The leg is not of this session',
    remedy: "Send the `X-Hamrahi-Leg` of the session's own INVITE.",
  },
  ERR_FEED_BUSY: {
    status: null,
    title: 'Too many unanswered messages',
    remedy: 'Wait for replies.',
  },
  ERR_FEED_FLOOD: {
    status: null,
    close: 1008,
    title: 'Too many messages',
    remedy: 'At most 50 messages a second.',
  },
  ERR_FEED_TOO_LARGE: {
    status: null,
    close: 1009,
    title: 'The message is too large',
    remedy: 'At most 16 KiB.',
  },
  ERR_FEED_SLOW: {
    status: null,
    close: 1013,
    title: 'The panel reads too slowly',
    remedy: 'Connect again; resume with `?since=`.',
  },
  ERR_FEED_REPLACED: {
    status: null,
    close: 4006,
    title: 'Too many connections of one identity: the oldest without a shift made room',
    remedy: 'Close panels that nobody uses. If they are not yours: have your token revoked.',
  },
  ERR_FEED_SHIFT_TAKEN: {
    status: null,
    close: 4001,
    title: 'The shift of this client went on in another connection',
    remedy:
      'Do not connect again by yourself: another tab or a newer connection of this client has the shift.',
  },
  ERR_FEED_CLOSING: {
    status: null,
    close: 1001,
    title: 'The gateway is going down',
    remedy: 'Connect again, to another node if there is one.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code);
}

/** The problem document of a code (RFC 9457). A code that only a WebSocket knows is a bad request elsewhere. */
export function problemOf(code: ErrorCode, detail: string, errors?: Problem['errors']): Problem {
  const entry: ErrorEntry = ERROR_TABLE[code];
  return {
    type: `urn:hamrahi:error:${code}`,
    title: entry.title,
    status: entry.status ?? 400,
    code,
    detail,
    ...(errors ? { errors } : {}),
  };
}

/** The close code of a failure that ends a WebSocket; 1011 for one that has none of its own. */
export function closeCodeOf(code: ErrorCode): number {
  const entry: ErrorEntry = ERROR_TABLE[code];
  return entry.close ?? 1011;
}
