import { assert } from '../../sql/base/assert.ts';
import { type BatchColumn, type Nulls, StringColumn } from '../delta/column.ts';
import { SEGMENT_MASK, SEGMENT_SHIFT, Segments } from './segments.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';
import type { StoredValues } from './stored-column.ts';
import { StringArena } from './string-arena.ts';

/** Strings as (address, length) into the arena of their rows. */
export class StoredStrings implements StoredValues {
  readonly addresses = Segments.int32();
  readonly lengths = Segments.int32();
  arena: StringArena;

  constructor(arena: StringArena) {
    this.arena = arena;
  }

  ensure(rows: number): void {
    this.addresses.ensure(rows);
    this.lengths.ensure(rows);
  }

  put(column: BatchColumn, from: Int32Array, to: Int32Array, count: number): void {
    assert(column.physical === 'str', 'a string column is stored from one');
    const { bytes, starts, lengths, nulls } = column;
    const arena = this.arena;
    const ownAddresses = this.addresses.arrays;
    const ownLengths = this.lengths.arrays;
    for (let i = 0; i < count; i++) {
      const row = to[i] as number;
      const source = from[i] as number;
      const isNull = nulls !== null && nulls[source] === 1;
      const length = isNull ? 0 : (lengths[source] as number);
      const address = arena.add(bytes, starts[source] as number, length);
      (ownAddresses[row >>> SEGMENT_SHIFT] as Int32Array)[row & SEGMENT_MASK] = address;
      (ownLengths[row >>> SEGMENT_SHIFT] as Int32Array)[row & SEGMENT_MASK] = length;
    }
  }

  putOne(column: BatchColumn, from: number, to: number): void {
    assert(column.physical === 'str', 'a string column is stored from one');
    const isNull = column.nulls !== null && column.nulls[from] === 1;
    const length = isNull ? 0 : (column.lengths[from] as number);
    this.addresses.set(to, this.arena.add(column.bytes, column.starts[from] as number, length));
    this.lengths.set(to, length);
  }

  /** Copies the strings out: a batch column refers to one buffer, an arena has many. */
  gather(from: Int32Array, count: number, nulls: Nulls): BatchColumn {
    const starts = new Int32Array(count);
    const lengths = new Int32Array(count);
    const ownAddresses = this.addresses.arrays;
    const ownLengths = this.lengths.arrays;
    const { chunks } = this.arena;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row < 0) continue;
      const length = (ownLengths[row >>> SEGMENT_SHIFT] as Int32Array)[
        row & SEGMENT_MASK
      ] as number;
      lengths[i] = length;
      total += length;
    }
    const single = chunks.length === 1 ? chunks[0] : undefined;
    const bytes = single ?? Buffer.allocUnsafeSlow(total);
    let end = 0;
    for (let i = 0; i < count; i++) {
      const row = from[i] as number;
      if (row < 0) continue;
      const address = (ownAddresses[row >>> SEGMENT_SHIFT] as Int32Array)[
        row & SEGMENT_MASK
      ] as number;
      const offset = StringArena.offsetOf(address);
      if (single !== undefined) {
        starts[i] = offset;
        continue;
      }
      const length = lengths[i] as number;
      starts[i] = end;
      if (length === 0) continue;
      const chunk = chunks[StringArena.chunkOf(address)] as Buffer;
      if (length < 48) {
        for (let b = 0; b < length; b++) bytes[end + b] = chunk[offset + b] as number;
      } else {
        chunk.copy(bytes, end, offset, offset + length);
      }
      end += length;
    }
    return StringColumn.ofBytes(bytes, starts, lengths, nulls);
  }

  /** The string of one row that is not NULL. */
  get(row: number): string {
    const length = this.lengths.get(row);
    if (length === 0) return '';
    const address = this.addresses.get(row);
    const start = StringArena.offsetOf(address);
    return (this.arena.chunks[StringArena.chunkOf(address)] as Buffer).utf8Slice(
      start,
      start + length,
    );
  }

  /** Moves the strings of rows below `rows` into another arena; released rows have length 0. */
  moveTo(arena: StringArena, rows: number): void {
    const old = this.arena;
    for (let row = 0; row < rows; row++) {
      const length = this.lengths.get(row);
      if (length === 0) continue;
      const address = this.addresses.get(row);
      const chunk = old.chunks[StringArena.chunkOf(address)] as Buffer;
      this.addresses.set(row, arena.add(chunk, StringArena.offsetOf(address), length));
    }
    this.arena = arena;
  }

  release(row: number): void {
    this.arena.discard(this.lengths.get(row));
    this.lengths.set(row, 0);
  }

  /** References only; the arena belongs to the row store. */
  bytes(): number {
    return this.addresses.bytes + this.lengths.bytes;
  }

  /** Without the arena, which the row store saves. */
  save(to: StateWriter): void {
    this.addresses.save(to);
    this.lengths.save(to);
  }

  load(from: StateReader): void {
    this.addresses.load(from);
    this.lengths.load(from);
  }
}
