/** Reads back what a StateWriter wrote (state-writer.ts has the form of the bytes). */
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { Numeric } from '../../sql/base/numeric.ts';
import { fromText } from '../../sql/base/text-input.ts';
import { rangeNames } from '../../sql/base/type.ts';
import { DatumForm, NUMERIC_SPECIALS } from './state-writer.ts';

/** No container's mark is longer. */
const MARK_BYTES_MAX = 64;

export class StateReader {
  readonly #nextBlock: () => Buffer | undefined;
  #block: Buffer;
  #at = 0;
  readonly #small = Buffer.alloc(8);

  /** @param nextBlock  the blocks in order, already checked; undefined when there is none left. */
  constructor(nextBlock: () => Buffer | undefined) {
    this.#nextBlock = nextBlock;
    this.#block = nextBlock() ?? Buffer.alloc(0);
  }

  static of(blocks: readonly Buffer[]): StateReader {
    let next = 0;
    return new StateReader(() => blocks[next++]);
  }

  /** True when everything was read. */
  get isAtEnd(): boolean {
    while (this.#at === this.#block.length) {
      const next = this.#nextBlock();
      if (next === undefined) return true;
      this.#block = next;
      this.#at = 0;
    }
    return false;
  }

  /** @throws StreamError STATE_DAMAGED when another container was written here. */
  mark(name: string): void {
    const length = this.number();
    const found = length <= MARK_BYTES_MAX ? this.raw(length).toString() : 'something else';
    if (found !== name) throw damaged(`${name} was expected, ${found} found`);
  }

  byte(): number {
    if (this.isAtEnd) throw damaged('it ends too early');
    return this.#block[this.#at++] as number;
  }

  number(): number {
    const [bytes, at] = this.#eight();
    return bytes.readDoubleLE(at);
  }

  int64(): bigint {
    const [bytes, at] = this.#eight();
    return bytes.readBigInt64LE(at);
  }

  /** Fills an array of the written length. */
  cells<T extends ArrayBufferView<ArrayBufferLike>>(array: T): T {
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    if (this.byte() === 0) bytes.fill(0);
    else this.fill(bytes);
    return array;
  }

  raw(length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    this.fill(bytes);
    return bytes;
  }

  fill(target: Buffer): void {
    for (let end = 0; end < target.length; ) {
      if (this.isAtEnd) throw damaged('it ends too early');
      const count = this.#block.copy(target, end, this.#at);
      this.#at += count;
      end += count;
    }
  }

  text(): string {
    return this.byteString().toString();
  }

  byteString(): Buffer {
    return this.raw(this.number());
  }

  data(): (Datum | null)[] {
    return Array.from({ length: this.number() }, () => this.datum());
  }

  datum(): Datum | null {
    const form = this.byte();
    switch (form) {
      case DatumForm.null:
        return null;
      case DatumForm.false:
        return false;
      case DatumForm.true:
        return true;
      case DatumForm.number:
        return this.number();
      case DatumForm.bigint:
      case DatumForm.wideBigint:
        return this.#bigint(form);
      case DatumForm.text:
        return this.text();
      case DatumForm.bytes:
        return new Uint8Array(this.byteString());
      case DatumForm.numeric: {
        const special = NUMERIC_SPECIALS[this.byte()] ?? 'finite';
        const scale = this.number();
        return new Numeric(this.#bigint(this.byte()), scale, special);
      }
      case DatumForm.interval: {
        const months = this.number();
        const days = this.number();
        return { months, days, micros: this.#bigint(this.byte()) };
      }
      case DatumForm.range: {
        const written = this.text();
        const name = rangeNames.find((known) => known === written);
        if (name === undefined) throw damaged(`there is no range type ${written}`);
        return fromText(this.text(), { kind: 'range', name });
      }
      case DatumForm.array:
        return this.data();
      default:
        throw damaged(`no value begins with ${form}`);
    }
  }

  #bigint(form: number): bigint {
    if (form === DatumForm.bigint) return this.int64();
    const text = this.text();
    return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
  }

  #eight(): readonly [Buffer, number] {
    if (this.#at + 8 <= this.#block.length) {
      this.#at += 8;
      return [this.#block, this.#at - 8];
    }
    this.fill(this.#small);
    return [this.#small, 0];
  }
}

export function damaged(reason: string): StreamError {
  return new StreamError('STATE_DAMAGED', `saved operator state cannot be read: ${reason}`);
}
