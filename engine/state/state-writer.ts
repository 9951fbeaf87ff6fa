/**
 * State as bytes. A container writes its cells in an order of its own and reads them back in the same order
 * (saved.ts); the bytes lie in blocks, so that nothing large is ever moved and a file can be written block by block.
 *
 * Numbers are little-endian. A number takes 8 bytes as a double, an array of cells one byte (0 = all zero, 1 = its bytes
 * follow) and its bytes as they lie in memory; a text or byte string its length and its bytes; a datum one byte for its
 * form and then its value.
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { Interval } from '../../sql/base/interval.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { RangeValue } from '../../sql/base/range.ts';

export const STATE_BLOCK_BYTES = 1 << 20;

/** The first byte of a datum. */
export const DatumForm = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  bigint: 4,
  wideBigint: 5,
  text: 6,
  bytes: 7,
  numeric: 8,
  interval: 9,
  array: 10,
  range: 11,
} as const;

export const NUMERIC_SPECIALS = ['finite', 'NaN', 'Infinity', '-Infinity'] as const;

const ZEROS = Buffer.alloc(STATE_BLOCK_BYTES);

export class StateWriter {
  readonly #full: Buffer[] = [];
  readonly #spare: Buffer[];
  #block: Buffer;
  #end = 0;
  #bytes = 0;

  /** @param spare  blocks of STATE_BLOCK_BYTES to write into before new ones are made; they are taken from the list. */
  constructor(spare: Buffer[] = []) {
    this.#spare = spare;
    this.#block = this.#fresh(STATE_BLOCK_BYTES);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes + this.#end;
  }

  /** Everything written, in order. Ends the writer. */
  blocks(): Buffer[] {
    this.#close();
    return this.#full;
  }

  /** Where a container begins, so that bytes of another one are noticed at once. */
  mark(name: string): void {
    this.text(name);
  }

  byte(value: number): void {
    if (this.#end === this.#block.length) this.#next(1);
    this.#block[this.#end++] = value;
  }

  number(value: number): void {
    if (this.#end + 8 > this.#block.length) this.#next(8);
    this.#end = this.#block.writeDoubleLE(value, this.#end);
  }

  int64(value: bigint): void {
    if (this.#end + 8 > this.#block.length) this.#next(8);
    this.#end = this.#block.writeBigInt64LE(value, this.#end);
  }

  /** An array whose length the reader knows. */
  cells(array: ArrayBufferView<ArrayBufferLike>): void {
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    const isZero =
      bytes.length <= ZEROS.length && bytes.compare(ZEROS, 0, bytes.length, 0, bytes.length) === 0;
    this.byte(isZero ? 0 : 1);
    if (!isZero) this.raw(bytes);
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Buffer): void {
    for (let start = 0; start < bytes.length; ) {
      if (this.#end === this.#block.length) this.#next(1);
      const count = bytes.copy(this.#block, this.#end, start);
      this.#end += count;
      start += count;
    }
  }

  /** Room for `length` bytes side by side, to be filled by the caller at once: [block, where they begin]. */
  reserve(length: number): readonly [Buffer, number] {
    if (this.#end + length > this.#block.length) this.#next(length);
    const start = this.#end;
    this.#end += length;
    return [this.#block, start];
  }

  text(value: string): void {
    this.byteString(Buffer.from(value));
  }

  byteString(value: Uint8Array): void {
    this.number(value.length);
    this.raw(Buffer.from(value.buffer, value.byteOffset, value.length));
  }

  data(values: readonly (Datum | null)[]): void {
    this.number(values.length);
    for (const value of values) this.datum(value);
  }

  datum(value: Datum | null): void {
    switch (typeof value) {
      case 'boolean':
        this.byte(value ? DatumForm.true : DatumForm.false);
        break;
      case 'number':
        this.byte(DatumForm.number);
        this.number(value);
        break;
      case 'bigint':
        this.#bigint(value);
        break;
      case 'string':
        this.byte(DatumForm.text);
        this.text(value);
        break;
      case 'object':
        if (value === null) this.byte(DatumForm.null);
        else this.#object(value);
        break;
      default:
        assertNever(value);
    }
  }

  #object(value: Datum & object): void {
    if (value instanceof Uint8Array) {
      this.byte(DatumForm.bytes);
      this.byteString(value);
    } else if (value instanceof Numeric) {
      this.byte(DatumForm.numeric);
      this.byte(NUMERIC_SPECIALS.indexOf(value.special));
      this.number(value.scale);
      this.#bigint(value.unscaled);
    } else if (value instanceof RangeValue) {
      this.byte(DatumForm.range);
      this.text(value.name);
      this.text(value.toString());
    } else if (isInterval(value)) {
      this.byte(DatumForm.interval);
      this.number(value.months);
      this.number(value.days);
      this.#bigint(value.micros);
    } else {
      this.byte(DatumForm.array);
      this.data(value);
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.byte(DatumForm.bigint);
      this.int64(value);
    } else {
      this.byte(DatumForm.wideBigint);
      this.text(value.toString(16));
    }
  }

  #next(atLeast: number): void {
    this.#close();
    this.#block = this.#fresh(Math.max(atLeast, STATE_BLOCK_BYTES));
    this.#end = 0;
  }

  #close(): void {
    if (this.#end > 0) this.#full.push(this.#block.subarray(0, this.#end));
    this.#bytes += this.#end;
    this.#end = 0;
    this.#block = EMPTY;
  }

  #fresh(length: number): Buffer {
    const spare = length === STATE_BLOCK_BYTES ? this.#spare.pop() : undefined;
    return spare ?? Buffer.allocUnsafeSlow(length);
  }
}

const EMPTY = Buffer.alloc(0);

function isInterval(value: Interval | readonly (Datum | null)[]): value is Interval {
  return !Array.isArray(value);
}
