/** Who uses a user-defined type: relations and other types, and what of it they depend on. */
import type { TypeName } from '../sql/ast.ts';
import type { EnumType } from '../sql/base/enum-type.ts';
import { StreamError } from '../sql/base/error.ts';
import { someObject } from '../sql/base/some-object.ts';
import { type Schema, type SqlType, someType } from '../sql/base/type.ts';
import { signatureOf } from '../sql/bind-routine.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import { findUserType } from '../sql/bind-type.ts';
import type { Catalog, UserType } from '../sql/catalog.ts';
import { parseStatement } from '../sql/parser.ts';
import type { Routine } from '../sql/routine.ts';
import type { Core } from './core.ts';
import { sourceEnvironment } from './ddl.ts';
import { dependentsOf } from './function/function-dependents.ts';
import type { LiveRelation } from './live-catalog.ts';
import { statementContext } from './statement-context.ts';

export interface TypeUser {
  readonly entry: LiveRelation;
  /** Columns of the type, of arrays of it and of rows with it, when the relation declares columns. */
  readonly columns: readonly string[];
}

/** Functions that name the type in their statement, bodies too, and those that call them. */
export function routinesWith(core: Core, type: UserType): readonly Routine[] {
  const none = settingsOf(undefined);
  const found = core.catalog.routines
    .all()
    .filter(({ sql }) => namesType(routineTree(sql), type, core.catalog, none));
  // The list grows while it is read.
  for (const routine of found) {
    for (const dependent of dependentsOf(core, routine)) {
      if (dependent.kind !== 'routine' || found.includes(dependent.routine)) continue;
      found.push(dependent.routine);
    }
  }
  return found;
}

/** The statement, and what its text in SQL says. */
function routineTree(sql: string): unknown {
  const statement = parseStatement(sql);
  if (statement.kind !== 'create-function' || statement.language.toLowerCase() !== 'sql') {
    return statement;
  }
  return [statement, parseStatement(statement.body)];
}

/** Relations that compute by functions that name the type. */
export function calledWith(core: Core, type: UserType): readonly LiveRelation[] {
  const entries = routinesWith(core, type).flatMap((routine) =>
    dependentsOf(core, routine).flatMap((one) => (one.kind === 'relation' ? [one.entry] : [])),
  );
  return [...new Set(entries)];
}

/** Relations that name the type in their statement, call what names it or have columns of it, in the order of their creation. */
export function relationsWith(core: Core, type: UserType): readonly TypeUser[] {
  const calling = calledWith(core, type);
  return core.catalog.live().flatMap((entry): TypeUser[] => {
    const { relation, detail, owner } = entry;
    if (owner !== undefined || relation.sql === '') return [];
    const declares = relation.kind === 'table' || relation.kind === 'stream';
    const columns = relation.schema.filter((column) => holdsType(column.type, type));
    const isNamed = [relation.sql, ...(detail.indexes ?? [])].some((sql) =>
      namesType(parseStatement(sql), type, core.catalog, settingsOf(detail.searchPath)),
    );
    if (columns.length === 0 && !isNamed && !calling.includes(entry)) return [];
    return [{ entry, columns: declares ? columns.map(({ name }) => name) : [] }];
  });
}

/** Other types that are made of this one. */
export function typesWith(catalog: Catalog, type: UserType): readonly UserType[] {
  return catalog
    .types()
    .filter(
      (one) =>
        one.id !== type.id &&
        namesType(parseStatement(one.sql), type, catalog, settingsOf(one.searchPath)),
    );
}

const settingsOf = (path: string | undefined): ReadonlyMap<string, string> =>
  new Map(path === undefined ? [] : [['search_path', path]]);

function holdsType(type: SqlType, { id, name, type: wanted }: UserType): boolean {
  return someType(type, (part) => {
    if (part.domain?.id === id) return true;
    if (part.kind === 'enum') return part.enumeration.id === id;
    return wanted.kind === 'row' && part.kind === 'row' && part.name === name;
  });
}

