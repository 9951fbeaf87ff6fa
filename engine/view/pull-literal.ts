/** Datums as DuckDB literals of exactly their type. */
import { assertNever } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { type Span, StreamError } from '../../sql/base/error.ts';
import type { Interval } from '../../sql/base/interval.ts';
import { digitCount, type Numeric } from '../../sql/base/numeric.ts';
import {
  DATE_INFINITY,
  type SqlType,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
} from '../../sql/base/type.ts';
import { textLiteral } from '../store/literal.ts';
import { computedForm, duckdbType } from '../store/stored-form.ts';
import type { Sql } from './pull-context.ts';

/** A row value. Not struct_pack: DuckDB loses its names when it takes a correlated subquery apart. */
export function rowOf(fields: readonly string[], type: SqlType): string {
  return `CAST(row(${fields.join(', ')}) AS ${computedType(type)})`;
}

/** DuckDB's type of a computed value. */
export function computedType(type: SqlType): string {
  return duckdbType(computedForm(type));
}

const DECIMAL_PRECISION_MAX = 37;

export function renderLiteral(value: Datum | null, type: SqlType): Sql {
  if (value !== null && type.kind === 'numeric') return numericLiteral(value as Numeric);
  return { text: literalText(value, type) };
}

/** As DECIMAL where it fits, so that comparing it with a DECIMAL column needs no text. */
function numericLiteral(value: Numeric): Sql {
  const precision = Math.max(digitCount(value.unscaled), value.scale + 1);
  if (!value.isFinite || precision > DECIMAL_PRECISION_MAX) {
    return { text: textLiteral(value.toString()) };
  }
  return {
    text: `CAST('${value}' AS DECIMAL(${precision + 1}, ${value.scale}))`,
    decimal: { precision, scale: value.scale, nan: false },
  };
}

function literalText(value: Datum | null, type: SqlType): string {
  if (value === null) return `CAST(NULL AS ${computedType(type)})`;
  switch (type.kind) {
    case 'boolean':
      return value === true ? 'TRUE' : 'FALSE';
    case 'smallint':
    case 'integer':
    case 'bigint':
      return `CAST(${value} AS ${computedType(type)})`;
    case 'real':
    case 'double':
    case 'enum':
      return `CAST('${Object.is(value, -0) ? '-0' : value}' AS ${computedType(type)})`;
    case 'numeric':
    case 'range':
      return textLiteral(String(value));
    case 'text':
    case 'varchar':
    case 'char':
    case 'json':
    case 'jsonb':
    case 'uuid':
    case 'unknown':
      if ((value as string).includes('\0')) {
        throw new StreamError('VALUE_INVALID_ENCODING', 'text cannot hold the character 0x00');
      }
      return textLiteral(value as string);
    case 'bytea':
      return `unhex('${Buffer.from(value as Uint8Array).toString('hex')}')`;
    case 'date':
      return dateText(value as number);
    case 'time':
      return `CAST('${timeText(value as bigint)}' AS TIME)`;
    case 'timestamp':
      return timestampText(value as bigint, 'TIMESTAMP');
    case 'timestamptz':
      return timestampText(value as bigint, 'TIMESTAMPTZ');
    case 'interval': {
      const { months, days, micros } = value as Interval;
      return `(to_months(${months}) + to_days(${days}) + to_microseconds(CAST(${micros} AS BIGINT)))`;
    }
    case 'array': {
      const elements = value as readonly (Datum | null)[];
      if (type.element.kind !== 'array' && type.element.kind !== 'row') {
        if (elements.some((item) => Array.isArray(item))) throw manyDimensions();
      }
      const items = elements.map((item) => literalText(item, type.element));
      return `CAST([${items.join(', ')}] AS ${computedType(type)})`;
    }
    case 'row': {
      const fields = type.fields.map((field, i) => {
        const item = (value as readonly (Datum | null)[])[i] ?? null;
        return literalText(item, field.type);
      });
      return rowOf(fields, type);
    }
    default:
      return assertNever(type);
  }
}

/** The store's lists have one dimension, and a query's values pass through it. */
export function manyDimensions(at?: Span): StreamError {
  return new StreamError('SQL_NOT_SUPPORTED', 'arrays of several dimensions are not supported', {
    at,
    hint: 'Use jsonb, or an array of rows.',
  });
}

function dateText(days: number): string {
  if (days === DATE_INFINITY) return "CAST('infinity' AS DATE)";
  if (days === -DATE_INFINITY) return "CAST('-infinity' AS DATE)";
  return `(DATE '1970-01-01' + CAST(${days} AS INTEGER))`;
}

function timestampText(micros: bigint, type: 'TIMESTAMP' | 'TIMESTAMPTZ'): string {
  if (micros === TIMESTAMP_INFINITY) return `CAST('infinity' AS ${type})`;
  if (micros === TIMESTAMP_NEGATIVE_INFINITY) return `CAST('-infinity' AS ${type})`;
  const timestamp = `make_timestamp(CAST(${micros} AS BIGINT))`;
  return type === 'TIMESTAMP' ? timestamp : `CAST(${timestamp} AS TIMESTAMPTZ)`;
}

function timeText(micros: bigint): string {
  const seconds = micros / 1_000_000n;
  const two = (part: bigint) => String(part).padStart(2, '0');
  const fraction = String(micros % 1_000_000n).padStart(6, '0');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}.${fraction}`;
}
