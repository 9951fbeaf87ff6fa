/**
 * PostgreSQL's raw parse tree (as libpg-query gives it) in the normal form that
 * normal-form-millrace.ts makes of our tree: nested arrays, a tag first.
 */
export type Json = null | boolean | number | string | readonly Json[];
type Node = { readonly [key: string]: unknown };

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): readonly Node[] =>
  Array.isArray(value) ? value.filter(isNode) : [];
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const child = (node: Node, key: string): Node => {
  const value = node[key];
  return isNode(value) ? value : {};
};

/** A node is an object with one key, its type's name. */
function open(node: unknown): readonly [string, Node] {
  if (!isNode(node)) return ['', {}];
  const [entry] = Object.entries(node);
  return entry === undefined || !isNode(entry[1]) ? ['', {}] : [entry[0], entry[1]];
}

const sval = (node: unknown): string => text(open(node)[1].sval);
const names = (value: unknown): string[] => list(value).map(sval);
const withoutCatalog = (parts: readonly string[]): string[] =>
  parts[0] === 'pg_catalog' && parts.length > 1 ? parts.slice(1) : [...parts];

/** Digits as one spelling of the number; other bases as decimal. */
export function canonicalNumber(digits: string): string {
  const plain = digits.replaceAll('_', '');
  return /^-?0[xob]/i.test(plain)
    ? (plain.startsWith('-') ? -BigInt(plain.slice(1)) : BigInt(plain)).toString()
    : plain;
}

export function postgresExpression(node: unknown): Json {
  if (node === undefined) return null;
  const [tag, body] = open(node);
  const rule = expressionRules.get(tag);
  if (rule === undefined)
    throw new Error(`no normal form of ${tag} ${JSON.stringify(node).slice(0, 200)}`);
  return rule(body);
}

const expressions = (value: unknown): Json[] => list(value).map(postgresExpression);

function constant(body: Node): Json {
  if (body.isnull === true) return ['null'];
  if (isNode(body.ival)) return ['number', String(body.ival.ival ?? 0)];
  if (isNode(body.fval)) return ['number', canonicalNumber(text(body.fval.fval))];
  if (isNode(body.boolval)) return ['boolean', body.boolval.boolval === true];
  if (isNode(body.bsval)) return ['bit', text(body.bsval.bsval)];
  return ['string', text(child(body, 'sval').sval)];
}

const betweenKinds: ReadonlyMap<string, readonly Json[]> = new Map([
  ['AEXPR_BETWEEN', [false, false]],
  ['AEXPR_NOT_BETWEEN', [true, false]],
  ['AEXPR_BETWEEN_SYM', [false, true]],
  ['AEXPR_NOT_BETWEEN_SYM', [true, true]],
]);

function operation(body: Node): Json {
  const kind = text(body.kind);
  const op = withoutCatalog(names(body.name)).join('.');
  const left = postgresExpression(body.lexpr);
  const between = betweenKinds.get(kind);
  if (between !== undefined) {
    return ['between', ...between, left, ...expressions(child(child(body, 'rexpr'), 'List').items)];
  }
  if (kind === 'AEXPR_IN') {
    const items = expressions(child(child(body, 'rexpr'), 'List').items);
    return ['in', op === '<>', left, items];
  }
  const right = postgresExpression(body.rexpr);
  switch (kind) {
    case 'AEXPR_OP':
      return ['op', op, left, right];
    case 'AEXPR_OP_ANY':
      return ['quantified-array', 'any', op, left, right];
    case 'AEXPR_OP_ALL':
      return ['quantified-array', 'all', op, left, right];
    case 'AEXPR_DISTINCT':
      return ['distinct', false, left, right];
    case 'AEXPR_NOT_DISTINCT':
      return ['distinct', true, left, right];
    case 'AEXPR_NULLIF':
      return ['call', ['nullif'], [left, right]];
    case 'AEXPR_LIKE':
      return ['like', 'like', op.startsWith('!'), left, right];
    case 'AEXPR_ILIKE':
      return ['like', 'ilike', op.startsWith('!'), left, right];
    case 'AEXPR_SIMILAR':
      return ['like', 'similar', op.startsWith('!'), left, right];
    default:
      throw new Error(`no normal form of ${kind}`);
  }
}

