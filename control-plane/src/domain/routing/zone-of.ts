/** In which zone a point lies. */
import type { ZoneId } from '../ids.ts';

/** GeoJSON Polygon coordinates (RFC 7946 §3.1.6): rings of [longitude, latitude]; the first is the outline, the rest holes. */
export type Polygon = readonly (readonly (readonly [number, number])[])[];

export interface ZoneShape {
  readonly id: ZoneId;
  /** `null`: the catch-all. */
  readonly polygon: Polygon | null;
}

/** Even-odd rule along a ray to the east. */
function insideRing(
  longitude: number,
  latitude: number,
  ring: readonly (readonly [number, number])[],
): boolean {
  let inside = false;
  let previous = ring.at(-1);
  for (const point of ring) {
    if (previous) {
      const [x1, y1] = previous;
      const [x2, y2] = point;
      if (y1 > latitude !== y2 > latitude && longitude < ((x2 - x1) * (latitude - y1)) / (y2 - y1) + x1)
        inside = !inside;
    }
    previous = point;
  }
  return inside;
}

/**
 * The zone that holds the point (the first in id order when several do), else the citizen's home zone, else the
 * catch-all, else `null`. Without a point the search begins at the home zone.
 */
export function zoneOf(
  point: { readonly latitude: number; readonly longitude: number } | null,
  homeZone: ZoneId | null,
  zones: readonly ZoneShape[],
): { readonly zoneId: ZoneId | null; readonly by: 'point' | 'home' | 'catch-all' | 'none' } {
  const ordered = zones.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (point) {
    const hit = ordered.find((zone) => {
      const [outline, ...holes] = zone.polygon ?? [];
      if (!outline || !insideRing(point.longitude, point.latitude, outline)) return false;
      return !holes.some((hole) => insideRing(point.longitude, point.latitude, hole));
    });
    if (hit) return { zoneId: hit.id, by: 'point' };
  }
  if (homeZone !== null && zones.some((zone) => zone.id === homeZone))
    return { zoneId: homeZone, by: 'home' };
  const catchAll = ordered.find((zone) => zone.polygon === null);
  return catchAll ? { zoneId: catchAll.id, by: 'catch-all' } : { zoneId: null, by: 'none' };
}
