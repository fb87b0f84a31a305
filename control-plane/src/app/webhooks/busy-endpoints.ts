/** Attempts that are under way, by endpoint and kind. */
import type { WebhookId } from '../../domain/webhook/webhook-ids.ts';
import type { Room } from '../../ports/webhook-store.ts';

const NONE: Room = { first: 0, again: 0 };

export class BusyEndpoints {
  readonly #busy = new Map<WebhookId, Room>();

  get all(): ReadonlyMap<WebhookId, Room> {
    return this.#busy;
  }

  begin(id: WebhookId, isFirst: boolean): void {
    this.#add(id, isFirst, 1);
  }

  end(id: WebhookId, isFirst: boolean): void {
    this.#add(id, isFirst, -1);
  }

  #add(id: WebhookId, isFirst: boolean, count: 1 | -1): void {
    const { first, again } = this.#busy.get(id) ?? NONE;
    const room = isFirst ? { first: first + count, again } : { first, again: again + count };
    if (room.first === 0 && room.again === 0) this.#busy.delete(id);
    else this.#busy.set(id, room);
  }
}