function sublink(body: Node): Json {
  const query = postgresStatement(body.subselect);
  const test = postgresExpression(body.testexpr);
  const op = withoutCatalog(names(body.operName)).join('.');
  switch (body.subLinkType) {
    case 'EXPR_SUBLINK':
      return ['subquery', query];
    case 'EXISTS_SUBLINK':
      return ['exists', query];
    case 'ARRAY_SUBLINK':
      return ['array-query', query];
    case 'ANY_SUBLINK':
      return op === '' ? ['in-query', test, query] : ['quantified-query', 'any', op, test, query];
    default:
      return ['quantified-query', 'all', op, test, query];
  }
}

function call(body: Node): Json {
  const clauses: Json[] = [];
  const add = (tag: string, value: Json): void => {
    clauses.push([tag, value]);
  };
  if (body.agg_star === true) add('star', true);
  if (body.agg_distinct === true) add('distinct', true);
  if (body.func_variadic === true) add('variadic', true);
  const order = list(body.agg_order).map(sortItem);
  if (order.length > 0) add(body.agg_within_group === true ? 'within-group' : 'order', order);
  if (body.agg_filter !== undefined) add('filter', postgresExpression(body.agg_filter));
  if (isNode(body.over)) add('over', windowOver(body.over));
  return ['call', withoutCatalog(names(body.funcname)), expressions(body.args), ...clauses];
}

function sortItem(node: Node): Json {
  const body = child(node, 'SortBy');
  const using = names(body.useOp)[0];
  const descending = body.sortby_dir === 'SORTBY_DESC' || using === '>';
  const nulls = text(body.sortby_nulls).replace('SORTBY_NULLS_', '').toLowerCase();
  return ['sort', postgresExpression(body.node), descending, nulls === 'default' ? '' : nulls];
}

const FRAME_NONDEFAULT = 0x1;
/** The bits of frameOptions that matter, without the one that says BETWEEN was written. */
const FRAME_BETWEEN = 0x10;

function windowOver(body: Node): Json {
  return typeof body.name === 'string' ? ['window-name', body.name] : windowSpec(body);
}

function windowSpec(body: Node): Json {
  const options = Number(body.frameOptions ?? 0);
  const frame: Json =
    (options & FRAME_NONDEFAULT) === 0
      ? null
      : [
          options & ~FRAME_BETWEEN,
          postgresExpression(body.startOffset),
          postgresExpression(body.endOffset),
        ];
  const orderBy = list(body.orderClause).map(sortItem);
  return ['window', text(body.refname), expressions(body.partitionClause), orderBy, frame];
}

export function postgresType(node: unknown): Json {
  const body = isNode(node) ? node : {};
  const modifiers = expressions(body.typmods);
  const name = withoutCatalog(names(body.names)).join('.');
  return ['type', name, modifiers, list(body.arrayBounds).length];
}

const indirectionStep = (node: Node): Json => {
  const [tag, body] = open(node);
  if (tag === 'A_Star') return ['field', '*'];
  if (tag === 'String') return ['field', text(body.sval)];
  const upper = postgresExpression(body.uidx);
  return body.is_slice === true
    ? ['slice', postgresExpression(body.lidx), upper]
    : ['subscript', upper];
};

function indirection(body: Node): Json {
  const base = postgresExpression(body.arg);
  const steps = list(body.indirection).map(indirectionStep);
  // `((a).b).c` and `(a).b.c` mean the same.
  if (Array.isArray(base) && base[0] === 'indirection' && Array.isArray(base[2])) {
    return ['indirection', base[1] ?? null, [...base[2], ...steps]];
  }
  return ['indirection', base, steps];
}

const columnReference = (body: Node): Json => [
  'column',
  list(body.fields).map((field) => (open(field)[0] === 'A_Star' ? ['star'] : sval(field))),
];

