/** COPY's input as rows of a relation, each with the number of its line. */
import { compileScalar } from '../../engine/kernel/scalar.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { fromText } from '../../sql/base/text-input.ts';
import type { Zone } from '../../sql/base/timezone.ts';
import type { BoundCopyFrom } from '../../sql/bound-statement.ts';
import { bareName, compileConstraints, type FindViolation } from '../constraints.ts';
import { compileRow } from '../written-row.ts';
import {
  DEFAULT_MARK,
  decodeBytes,
  type Field,
  type FieldRules,
  splitCsv,
  splitText,
} from './fields.ts';
import { type Line, LineSplitter } from './line-splitter.ts';

/** Characters of a line or value that messages show, as in PostgreSQL. */
const SHOWN_CHARACTERS_MAX = 100;

export interface CopiedRow {
  readonly row: Row;
  /** Where an error about the row says that it comes from. */
  readonly place: string;
}

export class RowReader {
  readonly #copy: BoundCopyFrom;
  readonly #lines: LineSplitter;
  readonly #rules: FieldRules;
  readonly #row: (line: Row) => Row;
  readonly #defaults: readonly (((line: Row) => Datum | null) | undefined)[];
  readonly #where: ((row: Row) => Datum | null) | undefined;
  readonly #findViolation: FindViolation;
  readonly #nowMicros: bigint;
  readonly #zone: Zone;
  #hasHeader: boolean;
  #skipped = 0;

