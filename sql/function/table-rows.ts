/** The rows of set-returning functions, as PostgreSQL gives them: for views and for queries alike. */

import { arrayLengths, flattenArray } from '../base/array-shape.ts';
import { assert } from '../base/assert.ts';
import type { Datum, Row } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { type Interval, intervalSpan } from '../base/interval.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonValue,
  jsonChildren,
  jsonToText,
  parseJson,
  sortedEntries,
} from '../base/json.ts';
import { Numeric } from '../base/numeric.ts';
import { utc, type Zone, zoneByName } from '../base/timezone.ts';
import type { Schema, SqlType } from '../base/type.ts';
import { jsonPathRows } from './json-path.ts';
import { jsonRecord, jsonRecords } from './json-record.ts';
import { regexpMatches, regexpSplit } from './pattern.ts';
import { shiftInZone } from './zone-shift.ts';

/** Not a function's name: one row of the arguments, for an ordinary function in FROM. */
export const ONE_ROW = 'row';

/** Not a function's name: the arguments are the cells of VALUES, row by row. */
export const MANY_ROWS = 'values';

/** Before a function's name: its rows are values of one column. */
export const WHOLE_ROWS = 'row of ';

/** Rows that one call may give; they are all in memory at once. */
export const ROWS_PER_CALL_MAX = 1_000_000;

type Args = readonly (Datum | null)[];
type TableFunction = (args: Args, types: readonly SqlType[], columns: Schema) => Iterable<Row>;

/** One call of a set-returning function, apart from its arguments' values. */
export interface TableFunctionCall {
  readonly name: string;
  readonly types: readonly SqlType[];
  readonly columns: Schema;
}

/**
 * The rows of calls side by side: the shorter ones go on with NULLs.
 * @param args        of each call.
 * @param ordinality  whether a last bigint column counts the rows from 1.
 * @throws StreamError VALUE_PROGRAM_LIMIT for too many rows, and whatever the functions' arguments earn.
 */
export function tableFunctionRows(
  calls: readonly TableFunctionCall[],
  args: readonly Args[],
  ordinality: boolean,
): readonly Row[] {
  const lists = calls.map((call, i) => callRows(call, args[i] as Args));
  const [only] = lists;
  if (only !== undefined && lists.length === 1 && !ordinality) return only;
  const length = Math.max(...lists.map((list) => list.length));
  const rows: Row[] = [];
  for (let r = 0; r < length; r++) {
    const row = lists.flatMap(
      (list, i) => list[r] ?? missing((calls[i] as TableFunctionCall).columns.length),
    );
    if (ordinality) row.push(BigInt(r + 1));
    rows.push(row);
  }
  return rows;
}

const missing = (width: number): Row => new Array<null>(width).fill(null);

function populated([base, text]: Args, columns: Schema, kind: string): readonly Row[] {
  if (text === null || text === undefined) return [];
  return jsonRecords(
    text as string,
    columns,
    `${kind}_populate_recordset`,
    base as Row | null | undefined,
  );
}

/** Called on NULLs; of the others one NULL argument gives no rows. */
const lenient: ReadonlySet<string> = new Set([
  ...['unnest', 'string_to_table', 'json_populate_recordset', 'jsonb_populate_recordset'],
  ...[ONE_ROW, MANY_ROWS],
]);

function callRows({ name, types, columns }: TableFunctionCall, args: Args): readonly Row[] {
  if (name.startsWith(WHOLE_ROWS)) {
    const type = columns[0]?.type;
    assert(type?.kind === 'row', 'the column holds rows');
    const call = { name: name.slice(WHOLE_ROWS.length), types, columns: type.fields };
    return callRows(call, args).map((row) => [row]);
  }
  const fn = tableFunctions[name];
  assert(fn !== undefined, `table function ${name}`);
  if (!lenient.has(name) && args.includes(null)) return [];
  const rows: Row[] = [];
  for (const row of fn(args, types, columns)) {
    if (rows.length === ROWS_PER_CALL_MAX) {
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `${name} gives more than ${ROWS_PER_CALL_MAX} rows`,
      );
    }
    rows.push(row);
  }
  return rows;
}