/** Whether a table or stream names the type besides in the definitions of its columns of the type. */
export function namesElsewhere(core: Core, { entry, columns }: TypeUser, type: UserType): boolean {
  const { relation, detail } = entry;
  const statement = parseStatement(relation.sql);
  const rest =
    statement.kind === 'create-relation'
      ? {
          ...statement,
          columns: statement.columns.filter((column) => !columns.includes(column.name.name)),
        }
      : statement;
  const indexes = (detail.indexes ?? []).map((sql) => parseStatement(sql));
  if (calledWith(core, type).some((one) => one.relation.id === relation.id)) return true;
  return namesType([rest, ...indexes], type, core.catalog, settingsOf(detail.searchPath));
}

function namesType(
  tree: unknown,
  type: UserType,
  catalog: Catalog,
  settings: ReadonlyMap<string, string>,
): boolean {
  const scope = { catalog, statement: { settings } };
  return someObject(tree, (node) => {
    if (!isTypeName(node)) return false;
    return findUserType(node.name, scope)?.id === type.id;
  });
}

const isTypeName = (node: object): node is TypeName => 'arrayDimensions' in node;

/** Which way labels are looked at: values made from text, or text from values. */
export type LabelUse = 'from-text' | 'to-text';

const LABEL_FUNCTIONS: ReadonlySet<string> = new Set(['enum_first', 'enum_last', 'enum_range']);
const TEXT_KINDS: ReadonlySet<SqlType['kind']> = new Set([
  'text',
  'varchar',
  'char',
  'json',
  'jsonb',
]);

/**
 * Whether what the relation computes depends on the labels of the type, and not on the order of its values only. The statement is
 * bound anew for that, since the plan that runs has its constants folded.
 */
export function usesLabels(
  core: Core,
  { relation, detail }: LiveRelation,
  enumeration: EnumType,
  use: LabelUse,
): boolean {
  const context = statementContext(core, settingsOf(detail.searchPath));
  const sources = { ...sourceEnvironment(core), trustsReferences: true };
  const bound = bindStatement(parseStatement(relation.sql), core.catalog, context, sources);
  const holds = (type: SqlType): boolean =>
    someType(type, (part) => part.kind === 'enum' && part.enumeration === enumeration);
  return someObject(bound, (node) => {
    const call = callOf(node);
    if (call === undefined) return false;
    const takes = call.args.some(holds);
    if (use === 'to-text') return takes && TEXT_KINDS.has(innermost(call.result).kind);
    return holds(call.result) && (!takes || LABEL_FUNCTIONS.has(call.name));
  });
}

const innermost = (type: SqlType): SqlType => (type.kind === 'array' ? type.element : type);

interface Call {
  readonly name: string;
  readonly args: readonly SqlType[];
  readonly result: SqlType;
}

interface CallNode {
  readonly fn?: { readonly name: string; readonly result?: SqlType };
  readonly args?: readonly { readonly type: SqlType }[];
  readonly operand?: { readonly type: SqlType };
  readonly type?: SqlType;
  /** Of json_to_recordset and its kin. */
  readonly columns?: Schema;
}

/** A function call, an aggregate, a cast or a record function, as the bound tree has them. */
function callOf(node: object): Call | undefined {
  const { fn, args, operand, type, columns } = node as CallNode;
  const operands = args ?? (operand === undefined ? undefined : [operand]);
  const result = fn === undefined ? rowOf(columns) : (type ?? fn.result);
  if (operands === undefined || result?.kind === undefined) return undefined;
  return { name: fn?.name ?? '', args: operands.map((one) => one.type), result };
}

const rowOf = (columns: Schema | undefined): SqlType | undefined =>
  columns === undefined ? undefined : { kind: 'row', fields: columns };

/** @throws StreamError SQL_DEPENDENT_OBJECTS when a function names the type. */
export function refuseRoutines(core: Core, type: UserType, what: string): void {
  const [routine] = routinesWith(core, type);
  if (routine === undefined) return;
  const signature = signatureOf(routine);
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot ${what} because other objects depend on it`,
    {
      detail: `function ${signature} depends on type ${type.name}`,
      hint: `DROP FUNCTION ${signature} CASCADE first.`,
    },
  );
}
