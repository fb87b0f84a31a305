/** The sandbox's people: invented roles on simulated numbers. Who is on duty where, and how each phone behaves. */

/** `tone`: the digit of the number that chooses the phone's tone; the last two choose its behaviour. */
export interface SandboxCitizen {
  readonly id: string;
  readonly phone: string;
  readonly device: string;
}

export interface SandboxOperator {
  readonly id: string;
  readonly name: string;
  readonly dutyPhone: string;
  readonly capacity: number;
}

export const ZONES = [
  {
    id: 'central',
    name: 'Central district',
    /** A square around 28.6° N 77.2° E. */
    polygon: {
      type: 'Polygon',
      coordinates: [
        [
          [77.0, 28.4],
          [77.4, 28.4],
          [77.4, 28.8],
          [77.0, 28.8],
          [77.0, 28.4],
        ],
      ],
    },
  },
  { id: 'rest', name: 'Everywhere else', polygon: null },
] as const;

export const CENTRAL_POINT = { latitude: 28.6139, longitude: 77.209, accuracyM: 12 };

export const OPERATORS: readonly SandboxOperator[] = [
  { id: 'akram', name: 'Operator 1', dutyPhone: '+919810000200', capacity: 20 },
];
export const SUPERVISOR: SandboxOperator = {
  id: 'chief',
  name: 'Duty supervisor',
  dutyPhone: '+919810000300',
  capacity: 5,
};

/** Ten citizens; each phone answers after 1 s with a tone of its own. */
export const CITIZENS: readonly SandboxCitizen[] = Array.from({ length: 10 }, (_, index) => ({
  id: index === 0 ? 'priya' : `citizen${index}`,
  phone: `+9198200${String(index).padStart(2, '0')}${index % 8}00`,
  device: 'phone1',
}));
