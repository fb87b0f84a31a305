/** A position as its columns hold it. */
import type { Location } from '../../contracts/common.ts';

export interface PositionColumns {
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly accuracy_m: number | null;
}

export function locationOf({ latitude, longitude, accuracy_m: accuracyM }: PositionColumns): Location | null {
  if (latitude === null || longitude === null) return null;
  return accuracyM === null ? { latitude, longitude } : { latitude, longitude, accuracyM };
}
