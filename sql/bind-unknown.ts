/** Calls whose type would follow from an argument that has none: an untyped literal. */
import { type Span, StreamError } from './base/error.ts';
import type { SqlType } from './base/type.ts';

/**
 * Functions over PostgreSQL's anyelement and anyarray, with their number of arguments: the first one decides the
 * type. Others take "any", which an untyped literal is, or anycompatible types, which fall back to text.
 */
const decidedByFirst: ReadonlySet<string> = new Set([
  ...['to_json/1', 'to_jsonb/1', 'array_to_json/1', 'array_to_json/2'],
  ...['array_length/2', 'array_lower/2', 'array_upper/2', 'array_ndims/1', 'array_dims/1'],
  ...['cardinality/1', 'array_to_string/2', 'array_to_string/3', 'array_fill/2', 'array_fill/3'],
  ...['trim_array/2', 'array_reverse/1', 'array_sort/1', 'array_sort/2', 'array_sort/3'],
  ...['array_shuffle/1', 'array_sample/2', 'generate_subscripts/2', 'generate_subscripts/3'],
  ...['array_length/1', 'array_distinct/1', 'array_max/1', 'array_min/1'],
  ...['slice/3', 'element_at/2'],
  ...[
    'json_agg/1',
    'jsonb_agg/1',
    'json_agg_strict/1',
    'jsonb_agg_strict/1',
    'any_value/1',
    'mode/1',
    'percentile_disc/2',
  ],
  ...['first_value/1', 'last_value/1', 'nth_value/2', 'lag/1', 'lag/2', 'lead/1', 'lead/2'],
]);

/** @throws StreamError SQL_DATATYPE_MISMATCH when PostgreSQL could not tell the type of the call. */
export function refuseUnknown(name: string, types: readonly SqlType[], at: Span): void {
  if (types[0]?.kind !== 'unknown' || !decidedByFirst.has(`${name}/${types.length}`)) return;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    'could not determine polymorphic type because input has type unknown',
    { at, hint: 'Cast the literal to the type that is meant.' },
  );
}
