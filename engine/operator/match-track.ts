/** The rows that a search has mapped to a set of variables so far, as lists that share their beginnings. */

export interface Track {
  readonly previous: Track | undefined;
  readonly position: number;
  readonly variable: number;
  readonly count: number;
  /** The first positions, as many as conditions ask for. */
  readonly firsts: readonly number[];
  /** Equal for two lists of a set that no condition can tell apart. */
  readonly key: number;
}

export interface TrackShape {
  /** The variables; undefined = all. */
  readonly rows: readonly number[] | undefined;
  /** How many of the first and of the last rows conditions can ask for. */
  firsts: number;
  lasts: number;
  /** Conditions see all rows (aggregates), or all variables (CLASSIFIER of earlier rows). */
  whole: boolean;
}

/** Texts by number, so that equal ones have equal keys. */
export class TrackKeys {
  readonly #keys = new Map<string, number>();

  of(text: string): number {
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const key = this.#keys.size + 1;
    this.#keys.set(text, key);
    return key;
  }
}

export const includesVariable = ({ rows }: TrackShape, variable: number): boolean =>
  rows === undefined || rows.includes(variable);

/** @param keys  of one search and this shape. */
export function appendTrack(
  shape: TrackShape,
  previous: Track | undefined,
  position: number,
  variable: number,
  keys: TrackKeys,
): Track {
  const before = previous?.firsts ?? [];
  const firsts = before.length < shape.firsts ? [...before, position] : before;
  const count = (previous?.count ?? 0) + 1;
  let text: string;
  if (shape.whole) text = `${previous?.key ?? ''}:${variable}:${position}`;
  else {
    const lasts: number[] = [];
    if (shape.lasts > 0) lasts.push(position);
    for (let at = previous; at !== undefined && lasts.length < shape.lasts; at = at.previous) {
      lasts.push(at.position);
    }
    text = `${firsts.join()}|${lasts.join()}`;
  }
  return { previous, position, variable, count, firsts, key: keys.of(text) };
}

/** The row `offset` rows before the list's last one. */
export function fromLast(track: Track | undefined, offset: number): Track | undefined {
  let at = track;
  for (let i = 0; i < offset && at !== undefined; i++) at = at.previous;
  return at;
}
