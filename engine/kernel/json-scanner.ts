/**
 * JSON records to columns, without an object a record. Three tiers: templates of the usual member orders
 * (json-template.ts), a walk that takes members in any order (here), and exact readers for values whose
 * spelling the fast ones do not know (json-value.ts). Every record is validated to its end whatever is wanted of it.
 */
import type { RecordBatch } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import { Batch } from '../delta/batch.ts';
import { StringFill } from './column-fill.ts';
import { JsonField, type ScanField } from './json-field.ts';
import { TemplateSet } from './json-template-set.ts';
import { asciiLower, jsonString } from './json-value.ts';
import { CLOSE_OBJECT, COMMA, JsonWalker, OPEN_OBJECT } from './json-walker.ts';

export type { ScanField } from './json-field.ts';

/** Records off the template before one is generated: short streams never pay for a compilation. */
const MISSES_BEFORE_LEARNING = 32;
/** No template is learnt while less than one record in so many takes the second tier. */
const RARE_SHARE = 16;

export interface RecordError {
  readonly record: number;
  readonly error: StreamError;
}

export interface ScanResult {
  /** One column a field, in order; rows of bad records are left out. */
  readonly batch: Batch;
  /** Record number of each row; null = row r is record from + r. */
  readonly recordOf: Int32Array | null;
  readonly errors: readonly RecordError[];
  /** Records whose value is null (tombstones). They have a row only when the scanner was told so. */
  readonly nulls: readonly number[];
}

export interface JsonScanner {
  /** Scans records [from, to). Strings of the batch refer to the records' bytes. */
  scan(records: RecordBatch, from: number, to: number): ScanResult;
}

export interface ScanOptions {
  /** Null values give a row of NULLs, so that a table can read the key beside it. */
  readonly nullRows?: boolean | undefined;
  /**
   * For one field only: a record that is no object, or an object without that member, is the field's value
   * itself. Keys are written so.
   */
  readonly bare?: boolean | undefined;
}

export function compileJsonScanner(
  fields: readonly ScanField[],
  options: ScanOptions = {},
): JsonScanner {
  return new Scanner(fields, options);
}

const MISSING = -1;

class Scanner implements JsonScanner {
  readonly #fields: readonly JsonField[];
  readonly #nullRows: boolean;
  readonly #bare: boolean;
  readonly #walker = new JsonWalker();
  readonly #lowerNames: readonly Buffer[];
  /** Some names differ by case only (or not at all), so a member may be wanted twice. */
  readonly #ambiguous: boolean;
  // What the walk found of each field: where its value lies, and whether its name matched exactly.
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #exact: Uint8Array;
  readonly #escaped: Uint8Array;
  #next = 0;
  readonly #templates: TemplateSet;
  /** Good records on the second tier since a template was learnt; forgotten while they are rare. */
  #missed = 0;
  #slowRecords = 0;
  #records: RecordBatch | undefined;
  #errors: RecordError[] = [];
  #tombstones: number[] = [];
  /** The null bytes of all columns under construction. */
  #nulls: readonly Uint8Array[] = [];

  constructor(fields: readonly ScanField[], options: ScanOptions) {
    this.#fields = fields.map((field) => new JsonField(field));
    this.#templates = new TemplateSet(this.#fields, this.#walker);
    this.#nullRows = options.nullRows === true;
    this.#bare = options.bare === true;
    const lower = fields.map((field) => asciiLower(field.field));
    this.#lowerNames = lower.map((name) => Buffer.from(name));
    this.#ambiguous = new Set(lower).size < lower.length;
    this.#starts = new Int32Array(fields.length);
    this.#ends = new Int32Array(fields.length);
    this.#exact = new Uint8Array(fields.length);
    this.#escaped = new Uint8Array(fields.length);
  }

  scan(records: RecordBatch, from: number, to: number): ScanResult {
    const walker = this.#walker;
    walker.reset(records.bytes);
    this.#records = records;
    this.#errors = [];
    this.#tombstones = [];
    for (const { fill, spec } of this.#fields) {
      if (spec.isRead === false) fill.restart(to - from);
      else fill.begin(to - from);
      if (fill instanceof StringFill) fill.refersTo(records.bytes);
    }
    this.#nulls = this.#fields.map(({ fill }) => fill.nulls);
    const recordOf = new Int32Array(to - from);
    const rows = this.#scanAll(records, from, to, recordOf);
    const columns = this.#fields.map(({ fill }) => fill.finish(rows));
    this.#records = undefined;
    return {
      batch: new Batch(rows, columns, null),
      recordOf: rows === to - from ? null : recordOf,
      errors: this.#errors,
      nulls: this.#tombstones,
    };
  }