const one = (values: Iterable<Datum | null>): Row[] => Array.from(values, (value) => [value]);

const tableFunctions: Readonly<Record<string, TableFunction | undefined>> = {
  generate_series: (args, types) => {
    switch (types[0]?.kind) {
      case 'numeric':
        return numericSeries(args as readonly Numeric[]);
      case 'timestamp':
      case 'timestamptz':
        return timeSeries(
          args[0] as bigint,
          args[1] as bigint,
          args[2] as Interval,
          args.length > 3 ? zoneByName(args[3] as string) : utc,
        );
      default:
        return integerSeries(args as readonly (number | bigint)[]);
    }
  },
  generate_subscripts: ([array, dimension, reverse]) => {
    const length = arrayLengths(array as readonly Datum[])[Number(dimension) - 1] ?? 0;
    const subscripts = Array.from({ length }, (_, i) => i + 1);
    return one(reverse === true ? subscripts.reverse() : subscripts);
  },
  [ONE_ROW]: (args) => [args],
  [MANY_ROWS]: (args, _, { length: width }) =>
    Array.from({ length: args.length / width }, (__, row) =>
      args.slice(row * width, (row + 1) * width),
    ),
  unnest: (args, types) => unnest(args, types),
  jsonb_array_elements: ([json]) => one(elements(json, 'elements from').map(jsonToText)),
  jsonb_array_elements_text: ([json]) => one(elements(json, 'elements from').map(jsonText)),
  jsonb_each: ([json]) => members(json).map(([key, value]) => [key, jsonToText(value)]),
  jsonb_each_text: ([json]) => members(json).map(([key, value]) => [key, jsonText(value)]),
  jsonb_object_keys: ([json]) => one(members(json).map(([key]) => key)),
  json_array_elements: ([json]) => one(items(json as string)),
  json_array_elements_text: ([json]) => one(items(json as string).map(jsonPartText)),
  json_each: ([json]) => entries(json as string),
  json_each_text: ([json]) =>
    entries(json as string).map(([key, value]) => [key, jsonPartText(value)]),
  jsonb_path_query: (args) => jsonPathRows(args),
  json_object_keys: ([json]) => one(entries(json as string).map(([key]) => key)),
  regexp_split_to_table: ([text, pattern, flags]) =>
    one(
      regexpSplit(
        text as string,
        pattern as string,
        (flags ?? '') as string,
        'regexp_split_to_table',
      ),
    ),
  regexp_matches: ([text, pattern, flags]) =>
    one(regexpMatches(text as string, pattern as string, (flags ?? '') as string)),
  string_to_table: (args) => stringToTable(args),
  json_populate_recordset: (args, _, columns) => populated(args, columns, 'json'),
  jsonb_populate_recordset: (args, _, columns) => populated(args, columns, 'jsonb'),
  json_to_record: ([json], _, columns) => [jsonRecord(json as string, columns)],
  jsonb_to_record: ([json], _, columns) => [jsonRecord(json as string, columns)],
  json_to_recordset: ([json], _, columns) =>
    jsonRecords(json as string, columns, 'json_to_recordset'),
  jsonb_to_recordset: ([json], _, columns) =>
    jsonRecords(json as string, columns, 'jsonb_to_recordset'),
};

function zeroStep(): StreamError {
  return new StreamError('VALUE_INVALID_PARAMETER', 'step size cannot equal zero');
}

function* integerSeries([start, stop, step]: readonly (number | bigint)[]): Generator<Row> {
  assert(start !== undefined && stop !== undefined, 'a series has two ends');
  const small = typeof start === 'number';
  const by = BigInt(step ?? 1);
  if (by === 0n) throw zeroStep();
  const end = BigInt(stop);
  for (let at = BigInt(start); by > 0n ? at <= end : at >= end; at += by) {
    yield [small ? Number(at) : at];
  }
}