const expressionRules: ReadonlyMap<string, (body: Node) => Json> = new Map<
  string,
  (body: Node) => Json
>([
  ['A_Const', constant],
  ['ColumnRef', columnReference],
  ['ParamRef', (body) => ['parameter', Number(body.number ?? 0)]],
  ['A_Expr', operation],
  [
    'BoolExpr',
    (body) => [text(body.boolop).replace('_EXPR', '').toLowerCase(), expressions(body.args)],
  ],
  [
    'NullTest',
    (body) => ['is', 'null', body.nulltesttype === 'IS_NOT_NULL', postgresExpression(body.arg), ''],
  ],
  [
    'BooleanTest',
    (body) => {
      const test = text(body.booltesttype).replace('IS_', '').toLowerCase();
      const negated = test.startsWith('not_');
      return ['is', test.replace('not_', ''), negated, postgresExpression(body.arg), ''];
    },
  ],
  [
    'JsonIsPredicate',
    (body) => {
      const type = text(body.item_type).replace('JS_TYPE_', '').toLowerCase();
      const unique = body.unique_keys === true ? 'with unique' : '';
      const detail = [type === 'any' ? '' : type, unique].filter((word) => word !== '').join(' ');
      return ['is', 'json', false, postgresExpression(body.expr), detail];
    },
  ],
  ['TypeCast', (body) => ['cast', postgresExpression(body.arg), postgresType(body.typeName)]],
  [
    'CaseExpr',
    (body) => [
      'case',
      postgresExpression(body.arg),
      list(body.args).map((node) => {
        const arm = child(node, 'CaseWhen');
        return [postgresExpression(arm.expr), postgresExpression(arm.result)];
      }),
      postgresExpression(body.defresult),
    ],
  ],
  ['CoalesceExpr', (body) => ['call', ['coalesce'], expressions(body.args)]],
  [
    'MinMaxExpr',
    (body) => ['call', [body.op === 'IS_LEAST' ? 'least' : 'greatest'], expressions(body.args)],
  ],
  ['FuncCall', call],
  ['NamedArgExpr', (body) => ['named', text(body.name), postgresExpression(body.arg)]],
  [
    'SQLValueFunction',
    (body) => {
      const name = text(body.op).replace('SVFOP_', '').replace(/_N$/, '').toLowerCase();
      const precision =
        body.typmod === undefined || body.typmod === -1 ? [] : [String(body.typmod)];
      const args = text(body.op).endsWith('_N') ? [['number', precision[0] ?? '0']] : [];
      return ['keyword-call', name, args];
    },
  ],
  ['SubLink', sublink],
  ['A_ArrayExpr', (body) => ['array', expressions(body.elements)]],
  [
    'RowExpr',
    (body) => ['row', body.row_format === 'COERCE_EXPLICIT_CALL', expressions(body.args)],
  ],
  ['A_Indirection', indirection],
  ['CollateClause', (body) => ['collate', postgresExpression(body.arg), names(body.collname)]],
  ['GroupingFunc', (body) => ['grouping', expressions(body.args)]],
  ['SetToDefault', () => ['default']],
  ['MergeSupportFunc', () => ['call', ['merge_action'], []]],
  ['JsonFuncExpr', jsonFunction],
  [
    'JsonObjectConstructor',
    (body) => [
      'call',
      ['json_object'],
      [...list(body.exprs).flatMap(jsonPair), ...constructorClauses(body)],
    ],
  ],
  [
    'JsonArrayConstructor',
    (body) => {
      const values = list(body.exprs).map((node) => jsonValue(child(node, 'JsonValueExpr')));
      return ['call', ['json_array'], [...values, ...constructorClauses(body)]];
    },
  ],
  ['JsonScalarExpr', (body) => ['call', ['json_scalar'], [postgresExpression(body.expr)]]],
  ['JsonParseExpr', (body) => ['call', ['json'], [jsonValue(child(body, 'expr'))]]],
  ['JsonSerializeExpr', (body) => ['call', ['json_serialize'], [jsonValue(child(body, 'expr'))]]],
  [
    'JsonObjectAgg',
    (body) =>
      jsonAggregate(
        'json_objectagg',
        [...jsonPair({ JsonKeyValue: body.arg }), ...constructorClauses(body)],
        child(body, 'constructor'),
      ),
  ],
  [
    'JsonArrayAgg',
    (body) => {
      const args = [jsonValue(child(body, 'arg')), ...constructorClauses(body)];
      return jsonAggregate('json_arrayagg', args, child(body, 'constructor'));
    },
  ],
]);

