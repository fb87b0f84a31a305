/** The sockets that clients hold at the edges. */
import type { AddressOfRecord } from '../domain/ids.ts';

export interface ClientSockets {
  /** Ends the client's socket wherever it is; nothing happens when there is none. Code 4000–4999. */
  close(aor: AddressOfRecord, code: number, reason: string): void;
}
