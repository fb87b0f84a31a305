/** Which events an endpoint is told: exact types (`call.ended`), whole families (`sos.*`), everything (`*`). */

/** Every filter that lets this type through. */
export function filtersOf(type: string): readonly string[] {
  const [family = ''] = type.split('.', 1);
  return ['*', `${family}.*`, type];
}
