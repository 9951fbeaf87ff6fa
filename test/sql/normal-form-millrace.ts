/** Our syntax tree in the normal form that normal-form-postgres.ts makes of PostgreSQL's. */

import type {
  Expression,
  FrameBound,
  FromItem,
  FunctionCall,
  GroupItem,
  Identifier,
  JsonTableColumn,
  Query,
  QueryBody,
  SelectItem,
  SortItem,
  TableAlias,
  TypeName,
  WindowFrame,
  WindowSpec,
} from '../../sql/ast.ts';
import type {
  ColumnDefinition,
  ForeignKeyConstraint,
  TableConstraint,
} from '../../sql/ast-relation.ts';
import type { Assignment, MergeWhen, Statement, WrittenColumn } from '../../sql/ast-statement.ts';
import { canonicalNumber, type Json } from './normal-form-postgres.ts';

const name = (identifier: Identifier | undefined): string => identifier?.name ?? '';
const nameList = (identifiers: readonly Identifier[]): Json[] => identifiers.map(name);

export function millraceExpression(node: Expression | undefined): Json {
  if (node === undefined) return null;
  switch (node.kind) {
    case 'null':
      return ['null'];
    case 'boolean':
      return ['boolean', node.value];
    case 'number':
      return ['number', canonicalNumber(node.text)];
    case 'string':
      return ['string', node.value];
    case 'bit-string':
      return ['bit', node.text];
    case 'typed-literal':
      return ['cast', ['string', node.value], millraceType(node.type)];
    case 'column':
      return ['column', nameList(node.name.parts)];
    case 'star':
      return ['column', [...nameList(node.qualifier?.parts ?? []), ['star']]];
    case 'parameter':
      return ['parameter', node.index];
    case 'unary':
      return unary(node.op, millraceExpression(node.operand));
    case 'binary':
      return ['op', node.op, millraceExpression(node.left), millraceExpression(node.right)];
    case 'and':
    case 'or':
      return [node.kind, chain(node, node.kind).map(millraceExpression)];
    case 'not':
      return ['not', [millraceExpression(node.operand)]];
    case 'is':
      return isTest(node);
    case 'is-distinct':
      return [
        'distinct',
        node.negated,
        millraceExpression(node.left),
        millraceExpression(node.right),
      ];
    case 'between':
      return [
        'between',
        node.negated,
        node.symmetric,
        ...expressions([node.operand, node.low, node.high]),
      ];
    case 'like':
      return ['like', node.op, node.negated, millraceExpression(node.operand), pattern(node)];
    case 'in-list':
      return ['in', node.negated, millraceExpression(node.operand), expressions(node.items)];
    case 'in-query': {
      const test: Json = ['in-query', millraceExpression(node.operand), millraceQuery(node.query)];
      return node.negated ? ['not', [test]] : test;
    }
    case 'quantified': {
      const left = millraceExpression(node.operand);
      return node.right.kind === 'query'
        ? ['quantified-query', node.quantifier, node.op, left, millraceQuery(node.right.query)]
        : [
            'quantified-array',
            node.quantifier,
            node.op,
            left,
            millraceExpression(node.right.array),
          ];
    }
    case 'case':
      return [
        'case',
        millraceExpression(node.operand),
        node.whens.map((arm) => [millraceExpression(arm.when), millraceExpression(arm.then)]),
        millraceExpression(node.otherwise),
      ];
    case 'cast':
      return ['cast', millraceExpression(node.operand), millraceType(node.type)];
    case 'call':
      return call(node);
    case 'scalar-query':
      return ['subquery', millraceQuery(node.query)];
    case 'exists':
      return ['exists', millraceQuery(node.query)];
    case 'array-query':
      return ['array-query', millraceQuery(node.query)];
    case 'array':
      return ['array', expressions(node.items)];
    case 'row':
      return ['row', node.explicit, expressions(node.items)];
    case 'subscript':
      return step(node.operand, ['subscript', millraceExpression(node.index)]);
    case 'slice':
      return step(node.operand, [
        'slice',
        millraceExpression(node.low),
        millraceExpression(node.high),
      ]);
    case 'field':
      return step(node.operand, ['field', node.field.name]);
    case 'at-time-zone':
      return ['call', ['timezone'], expressions([node.zone, node.operand])];
    case 'collate':
      return ['collate', millraceExpression(node.operand), nameList(node.collation.parts)];
    case 'grouping':
      return ['grouping', expressions(node.items)];
    case 'lambda':
      return ['lambda', nameList(node.parameters), millraceExpression(node.body)];
  }
}

