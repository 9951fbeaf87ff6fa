/**
 * How the store holds values of each SQL type. DuckDB's types are used where they hold the same values;
 * a numeric without declared limits (or with more than 37 digits) is its PostgreSQL text, which keeps display
 * scale, NaN and infinities; a range is its text. No DuckDB import: the SQL renderer reads this too.
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { SqlType } from '../../sql/base/type.ts';

export type StoredForm =
  | {
      readonly kind:
        | 'boolean'
        | 'smallint'
        | 'integer'
        | 'bigint'
        | 'real'
        | 'double'
        | 'numeric-text'
        | 'text'
        | 'bytes'
        | 'date'
        | 'time'
        | 'timestamp'
        | 'timestamptz'
        | 'interval';
    }
  /**
   * numeric(precision, scale) as DECIMAL(precision + 1, scale). The extra digit makes room for NaN, which numeric(p, s)
   * allows: it is 10^precision, greater than every number as in PostgreSQL's order.
   */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly element: StoredForm }
  | { readonly kind: 'struct'; readonly fields: readonly StoredForm[] };

/** DuckDB's widest DECIMAL has 38 digits, and NaN takes one. */
const DECIMAL_PRECISION_MAX = 37;

const TEXT: StoredForm = { kind: 'text' };

/** The form of a column of this type in a stored table. */
export function storedForm(type: SqlType): StoredForm {
  if (type.kind === 'numeric' && type.precision !== undefined) {
    const scale = type.scale ?? 0;
    if (type.precision <= DECIMAL_PRECISION_MAX && scale >= 0 && scale <= type.precision) {
      return { kind: 'decimal', precision: type.precision, scale };
    }
  }
  return computedForm(type);
}

/**
 * The form of a computed value of this type: as stored, but every numeric is text. Also that of the elements of
 * stored arrays and rows, so that these need no care of their own.
 */
export function computedForm(type: SqlType): StoredForm {
  switch (type.kind) {
    case 'boolean':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'real':
    case 'double':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'interval':
      return { kind: type.kind };
    case 'numeric':
      return { kind: 'numeric-text' };
    case 'text':
    case 'varchar':
    case 'char':
    case 'json':
    case 'jsonb':
    case 'uuid':
    case 'range':
    case 'unknown':
      return TEXT;
    case 'bytea':
      return { kind: 'bytes' };
    case 'enum':
      return { kind: 'double' };
    case 'array':
      return { kind: 'list', element: computedForm(type.element) };
    case 'row':
      return { kind: 'struct', fields: type.fields.map((field) => computedForm(field.type)) };
    default:
      return assertNever(type);
  }
}

const plainTypes = {
  boolean: 'BOOLEAN',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  real: 'FLOAT',
  double: 'DOUBLE',
  'numeric-text': 'VARCHAR',
  text: 'VARCHAR',
  bytes: 'BLOB',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  interval: 'INTERVAL',
} as const;

/** DuckDB's spelling of a form. */
export function duckdbType(form: StoredForm): string {
  switch (form.kind) {
    case 'decimal':
      return `DECIMAL(${form.precision + 1}, ${form.scale})`;
    case 'list':
      return `${duckdbType(form.element)}[]`;
    case 'struct':
      return `STRUCT(${form.fields.map((field, i) => `f${i} ${duckdbType(field)}`).join(', ')})`;
    default:
      return plainTypes[form.kind];
  }
}

/** The unscaled integer that stands for NaN in a decimal form. */
export function decimalNaN(form: StoredForm & { readonly kind: 'decimal' }): bigint {
  return 10n ** BigInt(form.precision);
}
