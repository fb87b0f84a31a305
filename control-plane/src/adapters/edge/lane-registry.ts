/** All lanes of this edge: one for each address of record, and how many one identity may have. */
import { Lane } from './lane.ts';
import { CLOSE, type EdgeCode } from './edge-codes.ts';
import { KeyedRate } from '../../domain/rate/keyed-rate.ts';
import type { Admission, TokenMark } from '../../contracts/core-link.ts';
import type { CoreLink } from './core-link.ts';
import type { EdgeContext } from './edge-options.ts';

const OPENINGS_WINDOW_S = 10;

export type LaneOpening =
  | { readonly ok: true; readonly lane: Lane }
  | { readonly ok: false; readonly status: 429 | 503; readonly code: EdgeCode };

interface Entry {
  readonly lane: Lane;
  readonly opened: Promise<boolean>;
}

export class LaneRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #openings: KeyedRate;
  readonly #perIdentity = new Map<string, number>();
  readonly #core: () => CoreLink;
  readonly #context: EdgeContext;

  constructor(core: () => CoreLink, context: EdgeContext) {
    this.#core = core;
    this.#context = context;
    const { maxOpenings } = context.limits;
    this.#openings = new KeyedRate({ perSecond: maxOpenings / OPENINGS_WINDOW_S, burst: maxOpenings });
  }

  get size(): number {
    return this.#entries.size;
  }

  *present(): Iterable<readonly [aor: string, token: TokenMark | undefined]> {
    for (const [aor, { lane }] of this.#entries) if (lane.hasClient) yield [aor, lane.token];
  }

  /** The lane of this client: the one that it had, while its engine is the same, else a new one. */
  async open(admission: Admission): Promise<LaneOpening> {
    const { aor } = admission;
    if (!this.#mayOpen(admission)) return { ok: false, status: 429, code: 'ERR_EDGE_OPENINGS' };
    let entry = this.#entries.get(aor);
    if (entry !== undefined && !isSameWay(entry.lane.admission, admission)) {
      entry.lane.end(CLOSE.replaced, 'replaced');
      entry = undefined;
    }
    if (entry === undefined) {
      if (!this.#hasRoomFor(aor)) return { ok: false, status: 429, code: 'ERR_EDGE_IDENTITY_SOCKETS' };
      if (this.#entries.size >= this.#context.limits.maxSockets)
        return { ok: false, status: 503, code: 'ERR_EDGE_BUSY' };
      entry = this.#create(admission);
    }
    const opened = await entry.opened;
    return opened ? { ok: true, lane: entry.lane } : { ok: false, status: 503, code: 'ERR_EDGE_UPSTREAM' };
  }

  close(aor: string, code: number, reason: string): void {
    this.#entries.get(aor)?.lane.end(code, reason);
  }

  endAll(code: number, reason: string): void {
    for (const { lane } of [...this.#entries.values()]) lane.end(code, reason);
  }

  #create(admission: Admission): Entry {
    const { aor } = admission;
    const lane = new Lane(admission, this.#context, {
      onStamp: (stamp) => this.#core().stamp(stamp),
      onSocket: (type) => this.#core().notice(type, aor, type === 'opened' ? lane.token : undefined),
      onEnd: () => {
        if (this.#entries.get(aor)?.lane === lane) this.#entries.delete(aor);
        this.#core().notice('closed', aor);
        this.#count(aor, -1);
      },
    });
    const entry: Entry = { lane, opened: lane.open() };
    this.#entries.set(aor, entry);
    this.#count(aor, 1);
    return entry;
  }

  /** Counted for each token by itself: who has another one of hers uses up nothing of her own. New devices count the core. */
  #mayOpen({ aor, token }: Admission): boolean {
    return this.#openings.take(`${aor} ${markOf(token)}`, this.#context.clock.now());
  }

  /**
   * Room is made by ending a lane of this identity that has no call: first that of a device that is away (a reloaded
   * page may have a new id), else the oldest of the token that has most lanes. So a thief who opens one lane after the
   * other ends his own; somebody with a newer token stays, and gets in.
   */
  #hasRoomFor(aor: string): boolean {
    const identity = identityOf(aor);
    const isFull = (): boolean =>
      (this.#perIdentity.get(identity) ?? 0) >= this.#context.limits.maxSocketsPerIdentity;
    if (!isFull()) return true;
    const own = [...this.#entries].flatMap(([other, { lane }]) =>
      identityOf(other) === identity ? [lane] : [],
    );
    const away = own.find((lane) => !lane.hasClient && !lane.hasCall);
    const victim = away ?? oldestOfMost(own.filter((lane) => !lane.hasCall));
    if (victim === undefined) return false;
    victim.end(away ? CLOSE.replaced : CLOSE.crowded, away ? 'replaced' : 'ERR_EDGE_IDENTITY_SOCKETS');
    return !isFull();
  }

  #count(aor: string, change: 1 | -1): void {
    const identity = identityOf(aor);
    const count = (this.#perIdentity.get(identity) ?? 0) + change;
    if (count > 0) this.#perIdentity.set(identity, count);
    else this.#perIdentity.delete(identity);
    this.#context.metrics.gauge('hamrahi_edge_lanes', this.#entries.size);
  }
}

function isSameWay(one: Admission, other: Admission): boolean {
  return (
    one.upstreamUrl === other.upstreamUrl && one.role === other.role && one.sipDomain === other.sipDomain
  );
}

/** `lanes` in the order in which they were opened. */
function oldestOfMost(lanes: readonly Lane[]): Lane | undefined {
  const byToken = Map.groupBy(lanes, (lane) => markOf(lane.token));
  const most = [...byToken.values()].toSorted((a, b) => b.length - a.length)[0];
  return most?.[0];
}

/** Tokens without an id are told apart by their time of issue. */
function markOf(token: TokenMark | undefined): string {
  return token?.id ?? `at ${token?.issuedAt ?? 'any time'}`;
}

/** `citizen-7-phone` and `citizen-7-tablet` are one person (domain/ids.ts). */
function identityOf(aor: string): string {
  return aor.split('-', 2).join('-');
}