const jsonValue = (body: Node): Json => postgresExpression(body.raw_expr);

function jsonPair(node: Node): Json[] {
  const body = child(node, 'JsonKeyValue');
  return [postgresExpression(body.key), jsonValue(child(body, 'value'))];
}

/** NULL ON NULL, WITH UNIQUE KEYS and RETURNING as named arguments. */
function constructorClauses(body: Node): Json[] {
  const own = body.constructor === undefined ? {} : child(body, 'constructor');
  const type = child(body.output === undefined ? own : body, 'output').typeName;
  const clauses: Json[] = [
    ['named', 'on null', ['string', body.absent_on_null === true ? 'absent' : 'null']],
  ];
  if (body.unique === true) clauses.push(['named', 'unique keys', ['string', 'with']]);
  if (type !== undefined) {
    clauses.push(['named', 'returning', ['cast', ['null'], postgresType(type)]]);
  }
  return clauses;
}

function jsonFunction(body: Node): Json {
  const name = text(body.op).replace('_OP', '').toLowerCase();
  const args = [jsonValue(child(body, 'context_item')), postgresExpression(body.pathspec)];
  const clauses: Json[] = list(body.passing).map((node) => {
    const argument = child(node, 'JsonArgument');
    return ['named', `passing ${text(argument.name)}`, jsonValue(child(argument, 'val'))];
  });
  const type = child(body, 'output').typeName;
  if (type !== undefined) {
    clauses.push(['named', 'returning', ['cast', ['null'], postgresType(type)]]);
  }
  clauses.push(...jsonClauses(body));
  return ['call', [name], [...args, ...clauses]];
}

/** WRAPPER, QUOTES, ON EMPTY and ON ERROR as named arguments. */
function jsonClauses(body: Node): Json[] {
  const clauses: Json[] = [];
  const wrapper = text(body.wrapper ?? '')
    .replace(/^JSW_(UNSPEC)?/, '')
    .toLowerCase();
  if (wrapper !== '')
    clauses.push(['named', 'wrapper', ['string', wrapper === 'none' ? 'without' : wrapper]]);
  const quotes = text(body.quotes ?? '')
    .replace(/^JS_QUOTES_(UNSPEC)?/, '')
    .toLowerCase();
  if (quotes !== '') clauses.push(['named', 'quotes', ['string', quotes]]);
  for (const when of ['empty', 'error']) {
    if (body[`on_${when}`] === undefined) continue;
    const behaviour = child(body, `on_${when}`);
    const word = text(behaviour.btype)
      .replace('JSON_BEHAVIOR_', '')
      .replace('_', ' ')
      .toLowerCase();
    clauses.push(
      word === 'default'
        ? ['named', `default on ${when}`, postgresExpression(behaviour.expr)]
        : ['named', `on ${when}`, ['string', word]],
    );
  }
  return clauses;
}

function jsonTable(body: Node): Json {
  const onError = isNode(body.on_error) ? text(body.on_error.btype) : '';
  return [
    'json-table',
    body.lateral === true,
    jsonValue(child(body, 'context_item')),
    jsonPathSpec(body),
    list(body.passing).map((node) => {
      const argument = child(node, 'JsonArgument');
      return [text(argument.name), jsonValue(child(argument, 'val'))];
    }),
    list(body.columns).map(jsonTableColumn),
    onError === '' ? null : onError.includes('ERROR') ? 'error' : 'empty',
    alias(body.alias),
  ];
}

