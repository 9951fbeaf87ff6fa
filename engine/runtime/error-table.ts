/**
 * One error relation: the failures that hold now, with a bound on how many are kept. It is a Z-set like any other relation,
 * so a failure goes when its cause is taken back. Past the bound the oldest leave the table and are only counted.
 */
import type { Datum, Row } from '../../sql/base/datum.ts';
import type { Batch } from '../delta/batch.ts';
import { BatchBuilder } from '../delta/builder.ts';
import type { StoredRelation } from '../store/store.ts';

/** Most distinct failures that one error relation keeps. */
export const ERROR_ROWS_MAX = 10_000;
/** Most bytes of texts, keys and records that one error relation keeps. */
export const ERROR_BYTES_MAX = 16 * 1024 * 1024;

/** What a row costs beside its texts and bytes. */
const ROW_BYTES = 200;

export interface ErrorLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

interface Entry {
  readonly row: Row;
  readonly bytes: number;
  weight: number;
}

export class ErrorTable {
  readonly stored: StoredRelation;
  readonly #limits: ErrorLimits;
  /** In order of arrival: the first one is the oldest. */
  readonly #entries = new Map<string, Entry>();
  /** Failures of the running epoch: their sum counts, not their order. */
  #pending = new Map<string, { readonly row: Row; weight: number }>();
  /** What the stored table does not know yet. */
  #unsaved = new Map<string, { readonly row: Row; weight: number }>();
  #bytes = 0;
  #keptWeight = 0;
  #evicted = 0;
  #evictedSaved = 0;

  constructor(
    stored: StoredRelation,
    evicted: number,
    limits: ErrorLimits = { rowsMax: ERROR_ROWS_MAX, bytesMax: ERROR_BYTES_MAX },
  ) {
    this.stored = stored;
    this.#limits = limits;
    this.#evicted = evicted;
    this.#evictedSaved = evicted;
  }

  /** Failures that hold now, those that are no longer kept included. */
  get count(): number {
    return this.#keptWeight + this.#evicted;
  }

  /** Of these, the ones that left the table for want of room. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The eviction count when it differs from the last call's. */
  takeEvicted(): number | undefined {
    if (this.#evicted === this.#evictedSaved) return undefined;
    this.#evictedSaved = this.#evicted;
    return this.#evicted;
  }

  /** The kept rows, oldest first. */
  *rows(): Generator<Row> {
    for (const { row } of this.#entries.values()) yield row;
  }

  has(row: Row): boolean {
    return this.#entries.has(this.#keyOf(row));
  }

  /** Rows of the last commit, after a restart. */
  restore(batch: Batch): void {
    for (let i = 0; i < batch.length; i++) this.#put(batch.row(i), batch.weight(i));
  }

  /** @param weight  negative takes failures back. */
  add(row: Row, weight: number): void {
    addTo(this.#pending, this.#keyOf(row), row, weight);
    // Memory stays bounded in an epoch of any size.
    if (this.#pending.size >= this.#limits.rowsMax) this.#settle();
  }

  /** Forgets everything: what the failures came from is computed anew. */
  clear(): void {
    this.#pending.clear();
    for (const [key, { row, weight }] of this.#entries) addTo(this.#unsaved, key, row, -weight);
    this.#entries.clear();
    this.#bytes = 0;
    this.#keptWeight = 0;
    this.#evicted = 0;
  }

  /** The change since the last call, at most one row of each sign a failure. */
  drain(): Batch | undefined {
    this.#settle();
    if (this.#unsaved.size === 0) return undefined;
    const builder = new BatchBuilder(this.stored.schema);
    for (const { row, weight } of this.#unsaved.values()) builder.add(row, weight);
    this.#unsaved = new Map();
    return builder.take();
  }

  #settle(): void {
    for (const [key, { row, weight }] of this.#pending) {
      // A failure that is not kept any more was counted when it left.
      if (weight < 0 && this.#evicted > 0 && !this.#entries.has(key)) this.#evicted += weight;
      else {
        addTo(this.#unsaved, key, row, weight);
        this.#put(row, weight, key);
      }
    }
    this.#pending = new Map();
  }

  #put(row: Row, weight: number, key = this.#keyOf(row)): void {
    const known = this.#entries.get(key);
    this.#keptWeight += weight;
    if (known !== undefined) {
      known.weight += weight;
      if (known.weight !== 0) return;
      this.#entries.delete(key);
      this.#bytes -= known.bytes;
      return;
    }
    const entry = { row, weight, bytes: bytesOf(row) + key.length };
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    this.#evict();
  }

  #evict(): void {
    for (const [key, { row, weight, bytes }] of this.#entries) {
      if (this.#entries.size <= this.#limits.rowsMax && this.#bytes <= this.#limits.bytesMax)
        return;
      this.#entries.delete(key);
      this.#bytes -= bytes;
      this.#keptWeight -= weight;
      this.#evicted += weight;
      addTo(this.#unsaved, key, row, -weight);
    }
  }

  /** What tells one failure from another. */
  #keyOf(row: Row): string {
    const { storage, schema } = this.stored;
    const columns = storage.kind === 'keyed' ? storage.key : schema.map((_, i) => i);
    return columns.map((column) => partOf(row[column] ?? null)).join('');
  }
}

function addTo(
  changes: Map<string, { readonly row: Row; weight: number }>,
  key: string,
  row: Row,
  weight: number,
): void {
  const known = changes.get(key);
  if (known === undefined) {
    changes.set(key, { row, weight });
    return;
  }
  known.weight += weight;
  if (known.weight === 0) changes.delete(key);
}

/** Self-delimiting, so that no two rows are written the same. */
function partOf(value: Datum | null): string {
  if (value === null) return 'n;';
  const text = String(value);
  return `${text.length}:${text};`;
}

function bytesOf(row: Row): number {
  let bytes = ROW_BYTES;
  for (const value of row) {
    if (typeof value === 'string') bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.length;
    else if (Array.isArray(value)) bytes += bytesOf(value);
  }
  return bytes;
}