const expressions = (nodes: readonly Expression[]): Json[] => nodes.map(millraceExpression);

/** PostgreSQL's grammar already negates number literals. */
function unary(op: string, operand: Json): Json {
  if (op === '-' && Array.isArray(operand) && operand[0] === 'number') {
    const digits = String(operand[1]);
    return ['number', digits.startsWith('-') ? digits.slice(1) : `-${digits}`];
  }
  return ['op', op, null, operand];
}

/** PostgreSQL makes one list of `a AND b AND c`, as far as it leans to the left. */
function chain(node: Expression, kind: 'and' | 'or'): Expression[] {
  return node.kind === kind ? [...chain(node.left, kind), node.right] : [node];
}

function isTest(node: Expression & { kind: 'is' }): Json {
  const operand = millraceExpression(node.operand);
  if (node.test === 'json') {
    const test: Json = ['is', 'json', false, operand, node.detail ?? ''];
    return node.negated ? ['not', [test]] : test;
  }
  if (node.test === 'normalized') {
    const form: Json[] = node.detail === undefined ? [] : [['string', node.detail.toUpperCase()]];
    const test: Json = ['call', ['is_normalized'], [operand, ...form]];
    return node.negated ? ['not', [test]] : test;
  }
  return ['is', node.test, node.negated, operand, ''];
}

/** ESCAPE and SIMILAR are calls around the pattern. */
function pattern(node: Expression & { kind: 'like' }): Json {
  const args = expressions(
    node.escape === undefined ? [node.pattern] : [node.pattern, node.escape],
  );
  if (node.op === 'similar') return ['call', ['similar_to_escape'], args];
  return node.escape === undefined ? (args[0] ?? null) : ['call', ['like_escape'], args];
}

function step(operand: Expression, next: Json): Json {
  const base = millraceExpression(operand);
  if (Array.isArray(base) && base[0] === 'indirection' && Array.isArray(base[2])) {
    return ['indirection', base[1] ?? null, [...base[2], next]];
  }
  return ['indirection', base, [next]];
}

function jsonTableColumn(column: JsonTableColumn): Json {
  switch (column.kind) {
    case 'ordinality':
      return ['ordinality', column.name.name];
    case 'nested': {
      const path = [millraceExpression(column.path), name(column.pathName)];
      return ['nested', path, column.columns.map(jsonTableColumn)];
    }
    case 'value': {
      const kind = column.exists ? 'exists' : column.format ? 'formatted' : 'regular';
      const path = column.path === undefined ? null : millraceExpression(column.path);
      const clauses = column.clauses.map((clause) => [
        'named',
        name(clause.name),
        millraceExpression(clause.value),
      ]);
      return ['value', column.name.name, millraceType(column.type), kind, [path, ''], clauses];
    }
  }
}

function call(node: FunctionCall): Json {
  const args = node.args.map((arg): Json => {
    const value = millraceExpression(arg.value);
    return arg.name === undefined ? value : ['named', arg.name.name, value];
  });
  // SYSTEM_USER is PostgreSQL's one bare word that is a call.
  if (node.keyword && name(node.name.parts[0]) !== 'system_user') {
    return ['keyword-call', name(node.name.parts[0]), args];
  }
  const clauses: Json[] = [];
  if (node.star) clauses.push(['star', true]);
  if (node.distinct) clauses.push(['distinct', true]);
  if (node.variadic) clauses.push(['variadic', true]);
  if (node.orderBy.length > 0) clauses.push(['order', node.orderBy.map(sortItem)]);
  if (node.withinGroup.length > 0) clauses.push(['within-group', node.withinGroup.map(sortItem)]);
  if (node.filter !== undefined) clauses.push(['filter', millraceExpression(node.filter)]);
  if (node.over !== undefined) {
    clauses.push([
      'over',
      'kind' in node.over ? windowSpec(node.over) : ['window-name', node.over.name],
    ]);
  }
  const parts = nameList(node.name.parts);
  const own = parts[0] === 'pg_catalog' ? parts.slice(1) : parts;
  return ['call', own, args, ...clauses];
}

const sortItem = (item: SortItem): Json => [
  'sort',
  millraceExpression(item.expression),
  item.descending,
  item.nulls ?? '',
];

function windowSpec(spec: WindowSpec): Json {
  const { frame } = spec;
  const offset = (bound: FrameBound): Json =>
    'offset' in bound ? millraceExpression(bound.offset) : null;
  return [
    'window',
    name(spec.base),
    expressions(spec.partitionBy),
    spec.orderBy.map(sortItem),
    frame === undefined ? null : [frameOptions(frame), offset(frame.start), offset(frame.end)],
  ];
}