  constructor(copy: BoundCopyFrom, nowMicros: bigint, zone: Zone) {
    const { format, columns, relation } = copy;
    const isIn = (names: ReadonlySet<string> | 'all'): readonly boolean[] =>
      columns.map((column) => names === 'all' || names.has(relation.schema[column]?.name ?? ''));
    this.#copy = copy;
    this.#lines = new LineSplitter(format);
    this.#rules = {
      isNeverNull: isIn(format.forceNotNull),
      isNullQuoted: isIn(format.forceNull),
      takesDefault: (field) => this.#takesDefault(field),
    };
    this.#row = compileRow(copy);
    this.#defaults = copy.defaults.map((value) => value && compileScalar(value));
    this.#where = copy.where && compileScalar(copy.where);
    this.#findViolation = compileConstraints(relation);
    this.#nowMicros = nowMicros;
    this.#zone = zone;
    this.#hasHeader = format.header !== 'none';
  }

  /** Rows that ON_ERROR ignore has left out. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * @param chunk  one character a byte.
   * @throws StreamError RECORD_MALFORMED, VALUE_…, CONSTRAINT_…, with the line in its detail.
   */
  *read(chunk: string, isLast: boolean): Generator<CopiedRow> {
    const lines = this.#lines.push(chunk, isLast);
    for (;;) {
      let next: IteratorResult<Line>;
      try {
        next = lines.next();
      } catch (error) {
        throw placed(error, this.#place(this.#lines.number));
      }
      if (next.done === true) break;
      const copied = this.#takeLine(next.value);
      if (copied !== undefined) yield copied;
    }
    // A header that is asked for is missed, too, when there is nothing.
    if (isLast && this.#hasHeader) this.#takeHeader({ text: '', number: this.#lines.number });
  }

  #place(line: number): string {
    return `COPY ${bareName(this.#copy.relation)}, line ${line}`;
  }

  #takeLine(line: Line): CopiedRow | undefined {
    this.#requireText(line);
    if (this.#hasHeader) {
      this.#takeHeader(line);
      return undefined;
    }
    const place = this.#placeOf(line);
    try {
      const values = this.#values(this.#split(line.text), line.number);
      if (values === undefined) return undefined;
      const row = this.#row(values);
      if (this.#where !== undefined && this.#where(row) !== true) return undefined;
      const violation = this.#findViolation(row);
      if (violation !== undefined) throw violation;
      return { row, place: this.#place(line.number) };
    } catch (error) {
      throw placed(error, place);
    }
  }

  #placeOf({ number, text }: Line): string {
    return `${this.#place(number)}: "${shown(readable(text))}"`;
  }

  /** All of the input is text, also what is not looked at. */
  #requireText({ text, number }: Line): void {
    try {
      decodeBytes(text);
    } catch (error) {
      throw placed(error, this.#place(number));
    }
  }

  #takeHeader(line: Line): void {
    this.#hasHeader = false;
    if (this.#copy.format.header !== 'match') return;
    try {
      this.#matchHeader(this.#split(line.text));
    } catch (error) {
      throw placed(error, this.#placeOf(line));
    }
  }

  #split(text: string): Field[] {
    const { format } = this.#copy;
    const split = format.format === 'csv' ? splitCsv : splitText;
    return split(text, format, this.#rules).map((field) =>
      typeof field === 'string' ? decodeBytes(field) : field,
    );
  }

  #names(): readonly string[] {
    const { relation, columns } = this.#copy;
    return columns.map((column) => relation.schema[column]?.name ?? '');
  }

  #matchHeader(fields: readonly Field[]): void {
    const names = this.#names();
    if (fields.length !== names.length) {
      throw new StreamError(
        'RECORD_MALFORMED',
        `wrong number of fields in header line: got ${fields.length}, expected ${names.length}`,
      );
    }
    for (const [i, name] of names.entries()) {
      const field = fields[i];
      if (field === name) continue;
      const found =
        typeof field === 'string' ? `"${field}"` : `null value ("${this.#copy.format.nullText}")`;
      throw new StreamError(
        'RECORD_MALFORMED',
        `column name mismatch in header line field ${i + 1}: got ${found}, expected "${name}"`,
      );
    }
  }

  /** Undefined for a row that is left out because it cannot be read. */
  #values(fields: readonly Field[], line: number): Row | undefined {
    const { format, columns, relation } = this.#copy;
    if (fields.length > columns.length) {
      throw new StreamError('RECORD_MALFORMED', 'extra data after last expected column');
    }
    const values: (Datum | null)[] = [];
    for (const [i, index] of columns.entries()) {
      const field = fields[i];
      const column = relation.schema[index];
      // Only now: a column before it that cannot be read is told first.
      if (field === undefined) {
        throw new StreamError('RECORD_MALFORMED', `missing data for column "${column?.name}"`);
      }
      if (field === DEFAULT_MARK) {
        values.push(this.#defaults[i]?.([]) ?? null);
        continue;
      }
      if (field === null || column === undefined) {
        values.push(null);
        continue;
      }
      try {
        values.push(fromText(field, column.type, this.#nowMicros, this.#zone));
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        const place = `${this.#place(line)}, column ${column.name}: "${shown(field)}"`;
        if (!format.ignoresErrors) throw placed(error, place);
        this.#skip(place);
        return undefined;
      }
    }
    return values;
  }

  #skip(place: string): void {
    const { rejectLimit } = this.#copy.format;
    this.#skipped++;
    if (rejectLimit === undefined || this.#skipped <= rejectLimit) return;
    const error = new StreamError(
      'VALUE_INVALID_TEXT',
      `skipped more than REJECT_LIMIT (${rejectLimit}) rows due to data type incompatibility`,
    );
    throw placed(error, place);
  }

  /** @throws StreamError RECORD_MALFORMED. */
  #takesDefault(field: number): boolean {
    if (this.#defaults[field] !== undefined) return true;
    const name = this.#names()[field];
    if (name === undefined) return false;
    throw new StreamError('RECORD_MALFORMED', 'unexpected default marker in COPY data', {
      detail: `Column "${name}" has no default value.`,
    });
  }
}

/** @param bytes  one character a byte. */
const readable = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

const shown = (text: string): string =>
  text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text;

const places = new WeakSet<StreamError>();

/** The error with the place in its detail, once. */
export function placed(error: unknown, place: string): unknown {
  if (!(error instanceof StreamError) || places.has(error)) return error;
  const { code, message, hint, detail } = error;
  const told = new StreamError(code, message, {
    hint,
    detail: detail === undefined ? place : `${detail}\n${place}`,
    cause: error,
  });
  places.add(told);
  return told;
}
