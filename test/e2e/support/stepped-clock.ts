/** Loaded into a process under test before all else: each SIGWINCH sets its wall clock on by an hour. The monotonic clock goes on. */
const HOUR_MS = 3_600_000;
const MachineDate = Date;
let steppedMs = 0;

class SteppedDate extends MachineDate {
  constructor(...given: [] | [number]) {
    super(given.length === 0 ? SteppedDate.now() : given[0]);
  }

  static override now(): number {
    return MachineDate.now() + steppedMs;
  }
}

globalThis.Date = new Proxy(SteppedDate, {
  construct: (_target, given: unknown[]) =>
    given.length === 0 ? new SteppedDate() : (Reflect.construct(MachineDate, given) as Date),
}) as unknown as DateConstructor;
process.on('SIGWINCH', () => (steppedMs += HOUR_MS));