/** The bits of PostgreSQL's parsenodes.h, FRAMEOPTION_*. */
function frameOptions(frame: WindowFrame): number {
  const unit = { range: 0x2, rows: 0x4, groups: 0x8 }[frame.unit];
  const start = {
    'unbounded-preceding': 0x20,
    'unbounded-following': 0x80,
    'current-row': 0x200,
    preceding: 0x800,
    following: 0x2000,
  }[frame.start.kind];
  const end = {
    'unbounded-preceding': 0x40,
    'unbounded-following': 0x100,
    'current-row': 0x400,
    preceding: 0x1000,
    following: 0x4000,
  }[frame.end.kind];
  const exclude = { 'no others': 0, 'current row': 0x8000, group: 0x10000, ties: 0x20000 }[
    frame.exclude
  ];
  return 0x1 | unit | start | end | exclude;
}

const intervalBits: Readonly<Record<string, number>> = {
  YEAR: 4,
  MONTH: 2,
  DAY: 8,
  HOUR: 1024,
  MINUTE: 2048,
  SECOND: 4096,
};
const intervalRanges: readonly string[] = ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND'];
const INTERVAL_FULL_RANGE = 32767;

export function millraceType(type: TypeName): Json {
  const numbers = type.modifiers.map((value): Json => ['number', String(value)]);
  const fields = type.intervalFields?.split(' TO ');
  let mask: Json[] = [];
  if (fields !== undefined) {
    const from = intervalRanges.indexOf(fields[0] ?? '');
    const to = intervalRanges.indexOf(fields.at(-1) ?? '');
    const bits = intervalRanges
      .slice(from, to + 1)
      .reduce((sum, field) => sum | (intervalBits[field] ?? 0), 0);
    mask = [['number', String(bits)]];
  } else if (type.name === 'interval' && numbers.length > 0) {
    mask = [['number', String(INTERVAL_FULL_RANGE)]];
  }
  return ['type', type.name, [...mask, ...numbers], type.arrayDimensions];
}

// -------------------------------------------------------------------- queries

const alias = (value: TableAlias | undefined): Json =>
  value === undefined ? null : [value.name.name, nameList(value.columns)];

function fromItem(item: FromItem): Json {
  switch (item.kind) {
    case 'relation': {
      const { sample } = item;
      return [
        'relation',
        nameList(item.name.parts),
        item.only,
        alias(item.alias),
        sample === undefined
          ? null
          : [sample.method, expressions(sample.args), millraceExpression(sample.repeatable)],
      ];
    }
    case 'derived':
      return ['derived', item.lateral, millraceQuery(item.query), alias(item.alias)];
    case 'function':
      return [
        'function',
        item.lateral,
        item.ordinality,
        item.rowsFrom,
        item.calls.map((each) => [
          millraceExpression(each.call),
          each.columns.map((column) => [column.name.name, millraceType(column.type)]),
        ]),
        alias(item.alias),
      ];
    case 'json-table':
      return [
        'json-table',
        item.lateral,
        millraceExpression(item.document),
        [millraceExpression(item.path), name(item.pathName)],
        item.passing.map((passed) => [name(passed.name), millraceExpression(passed.value)]),
        item.columns.map(jsonTableColumn),
        item.onError ?? null,
        alias(item.alias),
      ];
    case 'join':
      return [
        'join',
        item.type,
        item.natural,
        fromItem(item.left),
        fromItem(item.right),
        millraceExpression(item.on),
        nameList(item.using?.columns ?? []),
        name(item.using?.alias),
        alias(item.alias),
      ];
    default:
      return ['streaming', item.kind];
  }
}

const selectItem = (item: SelectItem): Json => [
  millraceExpression(item.expression),
  name(item.alias),
];

function groupItem(item: GroupItem): Json {
  const set = (members: readonly Expression[]): Json =>
    members.length === 1 ? millraceExpression(members[0]) : ['row', false, expressions(members)];
  switch (item.kind) {
    case 'expression':
      return millraceExpression(item.expression);
    case 'set':
      return set(item.expressions);
    case 'empty':
      return ['grouping-set', 'empty', []];
    case 'grouping-sets':
      return ['grouping-set', 'sets', item.items.map(groupItem)];
    default:
      return ['grouping-set', item.kind, item.sets.map(set)];
  }
}

