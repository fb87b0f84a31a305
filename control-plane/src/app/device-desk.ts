/** Devices that come to the edge and go: who may come in, and whose token let them in. */
import type { AddressOfRecord } from '../domain/ids.ts';
import { parseAor } from '../domain/ids.ts';
import { KeyedRate } from '../domain/rate/keyed-rate.ts';
import type { Clock } from '../ports/clock.ts';
import { tokenOf, type Caller, type Gateway, type GatewayResult } from '../ports/gateway.ts';
import type { PbxResult } from '../ports/pbx-driver.ts';
import type { MasterData } from './master-data.ts';
import type { Presence } from './presence.ts';
import type { RevocationGuard } from './revocation-guard.ts';

/** Of one token. A person has a phone or two; a page that is loaded anew may come as a new device each time. */
const NEW_DEVICES = { perSecond: 1, burst: 10 };

export interface DevicePorts {
  readonly presence: Pick<Presence, 'isHere' | 'expected' | 'admitted' | 'lost' | 'left'>;
  readonly masterData: Pick<MasterData, 'citizen'>;
  readonly guard: Pick<RevocationGuard, 'admitted' | 'left'>;
  readonly clock: Clock;
}

type Devices = Pick<Gateway, 'deviceExpected' | 'deviceAdmitted' | 'deviceLost' | 'deviceLeft'>;

export class DeviceDesk implements Devices {
  readonly #ports: DevicePorts;
  readonly #newDevices = new KeyedRate(NEW_DEVICES);

  constructor(ports: DevicePorts) {
    this.#ports = ports;
  }

  async deviceExpected(aor: AddressOfRecord, by: Caller): Promise<GatewayResult<null>> {
    const { presence, clock } = this.#ports;
    const isCounted = !presence.isHere(aor);
    // With a copy of her token somebody may bring invented devices all the time: hers comes in all the same.
    if (isCounted && !this.#newDevices.take(tokenOf(by), clock.now()) && !(await this.#isRegistered(aor)))
      return { ok: false, code: 'ERR_GATEWAY_BUSY', detail: 'New devices come in too fast by this token.' };
    return placed(await presence.expected(aor));
  }

  async deviceAdmitted(aor: AddressOfRecord, by?: Caller): Promise<GatewayResult<null>> {
    const { presence, masterData, guard } = this.#ports;
    if (by) guard.admitted(aor, by);
    // Her profile is read while there is time: the database may be away when she presses.
    const party = parseAor(aor);
    if (party?.role === 'citizen') void masterData.citizen(party.citizenId);
    return placed(await presence.admitted(aor));
  }

  deviceLost(aor: AddressOfRecord): void {
    this.#ports.presence.lost(aor);
  }

  deviceLeft(aor: AddressOfRecord): void {
    this.#ports.guard.left(aor);
    this.#ports.presence.left(aor);
  }

  /** The directory knows it as a device of its citizen. */
  async #isRegistered(aor: AddressOfRecord): Promise<boolean> {
    const party = parseAor(aor);
    if (party?.role !== 'citizen') return false;
    const citizen = await this.#ports.masterData.citizen(party.citizenId);
    return citizen?.devices.includes(party.deviceId) === true;
  }
}

function placed(result: PbxResult): GatewayResult<null> {
  if (result.ok) return { ok: true, value: null };
  const detail = `The engine has no place for this device: ${result.code}.`;
  return { ok: false, code: 'ERR_GATEWAY_UNAVAILABLE', detail };
}
