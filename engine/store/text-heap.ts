/**
 * Many strings into a VARCHAR vector with one call. A DuckDB string is 16 bytes: its length, then either
 * up to 12 bytes of text or 4 bytes of prefix and a pointer. All text of a column goes over as one BLOB, whose
 * own 16 bytes tell where DuckDB put it; the strings are then written as pointers into it. Calling the bindings once
 * per string costs three times as much. Layout: duckdb.h, `duckdb_string_t`.
 */
import duckdb from '@duckdb/node-bindings';
import type { StringColumn } from '../delta/column.ts';

const INLINE_BYTES_MAX = 12;
/** A column whose text lies scattered over more than this many times its size is packed first. */
const SPREAD_MAX = 8;
const SPREAD_SLACK_BYTES = 65_536;

/** Keeps the text of one chunk alive until the chunk was appended; reset between chunks. */
export class TextHeap {
  readonly #chunk: duckdb.DataChunk;
  #used = 0;

  constructor() {
    this.#chunk = duckdb.create_data_chunk([duckdb.create_logical_type(duckdb.Type.BLOB)]);
    duckdb.data_chunk_set_size(this.#chunk, duckdb.vector_size());
  }

  /** Gives the address of a copy of `bytes`, of which there are more than twelve. */
  place(bytes: Uint8Array): bigint {
    const vector = duckdb.data_chunk_get_vector(this.#chunk, 0);
    const index = this.#used++;
    duckdb.vector_assign_string_element_len(vector, index, bytes);
    const entries = duckdb.vector_get_data(vector, (index + 1) * 16);
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    return view.getBigUint64(index * 16 + 8, true);
  }

  reset(): void {
    duckdb.data_chunk_reset(this.#chunk);
    duckdb.data_chunk_set_size(this.#chunk, duckdb.vector_size());
    this.#used = 0;
  }
}

/** Writes rows [start, start + count) of a column into a vector; NULL rows become empty strings. */
export function writeText(
  vector: duckdb.Vector,
  heap: TextHeap,
  column: StringColumn,
  start: number,
  count: number,
): void {
  const { bytes, starts, lengths, nulls } = column;
  const entries = new Uint8Array(count * 16);
  const view = new DataView(entries.buffer);
  let low = Number.MAX_SAFE_INTEGER;
  let high = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const row = start + i;
    if (nulls !== null && nulls[row] === 1) continue;
    const at = starts[row] as number;
    const length = lengths[row] as number;
    view.setUint32(i * 16, length, true);
    if (length <= INLINE_BYTES_MAX) {
      const to = i * 16 + 4;
      for (let k = 0; k < length; k++) entries[to + k] = bytes[at + k] as number;
      continue;
    }
    total += length;
    if (at < low) low = at;
    if (at + length > high) high = at + length;
  }
  if (total > 0) {
    const dense = high - low <= total * SPREAD_MAX + SPREAD_SLACK_BYTES;
    const packed = dense ? undefined : Buffer.allocUnsafe(total);
    const base = packed === undefined ? heap.place(bytes.subarray(low, high)) : 0n;
    const long: number[] = [];
    let end = 0;
    for (let i = 0; i < count; i++) {
      const length = view.getUint32(i * 16, true);
      if (length <= INLINE_BYTES_MAX) continue;
      const at = starts[start + i] as number;
      const to = i * 16 + 4;
      for (let k = 0; k < 4; k++) entries[to + k] = bytes[at + k] as number;
      if (packed === undefined) {
        view.setBigUint64(i * 16 + 8, base + BigInt(at - low), true);
      } else {
        bytes.copy(packed, end, at, at + length);
        long.push(i, end);
        end += length;
      }
    }
    if (packed !== undefined) {
      const packedBase = heap.place(packed);
      for (let k = 0; k < long.length; k += 2) {
        const address = packedBase + BigInt(long[k + 1] as number);
        view.setBigUint64((long[k] as number) * 16 + 8, address, true);
      }
    }
  }
  duckdb.copy_data_to_vector(vector, 0, entries.buffer, 0, entries.byteLength);
}
