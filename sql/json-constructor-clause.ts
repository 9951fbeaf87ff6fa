/** The names by which the clauses of SQL/JSON's constructors are arguments of their calls. */
import type { FunctionCall, TypeName } from './ast.ts';
import type { Span } from './base/error.ts';

export const ON_NULL = 'on null';
export const UNIQUE_KEYS = 'unique keys';
export const RETURNING = 'returning';
export const QUERY = 'query of array';

export const namedType = (name: string, span: Span): TypeName => ({
  name,
  modifiers: [],
  arrayDimensions: 0,
  span,
});

const constructors: ReadonlySet<string> = new Set([
  ...['json', 'json_array', 'json_arrayagg', 'json_object', 'json_objectagg', 'json_serialize'],
]);
const clauseNames: ReadonlySet<string> = new Set([ON_NULL, UNIQUE_KEYS, RETURNING, QUERY]);

/** Whether the call is written with a constructor's own syntax, and not as one of a function. */
export const isJsonConstructor = (call: FunctionCall): boolean =>
  call.name.parts.length === 1 &&
  constructors.has(call.name.parts[0]?.name ?? '') &&
  call.args.some(({ name }) => name !== undefined && clauseNames.has(name.name));