function jsonPathSpec(body: Node): Json {
  if (!isNode(body.pathspec)) return [null, ''];
  return [postgresExpression(body.pathspec.string), text(body.pathspec.name)];
}

function jsonTableColumn(node: Node): Json {
  const body = child(node, 'JsonTableColumn');
  const kind = text(body.coltype).replace('JTC_', '').toLowerCase();
  if (kind === 'for_ordinality') return ['ordinality', text(body.name)];
  if (kind === 'nested') {
    return ['nested', jsonPathSpec(body), list(body.columns).map(jsonTableColumn)];
  }
  const clauses = jsonClauses(kind === 'exists' ? { ...body, wrapper: '' } : body);
  return ['value', text(body.name), postgresType(body.typeName), kind, jsonPathSpec(body), clauses];
}

function jsonAggregate(name: string, args: Json[], clauses: Node): Json {
  const own: Json[] = [];
  const order = list(clauses.agg_order).map(sortItem);
  if (order.length > 0) own.push(['order', order]);
  if (clauses.agg_filter !== undefined)
    own.push(['filter', postgresExpression(clauses.agg_filter)]);
  if (isNode(clauses.over)) own.push(['over', windowOver(clauses.over)]);
  return ['call', [name], args, ...own];
}

// -------------------------------------------------------------------- queries

const relationName = (body: Node): string[] =>
  [body.catalogname, body.schemaname, body.relname].filter((part) => typeof part === 'string');

function alias(value: unknown): Json {
  return isNode(value) ? [text(value.aliasname), names(value.colnames)] : null;
}

const columnDefinitions = (value: unknown): Json[] =>
  list(value).map((node) => {
    const body = child(node, 'ColumnDef');
    return [text(body.colname), postgresType(body.typeName)];
  });

function fromItem(node: Node): Json {
  const [tag, body] = open(node);
  switch (tag) {
    case 'RangeVar':
      return ['relation', relationName(body), body.inh !== true, alias(body.alias), null];
    case 'RangeTableSample': {
      const relation = fromItem(child(node, 'RangeTableSample').relation as Node);
      const sample: Json = [
        names(body.method).join('.'),
        expressions(body.args),
        postgresExpression(body.repeatable),
      ];
      return Array.isArray(relation) ? [...relation.slice(0, 4), sample] : null;
    }
    case 'RangeSubselect':
      return [
        'derived',
        body.lateral === true,
        postgresStatement(body.subquery),
        alias(body.alias),
      ];
    case 'RangeFunction':
      return rangeFunction(body);
    case 'JsonTable':
      return jsonTable(body);
    case 'JoinExpr':
      return joinExpression(body);
    default:
      throw new Error(`no normal form of ${tag}`);
  }
}

function rangeFunction(body: Node): Json {
  const outside = columnDefinitions(body.coldeflist);
  const calls = list(body.functions).map((node) => {
    const [callNode, definitions] = list(child(node, 'List').items);
    const inside = columnDefinitions(child(definitions ?? {}, 'List').items);
    return [postgresExpression(callNode), inside.length > 0 ? inside : outside];
  });
  const flags = [body.lateral === true, body.ordinality === true, body.is_rowsfrom === true];
  return ['function', ...flags, calls, alias(body.alias)];
}

function joinExpression(body: Node): Json {
  const using = names(body.usingClause);
  const quals = postgresExpression(body.quals);
  const type = text(body.jointype).replace('JOIN_', '').toLowerCase();
  const isCross =
    type === 'inner' && quals === null && using.length === 0 && body.isNatural !== true;
  const usingAlias = isNode(body.join_using_alias) ? text(body.join_using_alias.aliasname) : '';
  return [
    'join',
    isCross ? 'cross' : type,
    body.isNatural === true,
    fromItem(body.larg as Node),
    fromItem(body.rarg as Node),
    quals,
    using,
    usingAlias,
    alias(body.alias),
  ];
}

const resultTarget = (node: Node): Json => {
  const body = child(node, 'ResTarget');
  return [postgresExpression(body.val), text(body.name)];
};