const bare = (body: QueryBody): Query => ({
  kind: 'query',
  span: body.span,
  with: undefined,
  body,
  orderBy: [],
  limit: undefined,
  offset: undefined,
  withTies: false,
  locking: [],
  emit: undefined,
});

const operand = (body: QueryBody): Json =>
  millraceQuery(body.kind === 'nested' ? body.query : bare(body));

function queryBody(body: QueryBody): Json {
  switch (body.kind) {
    case 'set-operation':
      return ['set', body.op, body.all, operand(body.left), operand(body.right)];
    case 'values':
      return ['values', body.rows.map(expressions)];
    case 'table': {
      const star: Json = [['column', [['star']]], ''];
      const relation: Json = ['relation', nameList(body.name.parts), false, null, null];
      return ['select', null, [star], null, [relation], null, false, [], null, []];
    }
    case 'nested':
      return ['nested', millraceQuery(body.query)];
    case 'select':
      return [
        'select',
        body.distinct.kind === 'all'
          ? null
          : body.distinct.kind === 'on'
            ? expressions(body.distinct.expressions)
            : [],
        body.items.map(selectItem),
        body.into === undefined ? null : nameList(body.into.parts),
        body.from.map(fromItem),
        millraceExpression(body.where),
        body.groupByDistinct,
        body.groupBy.map(groupItem),
        millraceExpression(body.having),
        body.windows.map((window) => [window.name.name, windowSpec(window.spec)]),
      ];
  }
}

function withClause(clause: Query['with']): Json {
  if (clause === undefined) return null;
  const modes = { undefined: 'default', true: 'always', false: 'never' } as const;
  return [
    clause.recursive,
    clause.items.map((item) => [
      item.name.name,
      nameList(item.columns),
      modes[`${item.materialized ?? 'undefined'}`],
      millraceStatement(item.statement),
      item.search === undefined
        ? null
        : [item.search.order, nameList(item.search.columns), item.search.sequence.name],
      item.cycle === undefined
        ? null
        : [
            nameList(item.cycle.columns),
            item.cycle.mark.name,
            // libpg-query writes the values out where a query leaves them out.
            item.cycle.value === undefined
              ? ['boolean', true]
              : millraceExpression(item.cycle.value),
            item.cycle.otherwise === undefined
              ? ['boolean', false]
              : millraceExpression(item.cycle.otherwise),
            item.cycle.path.name,
          ],
    ]),
  ];
}

export function millraceQuery(query: Query): Json {
  return [
    'query',
    withClause(query.with),
    queryBody(query.body),
    query.orderBy.map(sortItem),
    millraceExpression(query.limit),
    millraceExpression(query.offset),
    query.withTies,
    query.locking.map((locking) => locking),
  ];
}

// ----------------------------------------------------------------- statements

/** The name of a column, or with the way into it. */
export const writtenColumn = ({ name: column, path = [] }: WrittenColumn): Json =>
  path.length === 0
    ? column
    : [
        column,
        path.map((step): Json => {
          if (step.kind === 'field') return ['field', step.field.name];
          if (step.kind === 'element') return ['subscript', millraceExpression(step.index)];
          return ['slice', millraceExpression(step.low), millraceExpression(step.high)];
        }),
      ];

const assignment = (each: Assignment): Json => [
  writtenColumn(each.column),
  each.value === 'default' ? ['default'] : millraceExpression(each.value),
  each.part === undefined ? null : [each.part.index, each.part.count],
];

function mergeWhen({ match, condition, action }: MergeWhen): Json {
  const set = action.kind === 'update' ? action.set.map(assignment) : [];
  const columns = action.kind === 'insert' ? nameList(action.columns) : [];
  const values = action.kind === 'insert' ? (action.values ?? []) : [];
  const overriding = action.kind === 'insert' ? (action.overriding ?? null) : null;
  return [
    match,
    condition === undefined ? null : millraceExpression(condition),
    action.kind,
    overriding,
    set,
    columns,
    values.map((value): Json => (value === 'default' ? ['default'] : millraceExpression(value))),
  ];
}

/** DEFAULT stands in the tree as a position beside the rows. */
function insertSource(statement: Statement & { kind: 'insert' }): Json {
  const { source, defaults } = statement;
  if (source === undefined) return null;
  const normal = millraceQuery(source);
  if (defaults.length === 0 || source.body.kind !== 'values') return normal;
  const rows = source.body.rows.map((row, at) =>
    row.map(
      (value, column): Json =>
        defaults.some(([r, c]) => r === at && c === column)
          ? ['default']
          : millraceExpression(value),
    ),
  );
  return Array.isArray(normal)
    ? [...normal.slice(0, 2), ['values', rows], ...normal.slice(3)]
    : null;
}

