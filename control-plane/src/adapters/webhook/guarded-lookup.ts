/**
 * The `lookup` of our connections: the guard looks at the very addresses that are connected to. A name that shows one
 * address to whoever checks it and another one to whoever connects gains nothing by it.
 */
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.ts';
import type { FindAddresses } from './host-addresses.ts';

/** Codes of its errors, as the sender reads them. */
export const ADDRESS_REFUSED = 'ERR_WEBHOOK_ADDRESS_REFUSED';
export const HOST_UNKNOWN = 'ERR_WEBHOOK_HOST_UNKNOWN';

export function guardedLookup(find: FindAddresses, guard: AddressGuard): LookupFunction {
  return (host, options, callback) => {
    const done = callback as (error: Error | null, address: unknown, family?: number) => void;
    void find(host)
      .catch((): readonly string[] => [])
      .then((found) => {
        const permitted = found.filter((address) => guard.permits(address));
        const [first] = permitted;
        if (first === undefined)
          done(failure(found.length === 0 ? HOST_UNKNOWN : ADDRESS_REFUSED, host), options.all ? [] : '');
        else if (options.all)
          done(
            null,
            permitted.map((address) => ({ address, family: isIP(address) })),
          );
        else done(null, first, isIP(first));
      });
  };
}

function failure(code: string, host: string): Error {
  return Object.assign(new Error(`${host} has no address that may be sent to`), { code });
}
