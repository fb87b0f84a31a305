/** A statement outside a session's transaction, with its failure in the store's words. */
import { storeErrorOf } from './store-error.ts';

export async function guarded<T>(statement: PromiseLike<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    throw storeErrorOf(error);
  }
}
