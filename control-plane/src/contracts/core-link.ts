/**
 * What an edge and a core node say to each other, one JSON message per WebSocket frame on the core's internal
 * listener. The edge holds no engine credentials and no keys: it asks.
 */
import { z } from 'zod';

const requestId = z.int().nonnegative();
const instant = z.number().positive();
const aor = z.string().max(160);

/** What is kept of a token, so that it can be revoked: its id and when it was issued. Never the token. */
const tokenMark = z.strictObject({
  id: z.string().max(200).nullable(),
  issuedAt: instant.nullable(),
  /** Where the address alone does not tell it: a supervisor's panel has an operator's. */
  role: z.literal('supervisor').optional(),
});
export type TokenMark = z.infer<typeof tokenMark>;

/** A client wants in: with a bearer token (apps) or a single-use ticket (browsers). */
export const admitRequest = z.strictObject({
  type: z.literal('admit'),
  id: requestId,
  credential: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('ticket'), value: z.string().max(200) }),
    /** `deviceId`: the device (citizen) or client (operator) that the address of record is made of. */
    z.strictObject({ kind: z.literal('bearer'), value: z.string().max(4096), deviceId: z.string().max(64) }),
  ]),
});

/** A SIP message that matters for the session passed the edge. `legId` is the INVITE's `X-Hamrahi-Leg`. */
export const stampNotice = z.strictObject({
  type: z.literal('stamp'),
  legId: z.string().max(120),
  kind: z.enum(['offer-sent', 'answer-received', 'refused']),
  /** SIP status of the client's final answer. */
  status: z.int().min(100).max(699).optional(),
  at: instant,
});

/**
 * The socket of an address of record. `opened`: a client is there (told again after a reconnect of this link);
 * `lost`: its socket went, and the engine's side is kept for a while, so that the engine still shows a contact;
 * `closed`: gone for good.
 */
export const socketNotice = z.strictObject({
  type: z.enum(['opened', 'lost', 'closed']),
  aor,
  at: instant,
  /** With `opened`: the token that its client came in with. */
  token: tokenMark.optional(),
});

export const edgeMessage = z.discriminatedUnion('type', [admitRequest, stampNotice, socketNotice]);
export type EdgeMessage = z.infer<typeof edgeMessage>;

export const admission = z.strictObject({
  aor,
  role: z.enum(['citizen', 'operator']),
  /** The engine's SIP WebSocket that this client's frames go to. */
  upstreamUrl: z.string().max(300),
  /** The only host part that the client's From, To of a REGISTER and Request-URI may carry. */
  sipDomain: z.string().max(200),
  token: tokenMark.optional(),
});
export type Admission = z.infer<typeof admission>;

export const admitReply = z.discriminatedUnion('ok', [
  z.strictObject({ type: z.literal('admitted'), id: requestId, ok: z.literal(true), admission }),
  z.strictObject({
    type: z.literal('admitted'),
    id: requestId,
    ok: z.literal(false),
    status: z.int(),
    code: z.string(),
  }),
]);

/** End this client's socket: its token was revoked, or its session has ended. */
export const closeOrder = z.strictObject({
  type: z.literal('close'),
  aor,
  /** WebSocket close code, 4000–4999. */
  code: z.int().min(4000).max(4999),
  reason: z.string().max(100),
});

export const coreMessage = z.union([admitReply, closeOrder]);
export type CoreMessage = z.infer<typeof coreMessage>;
