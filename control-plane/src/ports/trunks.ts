/** The trunks in force, and the files they come from. */
import type { Trunk } from '../domain/trunk/trunk.ts';
import type { TrunkChange } from '../domain/trunk/trunk-change.ts';
import type { TrunkFault } from '../domain/trunk/trunk-fault.ts';
import type { TrunkProblem } from '../domain/trunk/trunk-problem.ts';

export type TrunkReading =
  | { readonly ok: true; readonly trunks: readonly Trunk[] }
  | { readonly ok: false; readonly problems: readonly TrunkProblem[] };

export interface TrunkSource {
  /** The files as they are now, in the order of the settings. Never rejects; settles within some seconds. */
  read(): Promise<TrunkReading>;
}

/** A map of trunks will do. */
export type TrunkLookup = Pick<ReadonlyMap<string, Trunk>, 'get' | 'has'>;

/** What a trunk is dialled by: the present one at each asking, for the files may be read anew. */
export interface Trunks extends TrunkLookup {
  /** Those that may be dialled by, first choice first. May be empty. */
  all(): readonly Trunk[];
  /** Those that cannot be used too, in the same order. */
  known(): readonly Trunk[];
  /** Told after the files were read anew, when something in them had changed. Returns how to stop listening. */
  onChange(listener: (changes: readonly TrunkChange[]) => void): () => void;
}

/** A trunk as people see it. */
export interface TrunkEntry {
  readonly name: string;
  readonly description: string;
  readonly priority: number;
  /** Null: it is used. */
  readonly fault: TrunkFault | null;
}

export type TrunkReload =
  | { readonly ok: true; readonly changes: readonly TrunkChange[] }
  | { readonly ok: false; readonly problems: readonly TrunkProblem[] };

export interface TrunkDesk {
  /** In the order in which they are tried. */
  entries(): readonly TrunkEntry[];
  /**
   * Reads the files anew. Right: in force for the next call. Wrong: what was in force stays. Never rejects. Whoever
   * asks while the files are read gets what a reading after that says.
   */
  reload(): Promise<TrunkReload>;
}
