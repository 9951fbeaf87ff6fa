/**
 * JSON_TABLE by what there is already: jsonb_path_query gives the rows of a path, JSON_VALUE, JSON_QUERY and JSON_EXISTS the columns of a
 * row, and a nested path is a lateral left join, whose siblings are put together by UNION ALL (the default plan of ISO/IEC 9075-2).
 * Names inside begin with a blank, so that they hide nothing of the queries around.
 */
import type {
  Expression,
  FromItem,
  FunctionArgument,
  FunctionCall,
  Identifier,
  JsonTableColumn,
  Query,
  QueryBody,
  SelectItem,
  TypeName,
} from './ast.ts';
import { assert } from './base/assert.ts';
import { type Span, StreamError } from './base/error.ts';
import type { BindContext } from './bind-context.ts';
import type { BoundFrom, FromPlace } from './bind-from-place.ts';
import { bindTypeName } from './bind-type.ts';
import { callOf } from './parser-call.ts';
import { plainQuery, plainSelect } from './plain-query.ts';

type JsonTable = FromItem & { readonly kind: 'json-table' };
type Value = JsonTableColumn & { readonly kind: 'value' };
type Nested = JsonTableColumn & { readonly kind: 'nested' };

/** @throws StreamError SQL_DUPLICATE_ALIAS for names that come twice, and as the functions do. */
export function bindJsonTable(
  table: JsonTable,
  place: FromPlace,
  bindItem: (item: FromItem, place: FromPlace) => BoundFrom,
): BoundFrom {
  refuseDuplicates(table);
  const { document, path, columns, span } = table;
  const query = new Expansion(table, place.context).level(document, path, columns);
  const name = { name: 'json_table', quoted: false, span };
  const alias = table.alias ?? { name, columns: [] };
  return bindItem({ kind: 'derived', query, lateral: true, alias, span }, place);
}

function refuseDuplicates({ pathName, columns }: JsonTable): void {
  const seen = new Set<string>();
  const take = (name: Identifier | undefined): void => {
    if (name === undefined) return;
    if (seen.has(name.name)) {
      throw new StreamError(
        'SQL_DUPLICATE_ALIAS',
        `duplicate JSON_TABLE column or path name: ${name.name}`,
        { at: name.span },
      );
    }
    seen.add(name.name);
  };
  const visit = (column: JsonTableColumn): void => {
    take(column.kind === 'nested' ? column.pathName : column.name);
    if (column.kind === 'nested') for (const inner of column.columns) visit(inner);
  };
  take(pathName);
  for (const column of columns) visit(column);
}

/** A column that comes out, by its name and its type. */
interface Output {
  readonly name: Identifier;
  readonly type: TypeName;
}

class Expansion {
  readonly #table: JsonTable;
  readonly #context: BindContext;
  readonly #span: Span;
  #levels = 0;

  constructor(table: JsonTable, context: BindContext) {
    this.#table = table;
    this.#context = context;
    this.#span = table.span;
  }

