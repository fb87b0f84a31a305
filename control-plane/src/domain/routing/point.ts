/** A position on Earth as a device reports it. */

export interface Point {
  /** Degrees north, WGS 84. */
  readonly latitude: number;
  /** Degrees east. */
  readonly longitude: number;
  /** Radius within which it probably lies. */
  readonly accuracyM?: number;
}

function isBetween(value: unknown, low: number, high: number): value is number {
  return typeof value === 'number' && value >= low && value <= high;
}

/** A believable position, or `null`. 0° N 0° E is what broken receivers say: nobody is there. */
export function parsePoint(claimed: unknown): Point | null {
  if (typeof claimed !== 'object' || claimed === null) return null;
  const { latitude, longitude, accuracyM } = claimed as Record<string, unknown>;
  if (!isBetween(latitude, -90, 90) || !isBetween(longitude, -180, 180)) return null;
  if (latitude === 0 && longitude === 0) return null;
  return isBetween(accuracyM, 0, Number.MAX_VALUE)
    ? { latitude, longitude, accuracyM }
    : { latitude, longitude };
}