function groupItem(node: Node): Json {
  const [tag, body] = open(node);
  if (tag !== 'GroupingSet') return postgresExpression(node);
  const kind = text(body.kind).replace('GROUPING_SET_', '').toLowerCase();
  return ['grouping-set', kind, list(body.content).map(groupItem)];
}

function withClause(value: unknown): Json {
  if (!isNode(value)) return null;
  return [
    value.recursive === true,
    list(value.ctes).map((node) => {
      const body = child(node, 'CommonTableExpr');
      const materialized = text(body.ctematerialized).replace('CTEMaterialize', '').toLowerCase();
      return [
        text(body.ctename),
        names(body.aliascolnames),
        materialized,
        postgresStatement(body.ctequery),
        searchClause(child(body, 'search_clause')),
        cycleClause(child(body, 'cycle_clause')),
      ];
    }),
  ];
}

function searchClause(body: Node): Json {
  if (body.search_seq_column === undefined) return null;
  const order = body.search_breadth_first === true ? 'breadth' : 'depth';
  return [order, names(body.search_col_list), text(body.search_seq_column)];
}

function cycleClause(body: Node): Json {
  if (body.cycle_mark_column === undefined) return null;
  return [
    names(body.cycle_col_list),
    text(body.cycle_mark_column),
    postgresExpression(body.cycle_mark_value),
    postgresExpression(body.cycle_mark_default),
    text(body.cycle_path_column),
  ];
}

function selectBody(body: Node): Json {
  if (body.op !== undefined && body.op !== 'SETOP_NONE') {
    const op = text(body.op).replace('SETOP_', '').toLowerCase();
    return ['set', op, body.all === true, select(child(body, 'larg')), select(child(body, 'rarg'))];
  }
  if (Array.isArray(body.valuesLists)) {
    return ['values', list(body.valuesLists).map((row) => expressions(child(row, 'List').items))];
  }
  const distinct = Array.isArray(body.distinctClause) ? body.distinctClause : undefined;
  const on = expressions(distinct?.filter((node) => isNode(node) && Object.keys(node).length > 0));
  return [
    'select',
    distinct === undefined ? null : on,
    list(body.targetList).map(resultTarget),
    body.intoClause === undefined ? null : relationName(child(child(body, 'intoClause'), 'rel')),
    list(body.fromClause).map(fromItem),
    postgresExpression(body.whereClause),
    body.groupDistinct === true,
    list(body.groupClause).map(groupItem),
    postgresExpression(body.havingClause),
    list(body.windowClause).map((node) => {
      const window = child(node, 'WindowDef');
      return [text(window.name), windowSpec(window)];
    }),
  ];
}

const lockStrengths: ReadonlyMap<string, string> = new Map([
  ['LCS_FORUPDATE', 'UPDATE'],
  ['LCS_FORNOKEYUPDATE', 'NO KEY UPDATE'],
  ['LCS_FORSHARE', 'SHARE'],
  ['LCS_FORKEYSHARE', 'KEY SHARE'],
]);

function lockingClause(node: Node): string {
  const body = child(node, 'LockingClause');
  const relations = list(body.lockedRels).map((relation) =>
    relationName(child(relation, 'RangeVar')).join('.'),
  );
  const wait = text(body.waitPolicy);
  return [
    lockStrengths.get(text(body.strength)) ?? '',
    relations.length > 0 ? `OF ${relations.join(', ')}` : '',
    wait === 'LockWaitError' ? 'NOWAIT' : wait === 'LockWaitSkip' ? 'SKIP LOCKED' : '',
  ]
    .filter((word) => word !== '')
    .join(' ');
}

function select(body: Node): Json {
  const limit = postgresExpression(body.limitCount);
  const isAll = Array.isArray(limit) && limit[0] === 'null';
  return [
    'query',
    withClause(body.withClause),
    selectBody(body),
    list(body.sortClause).map(sortItem),
    isAll ? null : limit,
    postgresExpression(body.limitOffset),
    body.limitOption === 'LIMIT_OPTION_WITH_TIES',
    list(body.lockingClause).map(lockingClause),
  ];
}