  #scanAll(records: RecordBatch, from: number, to: number, recordOf: Int32Array): number {
    const templates = this.#templates;
    const before = this.#slowRecords;
    let record = from;
    let row = 0;
    // Without a template the walk goes on until it has seen enough to learn one.
    for (; record < to && templates.isEmpty; record++) {
      if (this.#slow(record, row)) recordOf[row++] = record;
    }
    if (record < to) row = templates.scan(records, record, to, row, recordOf, this.#slow);
    const slow = this.#slowRecords - before;
    if (slow * RARE_SHARE <= to - from) this.#missed = 0;
    return row;
  }

  /** Learns from the record in hand, which was walked and found good. */
  #learn(start: number, end: number): void {
    this.#missed++;
    if (this.#missed < MISSES_BEFORE_LEARNING || !this.#templates.mayLearn) return;
    this.#missed = 0;
    this.#templates.learn(start, end, this.#starts);
  }

  /** One record by the second tier. @returns whether it gave a row. */
  readonly #slow = (record: number, row: number): boolean => {
    const records = this.#records as RecordBatch;
    const start = records.valueStarts[record] as number;
    const length = records.valueLengths[record] as number;
    this.#slowRecords++;
    // The first tier may have written a part of the row.
    for (let i = 0; i < this.#nulls.length; i++) (this.#nulls[i] as Uint8Array)[row] = 0;
    if (length < 0) {
      this.#tombstones.push(record);
      if (this.#nullRows) for (const { fill } of this.#fields) fill.setNull(row);
      return this.#nullRows;
    }
    try {
      const found = this.#find(start, start + length);
      // What lacks the only member is the value itself, which no template reads.
      const bare = this.#bare && (!found || this.#starts[0] === MISSING);
      if (bare) this.#findBare(start, start + length);
      else if (!found) throw this.#malformed(start, start + length);
      this.#read(row);
      if (!bare) this.#learn(start, start + length);
      return true;
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#errors.push({ record, error });
      for (const { fill } of this.#fields) fill.clear(row);
      return false;
    }
  };

  #read(row: number): void {
    const walker = this.#walker;
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i] as JsonField;
      const start = this.#starts[i] as number;
      if (start === MISSING) field.missing(row);
      else field.read(walker, start, this.#ends[i] as number, this.#escaped[i] === 1, row);
    }
  }

  /** Walks a whole record and notes the wanted values. @returns false when it is not one JSON object. */
  #find(start: number, end: number): boolean {
    const walker = this.#walker;
    const { bytes } = walker;
    walker.end = end;
    for (let i = 0; i < this.#starts.length; i++) {
      this.#starts[i] = MISSING;
      this.#exact[i] = 0;
    }
    this.#next = 0;
    let at = walker.space(start);
    if (at >= end || bytes[at] !== OPEN_OBJECT) {
      walker.fail(at);
      return false;
    }
    at = walker.space(at + 1);
    if (at < end && bytes[at] === CLOSE_OBJECT) return this.#onlySpace(at + 1);
    for (;;) {
      const keyStart = at;
      at = walker.key(at);
      if (at < 0) return false;
      const valueStart = at;
      const { keyEnd, keyEscaped } = walker;
      walker.escaped = false;
      at = walker.value(at);
      if (at < 0) return false;
      if (keyEscaped) {
        const name = Buffer.from(jsonString(bytes, keyStart, keyEnd + 1));
        this.#match(name, 0, name.length, valueStart, at, walker.escaped);
      } else {
        this.#match(bytes, keyStart + 1, keyEnd, valueStart, at, walker.escaped);
      }
      at = walker.space(at);
      if (at >= end) {
        walker.fail(at);
        return false;
      }
      if (bytes[at] === CLOSE_OBJECT) return this.#onlySpace(at + 1);
      if (bytes[at] !== COMMA) {
        walker.fail(at);
        return false;
      }
      at = walker.space(at + 1);
    }
  }

  #findBare(start: number, end: number): void {
    const walker = this.#walker;
    walker.end = end;
    walker.escaped = false;
    const from = walker.space(start);
    const to = walker.value(from);
    if (to < 0 || !this.#onlySpace(to)) throw this.#malformed(start, end);
    this.#set(0, from, to, walker.escaped);
  }

  #onlySpace(at: number): boolean {
    const walker = this.#walker;
    const rest = walker.space(at);
    if (rest === walker.end) return true;
    walker.fail(rest);
    return false;
  }

  /** The last member of a name wins; an exact name wins over one that differs by case. */
  #match(
    bytes: Buffer,
    start: number,
    end: number,
    valueStart: number,
    valueEnd: number,
    escaped: boolean,
  ): void {
    const count = this.#fields.length;
    let found = false;
    // Members mostly come in the order of the fields, so the search goes on where it last ended.
    for (let tried = 0, i = this.#next; tried < count; tried++, i = i + 1 === count ? 0 : i + 1) {
      if (!sameBytes((this.#fields[i] as JsonField).name, bytes, start, end)) continue;
      this.#set(i, valueStart, valueEnd, escaped);
      this.#exact[i] = 1;
      this.#next = i + 1 === count ? 0 : i + 1;
      found = true;
      if (!this.#ambiguous) return;
    }
    if (found && !this.#ambiguous) return;
    for (let i = 0; i < count; i++) {
      if (this.#exact[i] === 1) continue;
      if (!sameLowered(this.#lowerNames[i] as Buffer, bytes, start, end)) continue;
      this.#set(i, valueStart, valueEnd, escaped);
    }
  }

  #set(field: number, start: number, end: number, escaped: boolean): void {
    this.#starts[field] = start;
    this.#ends[field] = end;
    this.#escaped[field] = escaped ? 1 : 0;
  }

  #malformed(start: number, end: number): StreamError {
    const { fault, bytes } = this.#walker;
    const place = fault - start;
    let what = 'unexpected end';
    if (fault < end) {
      const byte = bytes[fault] as number;
      const shown =
        byte > 32 && byte < 127 ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16)}`;
      what = `unexpected ${shown} at byte ${place}`;
    }
    return new StreamError('RECORD_MALFORMED', `record is not a JSON object: ${what}`);
  }
}

function sameBytes(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}

function sameLowered(lowerName: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (lowerName.length !== end - start) return false;
  for (let i = 0; i < lowerName.length; i++) {
    const byte = bytes[start + i] as number;
    const lowered = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lowerName[i] !== lowered) return false;
  }
  return true;
}
