/** What lines work with, and what they are told of the engine's channels. */
import type { LegId } from '../../domain/ids.ts';
import type { LineTry } from '../../domain/line/line.ts';
import type { Trunk } from '../../domain/trunk/trunk.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log, Metrics } from '../../ports/log.ts';
import type { OpsAlerts } from '../../ports/ops-alerts.ts';
import type { PbxDriver } from '../../ports/pbx-driver.ts';
import type { TrunkHealth } from '../../ports/trunk-health.ts';
import type { TrunkLoad } from './trunk-load.ts';

export interface PhoneLinesPorts {
  readonly pbx: PbxDriver;
  /** The trunks that may be used; asked for each call. */
  readonly trunks: () => readonly Trunk[];
  readonly health: TrunkHealth;
  readonly alerts: OpsAlerts;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface LinePorts extends PhoneLinesPorts {
  readonly load: Pick<TrunkLoad, 'hasRoom' | 'take'>;
}

/** A channel of a telephone leg as the engine has it. */
export interface TryChannel {
  readonly legId: LegId;
  readonly try: number;
  readonly state: LineTry['state'];
  readonly trunk: string;
}
