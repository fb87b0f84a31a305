/** What a change of a trunk needs besides the control plane, which takes it over by itself. */
import { secretOf, type Trunk } from './trunk.ts';

/**
 * `engine-configuration`: pjsip.conf rendered anew, and reloaded. `firewall`: addresses of the carrier are others:
 * packet filter, host routes.
 */
export type TrunkNeed = 'engine-configuration' | 'firewall';

export interface TrunkChange {
  readonly trunk: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly needs: readonly TrunkNeed[];
}

/** In the order of `after`, then what is gone. */
export function trunkChanges(before: readonly Trunk[], after: readonly Trunk[]): readonly TrunkChange[] {
  const old = new Map(before.map((trunk) => [trunk.name, trunk]));
  const changes = after.flatMap((trunk): TrunkChange[] => {
    const was = old.get(trunk.name);
    old.delete(trunk.name);
    if (was === undefined) return [changeOf(trunk.name, 'added', null, trunk)];
    if (same(was, trunk)) return [];
    return [changeOf(trunk.name, 'changed', was, trunk)];
  });
  const gone = [...old.values()].map((trunk) => changeOf(trunk.name, 'removed', trunk, null));
  return [...changes, ...gone];
}

function changeOf(
  name: string,
  change: TrunkChange['change'],
  before: Trunk | null,
  after: Trunk | null,
): TrunkChange {
  const differs = (part: (trunk: Trunk) => unknown): boolean =>
    before === null || after === null || !same(part(before), part(after));
  const needs: TrunkNeed[] = [];
  if (differs(inEngineFile)) needs.push('engine-configuration');
  if (differs(({ sources, media }) => [sources, media.addresses])) needs.push('firewall');
  return { trunk: name, change, needs };
}

/** What pjsip.conf.j2 takes from a trunk. Accounts and passwords are not in it: they go into the engine's memory. */
function inEngineFile(trunk: Trunk): unknown {
  const { transport, localTransport, hosts, sources, outboundProxy, media, sip, numbers, callerId } = trunk;
  return {
    ...{ transport, localTransport, hosts, sources, outboundProxy, sip },
    hasPassword: secretOf(trunk) !== null,
    media: { ...media, addresses: null },
    userPhone: numbers.userPhone,
    sendsPai: callerId.identityHeader === 'pai' && numbers.identity === numbers.from,
    fromDomain: callerId.fromDomain,
  };
}

/** Of plain data; the order of fields says nothing. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [fields, others] = [Object.entries(a), Object.entries(b)];
  const values = new Map<string, unknown>(others);
  return fields.length === others.length && fields.every(([key, value]) => same(value, values.get(key)));
}