// ----------------------------------------------------------------- statements

function writtenColumn(body: Node): Json {
  const steps = list(body.indirection).map(indirectionStep);
  return steps.length === 0 ? text(body.name) : [text(body.name), steps];
}

function assignment(node: Node): Json {
  const body = child(node, 'ResTarget');
  const [tag, value] = open(body.val);
  const column = writtenColumn(body);
  if (tag !== 'MultiAssignRef') return [column, postgresExpression(body.val), null];
  const [sourceTag, source] = open(value.source);
  const index = Number(value.colno) - 1;
  if (sourceTag === 'RowExpr') {
    return [column, expressions(source.args)[index] ?? null, null];
  }
  return [column, postgresExpression(value.source), [index, Number(value.ncolumns)]];
}

function mergeWhen(node: Node): Json {
  const body = child(node, 'MergeWhenClause');
  const command = text(body.commandType).replace('CMD_', '').toLowerCase();
  const match = text(body.matchKind).replace('MERGE_WHEN_', '').replaceAll('_', '-').toLowerCase();
  const override = text(body.override).match(/OVERRIDING_(USER|SYSTEM)_VALUE/)?.[1];
  const targets = list(body.targetList);
  return [
    match,
    postgresExpression(body.condition),
    command,
    override?.toLowerCase() ?? null,
    command === 'update' ? targets.map(assignment) : [],
    command === 'insert' ? targets.map((each) => writtenColumn(child(each, 'ResTarget'))) : [],
    expressions(body.values),
  ];
}

function onConflict(value: unknown): Json {
  if (!isNode(value)) return null;
  const infer = child(value, 'infer');
  return [
    value.action === 'ONCONFLICT_UPDATE' ? 'update' : 'nothing',
    list(infer.indexElems).map((node) => text(child(node, 'IndexElem').name)),
    text(infer.conname),
    list(value.targetList).map(assignment),
    postgresExpression(value.whereClause),
  ];
}

const returning = (body: Node): Json[] =>
  list(child(body, 'returningClause').exprs).map(resultTarget);

const target = (body: Node): Json => {
  const relation = child(body, 'relation');
  return [relationName(relation), text(child(relation, 'alias').aliasname)];
};

function insert(body: Node): Json {
  return [
    'insert',
    withClause(body.withClause),
    target(body),
    list(body.cols).map((node) => writtenColumn(child(node, 'ResTarget'))),
    body.selectStmt === undefined ? null : postgresStatement(body.selectStmt),
    onConflict(body.onConflictClause),
    returning(body),
  ];
}

function columnDefinition(body: Node): Json {
  const constraints = list(body.constraints).map((node) => {
    const constraint = child(node, 'Constraint');
    return [text(constraint.contype), postgresExpression(constraint.raw_expr)] as const;
  });
  const references = list(body.constraints)
    .map((node) => child(node, 'Constraint'))
    .filter(({ contype }) => contype === 'CONSTR_FOREIGN')
    .map(foreignKey);
  const has = (type: string): boolean => constraints.some(([contype]) => contype === type);
  const expressionOf = (type: string): Json =>
    constraints.find(([contype]) => contype === type)?.[1] ?? null;
  return [
    'column',
    text(body.colname),
    postgresType(body.typeName),
    has('CONSTR_PRIMARY'),
    has('CONSTR_NOTNULL'),
    has('CONSTR_UNIQUE'),
    expressionOf('CONSTR_DEFAULT'),
    expressionOf('CONSTR_GENERATED'),
    expressionOf('CONSTR_CHECK'),
    references,
  ];
}

function foreignKey(body: Node): Json {
  return [
    relationName(child(body, 'pktable')),
    names(body.pk_attrs),
    text(body.fk_matchtype),
    text(body.fk_del_action),
    text(body.fk_upd_action),
    names(body.fk_del_set_cols),
  ];
}

