/**
 * JSON_OBJECT, JSON_ARRAY, JSON_OBJECTAGG, JSON_ARRAYAGG, JSON and JSON_SERIALIZE with their clauses, each read as the call of
 * PostgreSQL's functions that means the same.
 */
import type { Expression, FunctionCall } from './ast.ts';
import { fill } from './dialect/template.ts';
import {
  isJsonConstructor,
  ON_NULL,
  QUERY,
  RETURNING,
  UNIQUE_KEYS,
} from './json-constructor-clause.ts';
import { callOf } from './parser-call.ts';

interface Read {
  readonly call: FunctionCall;
  readonly values: readonly Expression[];
  readonly absent: boolean;
  readonly unique: boolean;
  /** Its result is jsonb without a cast. */
  readonly canonical: boolean;
}

/** @returns undefined for any other call. */
export function readJsonConstructor(call: FunctionCall, name: string): Expression | undefined {
  if (!isJsonConstructor(call)) return undefined;
  const { span } = call;
  const clause = (wanted: string): Expression | undefined =>
    call.args.find((argument) => argument.name?.name === wanted)?.value;
  const nulls = clause(ON_NULL);
  const returning = clause(RETURNING);
  const type = returning?.kind === 'cast' ? returning.type : undefined;
  const values = call.args.filter((one) => one.name === undefined).map(({ value }) => value);
  const absent = nulls?.kind === 'string' && nulls.value === 'absent';
  const unique = clause(UNIQUE_KEYS) !== undefined;
  const query = clause(QUERY);
  const read: Read = { call, values, absent, unique, canonical: type?.name === 'jsonb' };
  const document = query === undefined ? readValues(name, read) : readQuery(query, call);
  if (type === undefined || type.name === 'json') return document;
  if (type.name === 'bytea') return fill("convert_to($1::text, 'UTF8')", [document], span);
  return { kind: 'cast', operand: document, type, try: false, span };
}

function readValues(name: string, { call, values, absent, unique, canonical }: Read): Expression {
  const { span } = call;
  const prefix = canonical ? 'jsonb' : 'json';
  switch (name) {
    case 'json_objectagg':
    case 'json_arrayagg': {
      const kind = name === 'json_arrayagg' ? 'agg' : 'object_agg';
      const fn = `${prefix}_${kind}${unique ? '_unique' : ''}${absent ? '_strict' : ''}`;
      const { orderBy, filter, over } = call;
      return { ...callOf(fn, values, span), orderBy, filter, over };
    }
    case 'json_object': {
      if (!absent && !unique) return callOf(`${prefix}_build_object`, values, span);
      const flags = [absent, unique].map((value): Expression => ({ kind: 'boolean', value, span }));
      return callOf('json_object_of', [...flags, ...values], span);
    }
    case 'json_array':
      return callOf(absent ? 'json_array' : 'json_build_array', values, span);
    case 'json':
      return callOf('json_unique_keys', [callOf('json', values, span)], span);
    default:
      return callOf('json_serialize', values, span);
  }
}

/** The rows in the order of the query; NULL when there are none. */
const readQuery = (rows: Expression, { span }: FunctionCall): Expression =>
  fill(
    '(SELECT json_agg_strict(v ORDER BY n) FROM unnest($1) WITH ORDINALITY AS u (v, n))',
    [rows],
    span,
  );