function* numericSeries(args: readonly Numeric[]): Generator<Row> {
  const [start, stop, step = Numeric.one] = args;
  assert(start !== undefined && stop !== undefined, 'a series has two ends');
  (['start', 'stop', 'step size'] as const).forEach((part, i) => {
    const value = args[i];
    if (value === undefined || value.isFinite) return;
    const what = value.isNaN ? 'NaN' : 'infinity';
    throw new StreamError('VALUE_INVALID_PARAMETER', `${part} value cannot be ${what}`);
  });
  if (step.sign === 0) throw zeroStep();
  const last = step.sign;
  for (let at = start; at.compare(stop) !== last; at = at.add(step)) yield [at];
}

function* timeSeries(start: bigint, stop: bigint, step: Interval, zone: Zone): Generator<Row> {
  const span = intervalSpan(step);
  if (span === 0n) throw zeroStep();
  for (let at = start; span > 0n ? at <= stop : at >= stop; at = shiftInZone(at, step, zone)) {
    yield [at];
  }
}

/** Arrays side by side; the shorter ones go on with NULLs. An array of rows gives their attributes. */
function* unnest(args: Args, types: readonly SqlType[]): Generator<Row> {
  const arrays = args.map((arg, a) => {
    const items = (arg ?? []) as readonly (Datum | null)[];
    const type = types[a];
    return flattenArray(items, type?.kind === 'array' ? type.element : undefined);
  });
  const length = Math.max(...arrays.map((array) => array.length));
  for (let i = 0; i < length; i++) {
    yield arrays.flatMap((array, a): readonly (Datum | null)[] => {
      const type = types[a];
      const item = array[i] ?? null;
      if (type?.kind !== 'array' || type.element.kind !== 'row') return [item];
      return item === null
        ? type.element.fields.map(() => null)
        : (item as readonly (Datum | null)[]);
    });
  }
}

function elements(json: Datum | null | undefined, what: string): readonly JsonValue[] {
  const value = parseJson(json as string);
  if (isJsonArray(value)) return value;
  const kind = isJsonObject(value) ? 'an object' : 'a scalar';
  throw new StreamError('VALUE_INVALID_PARAMETER', `cannot extract ${what} ${kind}`);
}

function members(json: Datum | null | undefined): [string, JsonValue][] {
  const value = parseJson(json as string);
  if (isJsonObject(value)) return sortedEntries(value);
  const kind = isJsonArray(value) ? 'an array' : 'a non-object';
  throw new StreamError('VALUE_INVALID_PARAMETER', `cannot deconstruct ${kind}`);
}

/** A string without its quotes, NULL for null, other JSON as it is. */
function jsonText(value: JsonValue): string | null {
  if (value === null) return null;
  return typeof value === 'string' ? value : jsonToText(value);
}

function jsonPartText(text: string): string | null {
  const value = text.trimStart().startsWith('"') ? parseJson(text) : undefined;
  if (typeof value === 'string') return value;
  return text.trim() === 'null' ? null : text;
}

function items(json: string): readonly string[] {
  const children = jsonChildren(json);
  if (children?.kind === 'array') return children.items;
  const kind = children === undefined ? 'a scalar' : 'an object';
  throw new StreamError('VALUE_INVALID_PARAMETER', `cannot call json_array_elements on ${kind}`);
}

/** A key may come again. */
function entries(json: string): readonly (readonly [string, string])[] {
  const children = jsonChildren(json);
  if (children?.kind === 'object') return children.members;
  const kind = children === undefined ? 'a scalar' : 'an array';
  throw new StreamError('VALUE_INVALID_PARAMETER', `cannot deconstruct ${kind}`);
}

function stringToTable([text, separator, nullText]: Args): Row[] {
  if (text === null || text === undefined || text === '') return [];
  const whole = text as string;
  const parts =
    separator === null ? [...whole] : separator === '' ? [whole] : whole.split(separator as string);
  return one(parts.map((part) => (part === nullText ? null : part)));
}
