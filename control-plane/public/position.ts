/** Where this device is: by its own positioning, or as typed. */
import type { Location } from '../client/gateway-api.ts';

export type PositionState = 'unknown' | 'asking' | 'known' | 'refused' | 'typed';

/** Follows the device's position from now on; `changed` is called at each news. */
export class PositionWatch {
  private readonly changed: () => void;
  private measured: Location | null = null;
  private watchId: number | null = null;
  private refused = false;

  constructor(changed: () => void) {
    this.changed = changed;
  }

  /** Asks for permission when that was not given yet. Harmless when repeated. */
  start(): void {
    if (this.watchId !== null || !('geolocation' in navigator)) return;
    this.refused = false;
    this.watchId = navigator.geolocation.watchPosition(
      ({ coords }) => {
        const { latitude, longitude, accuracy } = coords;
        this.measured = { latitude, longitude, accuracyM: Math.round(accuracy) };
        this.changed();
      },
      (error) => {
        this.refused = error.code === error.PERMISSION_DENIED;
        if (this.refused) this.stop();
        this.changed();
      },
      { enableHighAccuracy: true, maximumAge: 60_000, timeout: 20_000 },
    );
    this.changed();
  }

  /** What was typed goes before what was measured: whoever types knows better. */
  current(typed: Location | null): { readonly state: PositionState; readonly location: Location | null } {
    if (typed !== null) return { state: 'typed', location: typed };
    if (this.measured !== null) return { state: 'known', location: this.measured };
    if (this.refused) return { state: 'refused', location: null };
    return { state: this.watchId === null ? 'unknown' : 'asking', location: null };
  }

  private stop(): void {
    if (this.watchId !== null) navigator.geolocation.clearWatch(this.watchId);
    this.watchId = null;
  }
}

/** Two typed coordinates, or `null` when they are not both numbers of this earth. */
export function parseTyped(latitudeText: string, longitudeText: string): Location | null {
  const [latitude, longitude] = [latitudeText, longitudeText].map((text) =>
    text.trim() === '' ? NaN : Number(text.replace(',', '.')),
  );
  if (latitude === undefined || longitude === undefined) return null;
  const valid = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return valid ? { latitude, longitude } : null;
}

export function formatLocation({ latitude, longitude, accuracyM }: Location): string {
  const accuracy = accuracyM === undefined ? '' : `, ±${accuracyM}\u00a0m`;
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}${accuracy}`;
}
