/** What the functions without fixed types take and give, for SHOW FUNCTIONS and the docs. */
import { jsonAggregateRows } from './aggregate-json.ts';
import { rangeSignatures } from './range.ts';
import type { ScalarFunction } from './scalar-function.ts';

export interface PolymorphicSignature {
  readonly name: string;
  readonly kind: 'scalar' | 'aggregate';
  /** In PostgreSQL's words: anyelement and anyarray are of one type, any is free. */
  readonly parameters: string;
  readonly result: string;
  readonly description: string;
  readonly family: ScalarFunction['family'] | 'aggregate';
}

type Row = readonly [name: string, parameters: string, result: string, description: string];

const conditional: readonly Row[] = [
  ['greatest', 'anyelement, …', 'anyelement', 'greatest of its arguments, NULLs ignored'],
  ['least', 'anyelement, …', 'anyelement', 'least of its arguments, NULLs ignored'],
  [
    'nullif',
    'anyelement, anyelement',
    'anyelement',
    'NULL when both arguments are equal, else the first',
  ],
  ['num_nulls', 'any, …', 'integer', 'number of arguments that are NULL'],
  ['num_nonnulls', 'any, …', 'integer', 'number of arguments that are not NULL'],
];

const string: readonly Row[] = [
  ['concat', 'any, …', 'text', 'arguments one after the other, NULLs left out'],
  ['concat_ws', 'text, any, …', 'text', 'arguments with a separator, NULLs left out'],
  ['format', 'text, any, …', 'text', 'text with %s, %I and %L replaced'],
];

const json: readonly Row[] = [
  ['to_jsonb', 'any', 'jsonb', 'value as a JSON document'],
  ['to_json', 'any', 'json', 'value as a JSON document'],
  ['row_to_json', 'record [, boolean]', 'json', 'row as a JSON object; true: a member a line'],
  ...['json', 'jsonb'].map(
    (kind): Row => [
      `${kind}_populate_record`,
      `record, ${kind}`,
      'record',
      'row whose attributes are the members of an object, else those of the row',
    ],
  ),
  ['jsonb_build_object', 'any, …', 'jsonb', 'object of alternating keys and values'],
  ['json_build_object', 'any, …', 'json', 'object of alternating keys and values'],
  ['jsonb_build_array', 'any, …', 'jsonb', 'array of the arguments'],
  ['json_build_array', 'any, …', 'json', 'array of the arguments'],
  ['json_array', 'any, …', 'json', 'array of the arguments that are not NULL'],
  [
    'json_object_of',
    'boolean, boolean, any, …',
    'json',
    'object of alternating keys and values; true: without values that are NULL; true: a key that comes twice is an error',
  ],
  ['json_scalar', 'any', 'json', 'scalar as a JSON document'],
  [
    'jsonb_populate_record_valid',
    'record, jsonb',
    'boolean',
    'whether jsonb_populate_record has a value',
  ],
  ['json_serialize', 'json', 'text', 'document as text'],
];

const array: readonly Row[] = [
  ['array_length', 'anyarray, integer', 'integer', 'number of elements along a dimension'],
  ['array_length', 'anyarray', 'integer', 'number of elements, 0 for none'],
  ['cardinality', 'anyarray', 'integer', 'number of elements'],
  [
    'array_contains',
    'anyarray, anyelement',
    'boolean',
    'is a value, also NULL, among the elements',
  ],
  ['array_distinct', 'anyarray', 'anyarray', 'elements, each once, in their order'],
  ['array_union', 'anyarray, anyarray', 'anyarray', 'elements of both arrays, each once'],
  ['array_intersect', 'anyarray, anyarray', 'anyarray', 'elements in both arrays, each once'],
  ['array_except', 'anyarray, anyarray', 'anyarray', 'elements not in the second array, each once'],
  ['array_max', 'anyarray', 'anyelement', 'greatest element, NULLs left out'],
  ['array_min', 'anyarray', 'anyelement', 'least element, NULLs left out'],
  [
    'slice',
    'anyarray, integer, integer',
    'anyarray',
    'elements from one subscript to another; NULL is an open end, a bound outside gives NULL',
  ],
  [
    'element_at',
    'anyarray, integer',
    'anyelement',
    'element of an array, below 0 from its end; NULL when there is none',
  ],
  ['array_ndims', 'anyarray', 'integer', 'number of dimensions'],
  ['array_lower', 'anyarray, integer', 'integer', 'first subscript of a dimension'],
  ['array_upper', 'anyarray, integer', 'integer', 'last subscript of a dimension'],
  ['array_append', 'anyarray, anyelement', 'anyarray', 'array with an element behind'],
  ['array_prepend', 'anyelement, anyarray', 'anyarray', 'array with an element in front'],
  ['array_cat', 'anyarray, anyarray', 'anyarray', 'arrays one behind the other'],
  [
    'array_remove',
    'anyarray, anyelement',
    'anyarray',
    'array without the elements equal to a value',
  ],
  [
    'array_replace',
    'anyarray, anyelement, anyelement',
    'anyarray',
    'array with every element equal to a value replaced',
  ],
  [
    'array_position',
    'anyarray, anyelement [, integer]',
    'integer',
    'subscript of the first element equal to a value',
  ],
  [
    'array_positions',
    'anyarray, anyelement',
    'integer[]',
    'subscripts of all elements equal to a value',
  ],
  ['array_to_string', 'anyarray, text [, text]', 'text', 'elements joined by a delimiter'],
  ['trim_array', 'anyarray, integer', 'anyarray', 'array without its last elements'],
  ['array_reverse', 'anyarray', 'anyarray', 'elements in reverse order'],
  ['array_sort', 'anyarray', 'anyarray', 'elements in order, NULLs last'],
  [
    'array_sort',
    'anyarray, boolean [, boolean]',
    'anyarray',
    'elements in order; true: the largest first, NULLs first',
  ],
  ['array_dims', 'anyarray', 'text', 'bounds of the dimensions as text'],
  ['array_fill', 'anyelement, integer[]', 'anyarray', 'array of one value in given dimensions'],
  ['array_shuffle', 'anyarray', 'anyarray', 'elements in a random order'],
  ['array_sample', 'anyarray, integer', 'anyarray', 'so many elements chosen at random'],
  [
    'array_to_json',
    'anyarray [, boolean]',
    'json',
    'array as a JSON document; true: an element a line',
  ],
  [
    'width_bucket',
    'anyelement, anyarray',
    'integer',
    'number of the bucket between ascending thresholds',
  ],
  ['map_keys', 'map', 'anyarray', 'keys of a map, in their order'],
  ['map_values', 'map', 'anyarray', 'values of a map, in the order of the keys'],
  ['map_entries', 'map', 'anyarray', 'entries of a map as rows (key, value)'],
  ['map_union', 'map, …', 'map', 'entries of all maps; of those with one key the last'],
  ...['map_from_arrays', 'as_map'].map(
    (name): Row => [name, 'anyarray, anyarray', 'map', 'map of keys to the values at their places'],
  ),
  ['@>', 'anyarray, anyarray', 'boolean', 'does the first contain all of the second'],
  ['<@', 'anyarray, anyarray', 'boolean', 'are all elements of the first in the second'],
  ['&&', 'anyarray, anyarray', 'boolean', 'have they an element in common'],
];

