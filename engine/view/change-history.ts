/** The changes of one view, kept once for all its readers. */
import type { Schema } from '../../sql/base/type.ts';
import { mergeChanges, type RowChange, type VersionedChanges } from './row-change.ts';

/** Changed rows that are kept version by version, so that readers resume from any of them; older ones are merged or gone. */
export const HISTORY_ROWS_MAX = 50_000;
/** Changed rows that may wait for a reader before it gets them merged. */
export const PENDING_CHANGES_MAX = 10_000;
/** Merged changed rows that are kept for slow readers. */
export const MERGED_CHANGES_MAX = 100_000;
/** Merged stretches that are remembered: readers that lag go on from the same few versions. */
const MERGED_KEPT_MAX = 4;

/** The versions from `first` to `version`, merged when they are not the same. */
interface Entry extends VersionedChanges {
  readonly first: number;
}

/** All changes after a version; none are undefined. */
export interface Rest {
  readonly after: number;
  readonly changes: VersionedChanges | undefined;
}

export class ChangeHistory {
  readonly #schema: Schema;
  readonly #key: readonly number[];
  #entries: Entry[] = [];
  #rows = 0;
  /** Versions at or below this one are no longer there. */
  #from: number;
  #compactAbove = HISTORY_ROWS_MAX;
  /** How far readers that lag go in one step: the same for all, so that their changes are merged once. */
  #mark = Number.NEGATIVE_INFINITY;
  #merged: Entry[] = [];

  constructor(schema: Schema, key: readonly number[], version: number) {
    this.#schema = schema;
    this.#key = key;
    this.#from = version;
  }

  /** Versions at or below this one are no longer there. */
  get from(): number {
    return this.#from;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Forgets everything up to `version`. */
  restart(version: number): void {
    this.#entries = [];
    this.#merged = [];
    this.#rows = 0;
    this.#from = version;
  }

  add(version: number, changes: readonly RowChange[]): void {
    this.#entries.push({ first: version, version, changes });
    this.#rows += changes.length;
  }

  /** Changes after exactly this version can still be told. */
  reaches(version: number): boolean {
    const next = this.#entries[this.#indexAfter(version)];
    return version >= this.#from && (next === undefined || next.first > version);
  }

  hasAfter(version: number): boolean {
    const last = this.#entries.at(-1);
    return last !== undefined && last.version > version;
  }

  /**
   * What a reader that has everything up to `version` gets next: the next version, or several merged.
   * @param isHurried  it should get as many as it can.
   */
  next(version: number, isHurried: boolean): VersionedChanges | undefined {
    const index = this.#indexAfter(version);
    const next = this.#entries[index];
    if (next === undefined) return undefined;
    const isLast = index === this.#entries.length - 1;
    if (isLast || !(isHurried || this.#isFarBehind(index))) return next;
    if (this.#mark <= version) this.#mark = this.#entries.at(-1)?.version ?? version;
    // The mark may lie inside of what was merged since.
    return this.#merge(index, Math.max(this.#indexAfter(this.#mark), index + 1));
  }

  /**
   * Everything after `version` in one.
   * @param later  what this gave for a later version, which it then begins with.
   */
  rest(version: number, later: Rest | undefined): Rest {
    const begin = this.#indexAfter(version);
    const end = later === undefined ? this.#entries.length : this.#indexAfter(later.after);
    const parts: VersionedChanges[] = this.#entries.slice(begin, end);
    if (later?.changes !== undefined) parts.push(later.changes);
    const last = parts.at(-1);
    if (last === undefined || parts.length === 1) return { after: version, changes: last };
    const changes = mergeChanges(this.#schema, this.#key, parts);
    return { after: version, changes: { version: last.version, changes } };
  }

  get isTooLong(): boolean {
    return this.#rows > this.#compactAbove;
  }

  /**
   * Drops what nobody waits for, oldest first, and merges the older half of the rest between the versions at which readers stand.
   * @param cursors  those versions, ascending.
   */
  compact(cursors: readonly number[]): void {
    this.#dropUpTo(cursors[0] ?? Number.POSITIVE_INFINITY);
    if (this.#rows > HISTORY_ROWS_MAX) this.#fold(cursors);
    this.#merged = [];
    // What does not get smaller by merging is merged again only when it has doubled.
    this.#compactAbove = Math.max(
      HISTORY_ROWS_MAX,
      Math.min(2 * this.#rows, MERGED_CHANGES_MAX),
      this.#rows,
    );
  }

  #dropUpTo(version: number): void {
    let count = 0;
    for (const entry of this.#entries) {
      if (this.#rows <= HISTORY_ROWS_MAX || entry.version > version) break;
      this.#rows -= entry.changes.length;
      this.#from = entry.version;
      count++;
    }
    this.#entries.splice(0, count);
  }

  #fold(cursors: readonly number[]): void {
    let newer = this.#entries.length;
    for (let rows = 0; newer > 0; newer--) {
      rows += this.#entries[newer - 1]?.changes.length ?? 0;
      if (rows > HISTORY_ROWS_MAX / 2) break;
    }
    const folded: Entry[] = [];
    let begin = 0;
    for (const cursor of [...cursors, Number.POSITIVE_INFINITY]) {
      const end = Math.min(this.#indexAfter(cursor), newer);
      if (end <= begin) continue;
      folded.push(this.#merge(begin, end));
      begin = end;
    }
    this.#entries.splice(0, newer, ...folded);
    this.#rows = this.#entries.reduce((rows, { changes }) => rows + changes.length, 0);
  }

  #isFarBehind(index: number): boolean {
    let rows = 0;
    for (let i = index; i < this.#entries.length && rows <= PENDING_CHANGES_MAX; i++) {
      rows += this.#entries[i]?.changes.length ?? 0;
    }
    return rows > PENDING_CHANGES_MAX;
  }

  #merge(begin: number, end: number): Entry {
    const entries = this.#entries.slice(begin, end);
    const first = entries[0]?.first ?? this.#from;
    const version = entries.at(-1)?.version ?? this.#from;
    const known = this.#merged.find((entry) => entry.first === first && entry.version === version);
    if (known !== undefined) return known;
    const [only] = entries;
    if (only !== undefined && entries.length === 1) return only;
    const merged = { first, version, changes: mergeChanges(this.#schema, this.#key, entries) };
    this.#merged = [merged, ...this.#merged].slice(0, MERGED_KEPT_MAX);
    return merged;
  }

  /** The first entry of a later version. */
  #indexAfter(version: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).version <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