  /** The rows of a path, with the columns of the level first and then those of the nested ones. */
  level(document: Expression, path: Expression, columns: readonly JsonTableColumn[]): Query {
    const level = ++this.#levels;
    const rows = this.#rows(document, path, level);
    const nested = columns.filter((column): column is Nested => column.kind === 'nested');
    const own = columns.flatMap((column): SelectItem[] =>
      column.kind === 'nested' ? [] : [this.#item(this.#value(column, level), column.name)],
    );
    if (nested.length === 0) return this.#query(own, [rows]);
    const inner = this.#id(` nested ${level}`);
    const joined: FromItem = {
      kind: 'join',
      type: 'left',
      natural: false,
      left: rows,
      right: {
        kind: 'derived',
        query: this.#siblings(nested, this.#column(level, ' item')),
        lateral: true,
        alias: { name: inner, columns: [] },
        span: this.#span,
      },
      on: { kind: 'boolean', value: true, span: this.#span },
      using: undefined,
      within: undefined,
      alias: undefined,
      span: this.#span,
    };
    const others = nested
      .flatMap((one) => this.#outputs(one.columns))
      .map(({ name }) => this.#item(this.#named([inner, name]), name));
    return this.#query([...own, ...others], [joined]);
  }

  /** `jsonb_path_query(document, path, variables, silent) WITH ORDINALITY`. */
  #rows(document: Expression, path: Expression, level: number): FromItem {
    const { passing, onError } = this.#table;
    const variables = passing.flatMap(({ name, value }): Expression[] => [
      { kind: 'string', value: name?.name ?? '', span: value.span },
      value,
    ]);
    const call = this.#call('jsonb_path_query', [
      this.#cast(document, 'jsonb'),
      path,
      this.#call('jsonb_build_object', variables),
      { kind: 'boolean', value: onError !== 'error', span: this.#span },
    ]);
    return {
      kind: 'function',
      calls: [{ call, columns: [] }],
      rowsFrom: false,
      lateral: true,
      ordinality: true,
      alias: {
        name: this.#id(` rows ${level}`),
        columns: [this.#id(' item'), this.#id(' number')],
      },
      span: this.#span,
    };
  }

  /** Rows of one nested path after those of another, each with NULLs for the others' columns. */
  #siblings(nested: readonly Nested[], item: Expression): Query {
    const [first, ...others] = nested.map((one): QueryBody => {
      const name = this.#id(` sibling ${++this.#levels}`);
      const from: FromItem = {
        kind: 'derived',
        query: this.level(item, one.path, one.columns),
        lateral: true,
        alias: { name, columns: [] },
        span: this.#span,
      };
      const items = nested.flatMap((other) =>
        this.#outputs(other.columns).map((output) => {
          const isOwn = other === one;
          const none: Expression = { kind: 'null', span: this.#span };
          const value = isOwn ? this.#named([name, output.name]) : this.#castTo(none, output.type);
          return this.#item(value, output.name);
        }),
      );
      return this.#query(items, [from]).body;
    });
    assert(first !== undefined, 'there are nested paths');
    const body = others.reduce(
      (left, right): QueryBody => ({
        kind: 'set-operation',
        op: 'union',
        all: true,
        left,
        right,
        span: this.#span,
      }),
      first,
    );
    return { ...this.#query([], []), body };
  }

  /** In the order in which `level` gives them. */
  #outputs(columns: readonly JsonTableColumn[]): readonly Output[] {
    const own = columns.flatMap((column): Output[] => {
      if (column.kind === 'nested') return [];
      return [
        { name: column.name, type: column.kind === 'value' ? column.type : this.#type('int4') },
      ];
    });
    const inner = columns.flatMap((column) =>
      column.kind === 'nested' ? this.#outputs(column.columns) : [],
    );
    return [...own, ...inner];
  }

  #value(column: Exclude<JsonTableColumn, Nested>, level: number): Expression {
    if (column.kind === 'ordinality') return this.#cast(this.#column(level, ' number'), 'int4');
    const { name, exists, type, span } = column;
    const path: Expression = column.path ?? {
      kind: 'string',
      value: `$.${JSON.stringify(name.name)}`,
      span,
    };
    const passing = this.#table.passing.map((passed): FunctionArgument => {
      const clause = `passing ${passed.name?.name ?? ''}`;
      return { name: { name: clause, quoted: true, span }, value: passed.value };
    });
    const none: Expression = { kind: 'null', span };
    const returning: FunctionArgument = {
      name: { name: 'returning', quoted: true, span },
      value: this.#castTo(none, type),
    };
    const fn = exists ? 'json_exists' : this.#isDocument(column) ? 'json_query' : 'json_value';
    const call = callOf(fn, [this.#column(level, ' item'), path], span);
    const clauses = [...passing, ...(exists ? [] : [returning]), ...column.clauses];
    const whole: FunctionCall = { ...call, args: [...call.args, ...clauses] };
    return exists ? this.#castTo(whole, type) : whole;
  }

  /** A column that takes arrays and objects too, by its clauses or its type. */
  #isDocument({ format, clauses, type }: Value): boolean {
    if (format || clauses.some(({ name }) => name?.name === 'wrapper' || name?.name === 'quotes')) {
      return true;
    }
    const { kind } = bindTypeName(type, this.#context);
    return kind === 'json' || kind === 'jsonb' || kind === 'array' || kind === 'row';
  }

  // ------------------------------------------------------------------- nodes

  readonly #id = (name: string): Identifier => ({ name, quoted: true, span: this.#span });

  #named(parts: readonly Identifier[]): Expression {
    return { kind: 'column', name: { parts, span: this.#span }, span: this.#span };
  }

  #column(level: number, name: string): Expression {
    return this.#named([this.#id(` rows ${level}`), this.#id(name)]);
  }

  #type(name: string): TypeName {
    return { name, modifiers: [], arrayDimensions: 0, span: this.#span };
  }

  #cast(operand: Expression, name: string): Expression {
    return this.#castTo(operand, this.#type(name));
  }

  #castTo(operand: Expression, type: TypeName): Expression {
    return { kind: 'cast', operand, type, try: false, span: operand.span };
  }

  #call(name: string, args: readonly Expression[]): FunctionCall {
    return callOf(name, args, this.#span);
  }

  #item(expression: Expression, alias: Identifier): SelectItem {
    return { expression, alias, span: this.#span };
  }

  #query(items: readonly SelectItem[], from: readonly FromItem[]): Query {
    return plainQuery(plainSelect({ items, from }, this.#span));
  }
}
