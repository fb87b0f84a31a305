/** Steps that the store contracts share. */
import type { SessionId } from '../../control-plane/src/domain/ids.ts';
import type {
  FeedRow,
  SessionStore,
  SessionWrite,
  StoredSession,
} from '../../control-plane/src/ports/session-store.ts';

export async function apply(store: SessionStore, write: SessionWrite): Promise<StoredSession> {
  const { seq } = await store.transact((tx) => tx.apply(write));
  return { session: write.after, seq };
}

/** Loads the session and writes what `decide` makes of it. */
export function change(
  store: SessionStore,
  id: SessionId,
  decide: (before: StoredSession) => SessionWrite,
): Promise<readonly FeedRow[]> {
  return store.transact(async (tx) => {
    const before = await tx.load(id);
    if (!before) throw new Error('no such session');
    return (await tx.apply(decide(before))).feed;
  });
}

/** The error with which a promise fails; that it does not is an error too. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a failure');
}
