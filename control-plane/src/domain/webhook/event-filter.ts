/** Which events an endpoint is told: exact types (`call.ended`), whole families (`sos.*`), everything (`*`). */

export function matchesAny(filters: readonly string[], type: string): boolean {
  return filters.some((filter) => matches(filter, type));
}

function matches(filter: string, type: string): boolean {
  if (filter === '*' || filter === type) return true;
  return filter.endsWith('.*') && type.startsWith(filter.slice(0, -1));
}
