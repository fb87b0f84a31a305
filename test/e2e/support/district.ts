/** A zone of a test's own, with people on numbers of their own: no test meets another one's operators or calls. */
import type { Location } from '../../../control-plane/src/contracts/common.ts';

export interface OperatorWishes {
  /** Last two digits of the duty phone: what it does (docs/sandbox-numbers.md). Default `00`: answers after 1 s. */
  readonly phone?: string;
  /** Default 5. */
  readonly capacity?: number;
  /** The duty phone has to press 1 before a call counts as taken. */
  readonly pressToAccept?: boolean;
}

export interface DistrictWishes {
  /** Default: one. */
  readonly operators?: readonly OperatorWishes[];
  /** Last two digits of the supervisor's phone; `null`: there is no supervisor. Default `00`. */
  readonly supervisor?: string | null;
}

export interface DistrictOperator {
  readonly id: string;
  readonly dutyPhone: string;
}

export interface District {
  readonly zoneId: string;
  /** A point inside it. */
  readonly location: Location;
  readonly operators: readonly DistrictOperator[];
  readonly supervisor: DistrictOperator | null;
}

type Put = (path: string, body: unknown) => Promise<unknown>;

let made = 0;
let numbers = 0;

/** The tones of citizens' phones, operators' and supervisors' differ, so that a report tells who heard whom. */
export const TONE_DIGITS = { citizen: 1, operator: 4, supervisor: 6 } as const;

/** A number that no other test dials; its end chooses the phone's tone and behaviour. */
export function newNumber(who: keyof typeof TONE_DIGITS, behaviour = '00'): string {
  numbers += 1;
  return `+9198${String(numbers).padStart(5, '0')}${TONE_DIGITS[who]}${behaviour}`;
}

export async function makeDistrict(put: Put, wishes: DistrictWishes = {}): Promise<District> {
  made += 1;
  const zoneId = `zone${made}`;
  // Squares of a tenth of a degree in a row, far from the sandbox's own zone.
  const [west, south] = [60 + (made % 100) * 0.2, 10 + Math.floor(made / 100) * 0.2];
  const [east, north] = [west + 0.1, south + 0.1];
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  await put(`/v1/zones/${zoneId}`, {
    name: `District ${made}`,
    polygon: { type: 'Polygon', coordinates: [ring] },
  });
  const operators: DistrictOperator[] = [];
  for (const [index, { phone = '00', capacity = 5 }] of (wishes.operators ?? [{}]).entries()) {
    const operator = { id: `op${made}_${index}`, dutyPhone: newNumber('operator', phone) };
    operators.push(operator);
    await put(`/v1/operators/${operator.id}`, { name: operator.id, dutyPhone: operator.dutyPhone, capacity });
  }
  const supervisor =
    wishes.supervisor === null
      ? null
      : { id: `chief${made}`, dutyPhone: newNumber('supervisor', wishes.supervisor) };
  if (supervisor)
    await put(`/v1/operators/${supervisor.id}`, { name: supervisor.id, dutyPhone: supervisor.dutyPhone });
  await put(`/v1/zones/${zoneId}/roster`, {
    entries: [
      ...operators.map(({ id }, priority) => ({
        operatorId: id,
        duty: 'operator',
        priority,
        pressToAccept: wishes.operators?.[priority]?.pressToAccept ?? false,
      })),
      ...(supervisor ? [{ operatorId: supervisor.id, duty: 'supervisor', priority: 0 }] : []),
    ],
  });
  return {
    zoneId,
    location: { latitude: south + 0.05, longitude: west + 0.05, accuracyM: 8 },
    operators,
    supervisor,
  };
}