export function millraceStatement(statement: Statement): Json {
  switch (statement.kind) {
    case 'query':
      return millraceQuery(statement);
    case 'insert':
      return [
        'insert',
        withClause(statement.with),
        [nameList(statement.relation.parts), name(statement.alias)],
        statement.columns.map(writtenColumn),
        insertSource(statement),
        statement.onConflict === undefined
          ? null
          : [
              statement.onConflict.action,
              nameList(statement.onConflict.columns),
              name(statement.onConflict.constraint),
              statement.onConflict.set.map(assignment),
              millraceExpression(statement.onConflict.where),
            ],
        statement.returning.items.map(selectItem),
      ];
    case 'update':
      return [
        'update',
        withClause(statement.with),
        [nameList(statement.relation.parts), name(statement.alias)],
        statement.set.map(assignment),
        statement.from.map(fromItem),
        millraceExpression(statement.where),
        statement.returning.items.map(selectItem),
      ];
    case 'delete':
      return [
        'delete',
        withClause(statement.with),
        [nameList(statement.relation.parts), name(statement.alias)],
        statement.using.map(fromItem),
        millraceExpression(statement.where),
        statement.returning.items.map(selectItem),
      ];
    case 'merge':
      return [
        'merge',
        withClause(statement.with),
        [nameList(statement.relation.parts), name(statement.alias)],
        fromItem(statement.using),
        millraceExpression(statement.on),
        statement.whens.map(mergeWhen),
        statement.returning.items.map(selectItem),
      ];
    case 'create-relation':
      return createRelation(statement);
    case 'create-view':
      return [
        'create-view',
        statement.materialized,
        statement.orReplace,
        statement.ifNotExists,
        nameList(statement.name.parts),
        nameList(statement.columns),
        millraceQuery(statement.query),
      ];
    case 'explain':
      return [
        'explain',
        statement.statement === undefined ? null : millraceStatement(statement.statement),
      ];
    case 'prepare':
      return [
        'prepare',
        statement.name.name,
        statement.types.map(millraceType),
        millraceStatement(statement.statement),
      ];
    case 'execute':
      return ['execute', statement.name.name, expressions(statement.args)];
    default:
      return ['other'];
  }
}

const hasOwn = (column: ColumnDefinition, kind: TableConstraint['kind']): boolean =>
  column.constraints?.some((one) => one.kind === kind) === true;

/** Actions by PostgreSQL's letters. */
function foreignKey(key: ForeignKeyConstraint): Json {
  const letter = (action: ForeignKeyConstraint['onDelete']): string =>
    ({ 'no action': 'a', restrict: 'r', cascade: 'c', 'set null': 'n', 'set default': 'd' })[
      action
    ];
  return [
    nameList(key.target.parts),
    nameList(key.targetColumns),
    key.matchFull ? 'f' : 's',
    letter(key.onDelete),
    letter(key.onUpdate),
    nameList(key.setColumns),
  ];
}

function createRelation(statement: Statement & { kind: 'create-relation' }): Json {
  return [
    'create-table',
    // Millrace names the schema of what is temporary.
    nameList(statement.name.parts.slice(statement.temporary ? 1 : 0)),
    statement.ifNotExists,
    statement.temporary,
    statement.columns.map((column) => [
      'column',
      column.name.name,
      column.type === undefined ? null : millraceType(column.type),
      column.primaryKey || hasOwn(column, 'primary-key'),
      column.notNull,
      column.unique || hasOwn(column, 'unique'),
      millraceExpression(column.default),
      millraceExpression(column.generated),
      millraceExpression(
        column.check ??
          column.constraints?.flatMap((one) => (one.kind === 'check' ? [one.expression] : []))[0],
      ),
      (column.constraints ?? []).flatMap((one) =>
        one.kind === 'foreign-key' ? [foreignKey(one)] : [],
      ),
    ]),
    statement.constraints.map((constraint) => [
      constraint.kind,
      name(constraint.name),
      constraint.kind === 'check' ? [] : nameList(constraint.columns),
      constraint.kind === 'check' ? millraceExpression(constraint.expression) : null,
      constraint.kind === 'unique' && constraint.nullsNotDistinct === true,
      constraint.kind === 'foreign-key' ? foreignKey(constraint) : null,
    ]),
    statement.query === undefined ? null : millraceQuery(statement.query),
  ];
}
