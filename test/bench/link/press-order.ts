/** What the phones beyond the link are told, and what they tell. */

/** What she presses on: the clients' own code in Node, or the citizen's page in Chromium. */
export type FarPhone = 'headless' | 'chromium';

export interface PressOrder {
  readonly number: number;
  readonly token: string;
  readonly deviceId: string;
  readonly location: { readonly latitude: number; readonly longitude: number; readonly accuracyM: number };
  /** The app was warm before: connected and registered. Else it is started by the press. */
  readonly armed: boolean;
  readonly phone: FarPhone;
  /** Speech of this length, over and over, in place of a tone; 0: a tone. */
  readonly speechSeconds: number;
}

export interface PressReport {
  readonly number: number;
  readonly session: string | null;
  readonly failed: string | null;
}