const enumeration: readonly Row[] = [
  ['enum_first', 'anyenum', 'anyenum', 'first value of an enum type'],
  ['enum_last', 'anyenum', 'anyenum', 'last value of an enum type'],
  ['enum_range', 'anyenum', 'anyarray', 'all values of an enum type in their order'],
  [
    'enum_range',
    'anyenum, anyenum',
    'anyarray',
    'values of an enum type from one to another; NULL is an open end',
  ],
];

const aggregate: readonly Row[] = [
  ['count', 'any', 'bigint', 'number of values that are not NULL'],
  ['min', 'anyarray', 'anyarray', 'least value'],
  ['max', 'anyarray', 'anyarray', 'greatest value'],
  ['range_intersect_agg', 'anyrange', 'anyrange', 'what all ranges have in common'],
  ['any_value', 'anyelement', 'anyelement', 'one of the values'],
  ['histogram', 'text', 'map<text, bigint>', 'map of each text to how often it occurs'],
  ...(['arg_max', 'max_by'] as const).map(
    (name): Row => [
      name,
      'anyelement, any',
      'anyelement',
      'value of the row whose second argument is greatest',
    ],
  ),
  ...(['arg_min', 'min_by'] as const).map(
    (name): Row => [
      name,
      'anyelement, any',
      'anyelement',
      'value of the row whose second argument is least',
    ],
  ),
  ['array_agg', 'anyelement', 'anyarray', 'values as an array, NULLs too'],
  ...jsonAggregateRows,
  [
    'mode',
    'ORDER BY anyelement',
    'anyelement',
    'most frequent value, written `mode() WITHIN GROUP (ORDER BY x)`',
  ],
  [
    'percentile_disc',
    'double precision ORDER BY anyelement',
    'anyelement',
    'first value at or behind a fraction of the order, written `percentile_disc(0.5) WITHIN GROUP (ORDER BY x)`; also for an array of fractions',
  ],
  [
    'percentile_cont',
    'double precision ORDER BY double precision',
    'double precision',
    'value at a fraction of the order, interpolated; also over intervals, and for an array of fractions',
  ],
  [
    'rank',
    'any ORDER BY any',
    'bigint',
    'place that a value would have, written `rank(1) WITHIN GROUP (ORDER BY x)`; so dense_rank, percent_rank, cume_dist',
  ],
];

function table(
  family: PolymorphicSignature['family'],
  rows: readonly Row[],
): readonly PolymorphicSignature[] {
  const kind = family === 'aggregate' ? 'aggregate' : 'scalar';
  return rows.map(([name, parameters, result, description]) => ({
    name,
    kind,
    parameters,
    result,
    description,
    family,
  }));
}

export const polymorphicSignatures: readonly PolymorphicSignature[] = [
  ...table('conditional', conditional),
  ...table('string', string),
  ...table('json', json),
  ...table('array', array),
  ...table('enum', enumeration),
  ...table('range', rangeSignatures),
  ...table('aggregate', aggregate),
];
