/**
 * Which edge has which client. A client may leave one edge and come in by another: what the first then says of it is
 * no longer true, and its old socket there is to be closed. An edge that is gone for good takes its clients with it.
 */
import type { EdgeMessage } from '../../contracts/core-link.ts';

export type SocketNotice = Extract<EdgeMessage, { type: 'opened' | 'lost' | 'closed' }>;

/** `Edge`: whatever stands for one attached edge. */
export class EdgePresence<Edge> {
  /** The edge by which a client came in last. */
  readonly #holders = new Map<string, Edge>();

  /**
   * Notes what an edge says. `believed` is `false` for word of a client that is at another edge by now;
   * `elsewhere` is the edge whose socket of this client is now the older one.
   */
  note(edge: Edge, notice: SocketNotice): { readonly believed: boolean; readonly elsewhere: Edge | null } {
    const holder = this.#holders.get(notice.aor);
    const foreign = holder !== undefined && holder !== edge;
    if (notice.type === 'opened') {
      this.#holders.set(notice.aor, edge);
      return { believed: true, elsewhere: foreign ? holder : null };
    }
    if (foreign) return { believed: false, elsewhere: null };
    if (notice.type === 'closed') this.#holders.delete(notice.aor);
    return { believed: true, elsewhere: null };
  }

  /** Forgets an edge that did not come back; the clients that it still had are gone. */
  drop(edge: Edge): readonly string[] {
    const gone: string[] = [];
    for (const [aor, holder] of this.#holders) {
      if (holder !== edge) continue;
      this.#holders.delete(aor);
      gone.push(aor);
    }
    return gone;
  }
}