const constraintKinds: ReadonlyMap<string, string> = new Map([
  ['CONSTR_PRIMARY', 'primary-key'],
  ['CONSTR_UNIQUE', 'unique'],
  ['CONSTR_CHECK', 'check'],
  ['CONSTR_FOREIGN', 'foreign-key'],
]);

function createTable(body: Node): Json {
  const elements = list(body.tableElts);
  const relation = child(body, 'relation');
  return [
    'create-table',
    relationName(relation),
    body.if_not_exists === true,
    relation.relpersistence === 't',
    elements
      .filter((node) => 'ColumnDef' in node)
      .map((node) => columnDefinition(child(node, 'ColumnDef'))),
    elements
      .filter((node) => 'Constraint' in node)
      .map((node) => {
        const constraint = child(node, 'Constraint');
        return [
          constraintKinds.get(text(constraint.contype)) ?? text(constraint.contype),
          text(constraint.conname),
          names(constraint.contype === 'CONSTR_FOREIGN' ? constraint.fk_attrs : constraint.keys),
          postgresExpression(constraint.raw_expr),
          constraint.nulls_not_distinct === true,
          constraint.contype === 'CONSTR_FOREIGN' ? foreignKey(constraint) : null,
        ];
      }),
    null,
  ];
}

function createTableAs(body: Node): Json {
  const into = child(body, 'into');
  const relation = child(into, 'rel');
  const query = postgresStatement(body.query);
  if (body.objtype === 'OBJECT_MATVIEW') {
    const exists = body.if_not_exists === true;
    return [
      'create-view',
      true,
      false,
      exists,
      relationName(relation),
      names(into.colNames),
      query,
    ];
  }
  const isTemporary = relation.relpersistence === 't';
  return [
    'create-table',
    relationName(relation),
    body.if_not_exists === true,
    isTemporary,
    names(into.colNames).map((name) => [
      'column',
      name,
      null,
      false,
      false,
      false,
      null,
      null,
      null,
      [],
    ]),
    [],
    query,
  ];
}

const statementRules: ReadonlyMap<string, (body: Node) => Json> = new Map<
  string,
  (body: Node) => Json
>([
  ['SelectStmt', select],
  ['InsertStmt', insert],
  [
    'UpdateStmt',
    (body) => [
      'update',
      withClause(body.withClause),
      target(body),
      list(body.targetList).map(assignment),
      list(body.fromClause).map(fromItem),
      postgresExpression(body.whereClause),
      returning(body),
    ],
  ],
  [
    'DeleteStmt',
    (body) => [
      'delete',
      withClause(body.withClause),
      target(body),
      list(body.usingClause).map(fromItem),
      postgresExpression(body.whereClause),
      returning(body),
    ],
  ],
  [
    'MergeStmt',
    (body) => [
      'merge',
      withClause(body.withClause),
      target(body),
      fromItem(body.sourceRelation as Node),
      postgresExpression(body.joinCondition),
      list(body.mergeWhenClauses).map(mergeWhen),
      returning(body),
    ],
  ],
  ['CreateStmt', createTable],
  ['CreateTableAsStmt', createTableAs],
  [
    'ViewStmt',
    (body) => [
      'create-view',
      false,
      body.replace === true,
      false,
      relationName(child(body, 'view')),
      names(body.aliases),
      postgresStatement(body.query),
    ],
  ],
  ['ExplainStmt', (body) => ['explain', postgresStatement(body.query)]],
  [
    'PrepareStmt',
    (body) => [
      'prepare',
      text(body.name),
      list(body.argtypes).map((node) => postgresType(child(node, 'TypeName'))),
      postgresStatement(body.query),
    ],
  ],
  ['ExecuteStmt', (body) => ['execute', text(body.name), expressions(body.params)]],
]);

/** A statement's normal form; for statements without one, only that it is another statement. */
export function postgresStatement(node: unknown): Json {
  const [tag, body] = open(node);
  const rule = statementRules.get(tag);
  return rule === undefined ? ['other'] : rule(body);
}
