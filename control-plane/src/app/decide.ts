/**
 * One event, decided inside a transaction: reduce, answer the roster's questions from locked rows, reduce again, and
 * gather everything that has to be written.
 */
import type { Instant } from '../domain/ids.ts';
import { chooseOperator, chooseSuccessor } from '../domain/routing/choose-operator.ts';
import type { FreeOperator } from '../domain/routing/choose-operator.ts';
import type { Command, PbxCommand, RosterCommand } from '../domain/session/command.ts';
import type { Verdict } from '../domain/session/draft.ts';
import type { SessionEvent, TimerName } from '../domain/session/event.ts';
import type { Party } from '../domain/session/leg.ts';
import { reduce } from '../domain/session/reduce.ts';
import type { Session } from '../domain/session/session.ts';
import { outboxOf } from './outbox-of.ts';
import type { PersonalFacts, SessionTx, SessionWrite, StoredSession } from '../ports/session-store.ts';

/** More roster questions than this from one event is a bug. */
const MAX_ROSTER_ROUNDS = 8;

/** What a transaction found, and the event that follows from it. */
export interface Found {
  readonly before: StoredSession | null;
  readonly event: SessionEvent;
  readonly personal: PersonalFacts | null;
  /** The zone's operators, when they were read (and locked) ahead because the event will ask for one; who waits for them. */
  readonly duty?: { readonly operators: readonly FreeOperator[]; readonly waiting: number };
}

export interface Decided {
  readonly verdict: Verdict;
  readonly after: Session;
  readonly write: SessionWrite | null;
  readonly orders: readonly PbxCommand[];
}

/** `null`: the event means nothing without a session. */
export async function decide(
  tx: SessionTx,
  { before, event, personal, duty }: Found,
  at: Instant,
): Promise<Decided | null> {
  const first = reduce(before?.session ?? null, event, at);
  if (!first) return null;
  let session = first.session;
  const commands: Command[] = [...first.commands];
  const events: { event: SessionEvent; at: Instant; personal: PersonalFacts | null }[] = [
    { event, at, personal },
  ];
  let asked = 0;
  for (let index = 0; index < commands.length; index += 1) {
    const command = commands[index];
    if (!command || !isQuestion(command)) continue;
    asked += 1;
    if (asked > MAX_ROSTER_ROUNDS) throw new Error('The reducer asks the roster without end.');
    const answer = await askRoster(tx, session, command, at, asked === 1 ? duty : undefined);
    const next = reduce(session, answer, at);
    if (!next) throw new Error('A live session has no answer to its roster.');
    session = next.session;
    events.push({ event: answer, at, personal: null });
    commands.push(...next.commands);
  }
  const nothing = first.verdict !== 'applied' && commands.length === 0;
  return {
    verdict: first.verdict,
    after: session,
    write: nothing || first.verdict !== 'applied' ? null : gather(before, session, at, events, commands),
    orders: commands.filter((command) => command.type.startsWith('pbx.')) as PbxCommand[],
  };
}

function isQuestion(command: Command): command is RosterCommand {
  return command.type.startsWith('roster.');
}

async function askRoster(
  tx: SessionTx,
  session: Session,
  question: RosterCommand,
  at: Instant,
  duty: Found['duty'],
): Promise<SessionEvent> {
  if (question.type === 'roster.assign') {
    const operators = duty?.operators ?? (await tx.dutyOperators(session.zoneId, at));
    const choice = chooseOperator(operators, question.exclude, duty?.waiting);
    return choice ? { type: 'roster.assigned', ...choice } : { type: 'roster.nobody-free' };
  }
  if (question.type === 'roster.hand-over') return askSuccessor(tx, session, question, at);
  const phones = await tx.dutyPhones(session.zoneId, at);
  const isFirst = (party: Party): boolean => party.role === 'operator' && party.operatorId === question.first;
  return {
    type: 'roster.chain-found',
    chain: [...phones.filter(isFirst), ...phones.filter((party) => !isFirst(party))],
  };
}

async function askSuccessor(
  tx: SessionTx,
  { zoneId }: Session,
  question: Extract<RosterCommand, { type: 'roster.hand-over' }>,
  at: Instant,
): Promise<SessionEvent> {
  const [candidates, parties] = await Promise.all([
    tx.dutyOperators(zoneId, at),
    question.by === 'phone' ? tx.dutyPhones(zoneId, at) : [],
  ]);
  const phones = parties.flatMap((party) => (party.role === 'operator' ? [party.operatorId] : []));
  const choice = chooseSuccessor(candidates, { ...question, phones });
  if (!choice) return { type: 'roster.hand-over-nobody' };
  const party = parties.find((one) => one.role === 'operator' && one.operatorId === choice.operatorId);
  const acceptance = party && party.role !== 'citizen' ? party.acceptance : undefined;
  return { type: 'roster.hand-over-found', ...choice, ...(acceptance ? { acceptance } : {}) };
}

function gather(
  before: StoredSession | null,
  after: Session,
  at: Instant,
  events: SessionWrite['events'],
  commands: readonly Command[],
): SessionWrite {
  const timers = new Map<TimerName, Instant | null>();
  const legs: SessionWrite['legs'][number][] = [];
  const feed: SessionWrite['feed'][number][] = [];
  for (const command of commands) {
    if (command.type === 'timer.set') timers.set(command.timer, command.dueAt);
    else if (command.type === 'timer.clear') timers.set(command.timer, null);
    else if (command.type === 'leg.record') legs.push({ legId: command.legId, change: command.change });
    else if (command.type === 'feed.publish') feed.push({ type: command.event, detail: command.detail });
  }
  const fired = events[0]?.event;
  if (fired?.type === 'timer.due' && !timers.has(fired.timer)) timers.set(fired.timer, null);
  const timersSet = [...timers].flatMap(([timer, dueAt]) => (dueAt === null ? [] : [{ timer, dueAt }]));
  const timersCleared = [...timers].flatMap(([timer, dueAt]) => (dueAt === null ? [timer] : []));
  const outbox = outboxOf(after, at, feed, legs);
  return { before, after, at, events, timersSet, timersCleared, legs, feed, outbox };
}
