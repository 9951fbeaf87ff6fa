/**
 * Columns of state as lists of typed arrays. Row `r` lies at `arrays[r >>> SEGMENT_SHIFT][r & SEGMENT_MASK]`.
 * Only the first array is ever copied, while it is small; after that growth adds an array, so that no
 * single row pays for moving all the others.
 */
import type { Saved } from './saved.ts';
import { cellBytes } from './state-memory.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

export const SEGMENT_SHIFT = 13;
export const SEGMENT_ROWS = 1 << SEGMENT_SHIFT;
export const SEGMENT_MASK = SEGMENT_ROWS - 1;

const SEGMENT_ROWS_FIRST = 16;

type Cells = Uint8Array | Int16Array | Int32Array | Float64Array;

export class Segments<T extends Cells> implements Saved {
  /** The list keeps its identity, so that generated code may hold it; its members change. */
  readonly arrays: T[] = [];
  readonly #make: (length: number) => T;
  #capacity = 0;
  #bytes = 0;

  private constructor(make: (length: number) => T) {
    this.#make = make;
  }

  static uint8(): Segments<Uint8Array> {
    return new Segments((length) => new Uint8Array(cellBytes(length * 1)));
  }

  static int16(): Segments<Int16Array> {
    return new Segments((length) => new Int16Array(cellBytes(length * 2)));
  }

  static int32(): Segments<Int32Array> {
    return new Segments((length) => new Int32Array(cellBytes(length * 4)));
  }

  static float64(): Segments<Float64Array> {
    return new Segments((length) => new Float64Array(cellBytes(length * 8)));
  }

  get capacity(): number {
    return this.#capacity;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Makes rows below `rows` addressable; new cells are 0. */
  ensure(rows: number): void {
    while (this.#capacity < rows) {
      const first = this.arrays[0];
      if (first === undefined || first.length < SEGMENT_ROWS) {
        const length = first === undefined ? SEGMENT_ROWS_FIRST : first.length * 4;
        const wider = this.#make(Math.min(length, SEGMENT_ROWS));
        if (first !== undefined) wider.set(first);
        this.arrays[0] = wider;
        this.#capacity = wider.length;
        this.#bytes = wider.byteLength;
      } else {
        const next = this.#make(SEGMENT_ROWS);
        this.arrays.push(next);
        this.#capacity += SEGMENT_ROWS;
        this.#bytes += next.byteLength;
      }
    }
  }

  get(row: number): number {
    return (this.arrays[row >>> SEGMENT_SHIFT] as T)[row & SEGMENT_MASK] as number;
  }

  set(row: number, value: number): void {
    (this.arrays[row >>> SEGMENT_SHIFT] as T)[row & SEGMENT_MASK] = value;
  }

  save(to: StateWriter): void {
    to.number(this.#capacity);
    for (const array of this.arrays) to.cells(array);
  }

  load(from: StateReader): void {
    this.ensure(from.number());
    for (const array of this.arrays) from.cells(array);
  }
}

/** 64-bit cells that are also readable as pairs of 32-bit words: [low, high] per row. */
export class Int64Segments implements Saved {
  readonly arrays: BigInt64Array[] = [];
  readonly words: Int32Array[] = [];
  #capacity = 0;

  get bytes(): number {
    return this.#capacity * 8;
  }

  ensure(rows: number): void {
    while (this.#capacity < rows) {
      const first = this.arrays[0];
      if (first === undefined || first.length < SEGMENT_ROWS) {
        const length = first === undefined ? SEGMENT_ROWS_FIRST : first.length * 4;
        const wider = new BigInt64Array(cellBytes(Math.min(length, SEGMENT_ROWS) * 8));
        if (first !== undefined) wider.set(first);
        this.arrays[0] = wider;
        this.words[0] = new Int32Array(wider.buffer);
        this.#capacity = wider.length;
      } else {
        const next = new BigInt64Array(cellBytes(SEGMENT_ROWS * 8));
        this.arrays.push(next);
        this.words.push(new Int32Array(next.buffer));
        this.#capacity += SEGMENT_ROWS;
      }
    }
  }

  /** Copies values[from[i]] to row to[i]. Words are moved, since a BigInt in between would be allocated. */
  put(values: BigInt64Array, from: Int32Array, to: Int32Array, count: number): void {
    const source = wordsOf(values);
    const { words } = this;
    for (let i = 0; i < count; i++) {
      const row = to[i] as number;
      const at = 2 * (from[i] as number);
      const target = words[row >>> SEGMENT_SHIFT] as Int32Array;
      const cell = 2 * (row & SEGMENT_MASK);
      target[cell] = source[at] as number;
      target[cell + 1] = source[at + 1] as number;
    }
  }

  /** The rows from[i]; 0 for a negative one. */
  gather(from: Int32Array, count: number): BigInt64Array {
    const values = new BigInt64Array(count);
    const target = new Int32Array(values.buffer);
    const { words } = this;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row < 0) continue;
      const source = words[row >>> SEGMENT_SHIFT] as Int32Array;
      const cell = 2 * (row & SEGMENT_MASK);
      target[2 * i] = source[cell] as number;
      target[2 * i + 1] = source[cell + 1] as number;
    }
    return values;
  }

  set(row: number, value: bigint): void {
    (this.arrays[row >>> SEGMENT_SHIFT] as BigInt64Array)[row & SEGMENT_MASK] = value;
  }

  get(row: number): bigint {
    return (this.arrays[row >>> SEGMENT_SHIFT] as BigInt64Array)[row & SEGMENT_MASK] as bigint;
  }

  save(to: StateWriter): void {
    to.number(this.#capacity);
    for (const array of this.arrays) to.cells(array);
  }

  load(from: StateReader): void {
    this.ensure(from.number());
    for (const array of this.arrays) from.cells(array);
  }
}

/** The 32-bit words of a 64-bit column: [low, high] per row, on every machine that Node runs on. */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}
