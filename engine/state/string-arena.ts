import { StreamError } from '../../sql/base/error.ts';
import type { Saved } from './saved.ts';
import { cellBytes } from './state-memory.ts';
import type { StateReader } from './state-reader.ts';
import type { StateWriter } from './state-writer.ts';

/** Addresses count units of 4 bytes inside chunks of 1 MiB, so that 32 bits reach 16 GiB. */
const UNIT_SHIFT = 2;
const CHUNK_BYTES = 1 << 20;
export const ARENA_CHUNK_SHIFT = 18;
const CHUNK_UNITS_MASK = (1 << ARENA_CHUNK_SHIFT) - 1;
const CHUNKS_MAX = 1 << 14;
const CHUNK_BYTES_FIRST = 4096;
/** Compaction is worth it when more than half is garbage, and at least this much. */
const GARBAGE_BYTES_MIN = 1 << 18;

/** Copies of the strings that state keeps; the bytes of a batch die with the batch. */
export class StringArena implements Saved {
  readonly chunks: Buffer[] = [];
  readonly #isReplaced: boolean;
  #end = 0;
  #bytes = 0;
  #usedBytes = 0;
  #garbageBytes = 0;

  /**
   * @param isReplaced  others came before it and will come after it, so that its memory is better counted by V8, which looks for
   *   garbage sooner then; the first arena of rows that stay is not (state-memory.ts).
   */
  constructor(isReplaced: boolean) {
    this.#isReplaced = isReplaced;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get wantsCompaction(): boolean {
    return this.#garbageBytes > GARBAGE_BYTES_MIN && this.#garbageBytes * 2 > this.#usedBytes;
  }

  /** Copies source[start, start + length) and returns its address. */
  add(source: Buffer, start: number, length: number): number {
    if (length === 0) return 0;
    let chunk = this.chunks[this.chunks.length - 1];
    let at = this.#end;
    if (chunk === undefined || at + length > chunk.length) {
      chunk = this.#grow(length);
      at = 0;
    }
    if (length < 48) {
      for (let i = 0; i < length; i++) chunk[at + i] = source[start + i] as number;
    } else {
      source.copy(chunk, at, start, start + length);
    }
    const padded = (length + 3) & ~3;
    this.#end = at + padded;
    this.#usedBytes += padded;
    return ((this.chunks.length - 1) << ARENA_CHUNK_SHIFT) | (at >>> UNIT_SHIFT);
  }

  /** The bytes at `address` are needed no more. They stay readable until the arena is compacted. */
  discard(length: number): void {
    this.#garbageBytes += (length + 3) & ~3;
  }

  /** Where the bytes of an address are: `chunks[chunkOf(a)]` from `offsetOf(a)` on. */
  static chunkOf(address: number): number {
    return address >>> ARENA_CHUNK_SHIFT;
  }

  static offsetOf(address: number): number {
    return (address & CHUNK_UNITS_MASK) << UNIT_SHIFT;
  }

  save(to: StateWriter): void {
    to.number(this.#end);
    to.number(this.#usedBytes);
    to.number(this.#garbageBytes);
    to.number(this.chunks.length);
    for (const chunk of this.chunks) {
      to.number(chunk.length);
      to.raw(chunk === this.chunks.at(-1) ? chunk.subarray(0, this.#end) : chunk);
    }
  }

  load(from: StateReader): void {
    this.#end = from.number();
    this.#usedBytes = from.number();
    this.#garbageBytes = from.number();
    const count = from.number();
    for (let i = 1; i <= count; i++) {
      const chunk = this.#allocate(from.number());
      from.fill(i === count ? chunk.subarray(0, this.#end) : chunk);
      this.chunks.push(chunk);
      this.#bytes += chunk.length;
    }
  }

  #grow(length: number): Buffer {
    const count = this.chunks.length;
    // What was never written is not to reach a file later.
    this.chunks[count - 1]?.fill(0, this.#end);
    if (count >= CHUNKS_MAX) {
      throw new StreamError('VALUE_PROGRAM_LIMIT', 'the strings of one operator exceed 16 GiB');
    }
    const regular = count > 8 ? CHUNK_BYTES : CHUNK_BYTES_FIRST << count;
    // A string longer than a chunk gets one of its own, which it starts.
    const chunk = this.#allocate(Math.max((length + 3) & ~3, Math.min(regular, CHUNK_BYTES)));
    this.chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#end = 0;
    return chunk;
  }

  #allocate(bytes: number): Buffer {
    return this.#isReplaced ? Buffer.allocUnsafeSlow(bytes) : Buffer.from(cellBytes(bytes));
  }
}
