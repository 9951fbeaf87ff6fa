/** Functions whose columns the query lists: `jsonb_to_recordset(x) AS t(a integer, b text)`. */
import type { FunctionCall, Identifier, TypeName } from './ast.ts';
import { StreamError } from './base/error.ts';
import { unknownFunction } from './bind-scalar.ts';
import type { Scope } from './bind-scope.ts';
import { bindTypeName } from './bind-type.ts';
import { tryCoerce } from './coerce.ts';
import type { TableCall } from './logical-plan.ts';

const recordFunctions: ReadonlySet<string> = new Set([
  ...['json_to_record', 'jsonb_to_record', 'json_to_recordset', 'jsonb_to_recordset'],
]);

export const recordFunctionNames: readonly string[] = [...recordFunctions];
export const isRecordFunction = (name: string): boolean => recordFunctions.has(name);

/** @throws StreamError SQL_SYNTAX without the list, or for a list that means nothing; SQL_UNKNOWN_FUNCTION. */
export function bindRecordFunction(
  call: FunctionCall,
  name: string,
  columns: readonly { readonly name: Identifier; readonly type: TypeName }[],
  scope: Scope,
): TableCall {
  const { context } = scope;
  if (!isRecordFunction(name)) {
    throw new StreamError(
      'SQL_SYNTAX',
      'a column definition list is only allowed for functions returning "record"',
      { at: columns[0]?.name.span ?? call.span },
    );
  }
  if (columns.length === 0) {
    throw new StreamError(
      'SQL_SYNTAX',
      'a column definition list is required for functions returning "record"',
      { at: call.span, hint: `Write ${name}(…) AS t(a integer, b text).` },
    );
  }
  const args = call.args.map((argument) => context.rules.expression(argument.value, scope));
  const [document] = args;
  const kind = name.startsWith('jsonb') ? 'jsonb' : 'json';
  const converted =
    args.length === 1 && document !== undefined
      ? tryCoerce(document, { kind }, 'implicit', context)
      : undefined;
  if (converted === undefined) {
    const types = args.map((arg) => arg.type);
    throw unknownFunction(name, types, call.span, [name]);
  }
  return {
    name,
    args: [converted],
    columns: columns.map((column) => ({
      name: column.name.name,
      type: bindTypeName(column.type, context),
      nullable: true,
    })),
  };
}
