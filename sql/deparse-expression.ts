/** Expressions as canonical SQL text, with the parentheses that precedence needs and no others. */
import type {
  Expression,
  FunctionCall,
  QualifiedName,
  Query,
  SortItem,
  WindowFrame,
  WindowSpec,
} from './ast.ts';
import { assertNever } from './base/assert.ts';
import { jsonConstructorText } from './deparse-json-constructor.ts';
import { jsonPathText } from './deparse-json-path.ts';
import {
  clause,
  fieldsText,
  identifierText,
  nameText,
  quoteIdentifier,
  quoteString,
  typeText,
  words,
} from './deparse-name.ts';
import { isJsonConstructor } from './json-constructor-clause.ts';
import { pathFunctions } from './parser-json-path.ts';
import { CHAIN_BALANCED_FROM, precedence, symbolPrecedence } from './precedence.ts';

/** Writes a subquery; handed in, so that this file need not know queries. */
export type QueryText = (query: Query) => string;

/** Binds tighter than every operator. */
const PRIMARY = 20;

/** How tightly the outermost operator of an expression binds. */
function levelOf(expression: Expression): number {
  switch (expression.kind) {
    case 'or':
      return precedence.or;
    case 'and':
      return precedence.and;
    case 'not':
      return precedence.not;
    case 'is':
    case 'is-distinct':
      return precedence.is;
    case 'between':
    case 'like':
    case 'in-list':
    case 'in-query':
      return precedence.like;
    case 'binary':
    case 'quantified':
      return operatorLevel(expression.op);
    case 'unary':
      return isSign(expression.op) ? precedence.unaryMinus : precedence.operator;
    case 'at-time-zone':
      return precedence.at;
    case 'collate':
      return precedence.collate;
    case 'cast':
      return expression.try ? PRIMARY : precedence.typecast;
    case 'lambda':
      return precedence.none;
    default:
      return PRIMARY;
  }
}

const operatorLevel = (op: string): number => symbolPrecedence.get(op) ?? precedence.operator;

const isSign = (op: string): boolean => op === '-' || op === '+';

/** Writes expressions; one instance for a kind of subquery text. */
export class ExpressionWriter {
  readonly #query: QueryText;

  constructor(query: QueryText) {
    this.#query = query;
  }

  /** The text of an expression where any expression may stand. */
  readonly write = (expression: Expression): string => this.#text(expression);

  /** The text where only an operand may stand (`c_expr`). */
  operand(expression: Expression): string {
    return this.#atLeast(expression, PRIMARY);
  }

  /** The text where AND, NOT, COLLATE and the like would be misread (`b_expr`). */
  restricted(expression: Expression): string {
    const text = this.#text(expression);
    return isRestricted(expression) ? text : `(${text})`;
  }

  list(expressions: readonly Expression[]): string {
    return expressions.map(this.write).join(', ');
  }

  sortItem = (item: SortItem): string =>
    words(
      this.#text(item.expression),
      item.descending && 'DESC',
      item.nulls !== undefined && `NULLS ${item.nulls.toUpperCase()}`,
    );

  orderBy(items: readonly SortItem[]): string | undefined {
    return clause('ORDER BY', items.map(this.sortItem));
  }

  /** `expression`, in parentheses unless it binds at least as tightly as `level`. */
  #atLeast(expression: Expression, level: number): string {
    const text = this.#text(expression);
    return levelOf(expression) >= level ? text : `(${text})`;
  }

  #above(expression: Expression, level: number): string {
    return this.#atLeast(expression, level + 1);
  }

  #text(node: Expression): string {
    switch (node.kind) {
      case 'null':
        return 'NULL';
      case 'boolean':
        return node.value ? 'TRUE' : 'FALSE';
      case 'number':
        return node.text;
      case 'string':
        return quoteString(node.value);
      case 'bit-string':
        return `${node.text.charAt(0).toUpperCase()}'${node.text.slice(1)}'`;
      case 'typed-literal':
        return typedLiteral(node);
      case 'column':
        return nameText(node.name);
      case 'star':
        return `${node.qualifier === undefined ? '' : `${nameText(node.qualifier)}.`}*${exceptText(node.except)}`;
      case 'parameter':
        return `$${node.index}`;
      case 'unary':
        return this.#unary(node);
      case 'binary':
        return this.#binary(node);
      case 'and':
      case 'or':
        return this.#chain(node);
      case 'not':
        return `NOT ${this.#atLeast(node.operand, precedence.not)}`;
      case 'is':
      case 'is-distinct':
      case 'between':
      case 'like':
      case 'in-list':
      case 'in-query':
      case 'quantified':
        return this.#predicate(node);
      case 'case':
        return this.#case(node);
      case 'cast':
        return node.try
          ? `TRY_CAST(${this.#text(node.operand)} AS ${typeText(node.type)})`
          : `${this.#atLeast(node.operand, precedence.typecast)}::${typeText(node.type)}`;
      case 'call':
        return this.call(node);
      case 'scalar-query':
        return `(${this.#query(node.query)})`;
      case 'exists':
        return `EXISTS (${this.#query(node.query)})`;
      case 'array-query':
        return `ARRAY(${this.#query(node.query)})`;
      case 'array':
        return `ARRAY[${this.list(node.items)}]`;
      case 'row':
        return `${node.explicit ? 'ROW' : ''}(${this.list(node.items)})`;
      case 'subscript':
        return `${this.#base(node.operand)}[${this.#text(node.index)}]`;
      case 'slice':
        return `${this.#base(node.operand)}[${this.#bound(node.low)}:${this.#bound(node.high)}]`;
      case 'field': {
        const isStar = node.field.name === '*' && !node.field.quoted;
        return `${this.#recordBase(node.operand)}.${isStar ? '*' : identifierText(node.field)}`;
      }
      case 'at-time-zone':
        return `${this.#atLeast(node.operand, precedence.at)} AT TIME ZONE ${this.#above(node.zone, precedence.at)}`;
      case 'collate':
        return `${this.#atLeast(node.operand, precedence.collate)} COLLATE ${nameText(node.collation)}`;
      case 'grouping':
        return `GROUPING(${this.list(node.items)})`;
      case 'lambda':
        return `(${node.parameters.map(identifierText).join(', ')}) => ${this.#text(node.body)}`;
      default:
        return assertNever(node);
    }
  }

  #bound(bound: Expression | undefined): string {
    if (bound === undefined) return '';
    return this.#text(bound);
  }

  #unary(node: Expression & { kind: 'unary' }): string {
    if (!isSign(node.op)) {
      const level = precedence.operator + (node.operand.kind === 'unary' ? 0 : 1);
      return `${node.op} ${this.#atLeast(node.operand, level)}`;
    }
    const operand = this.#atLeast(node.operand, precedence.unaryMinus);
    // Two signs in a row would be an operator or a comment.
    return `${node.op}${/^[-+]/.test(operand) ? ' ' : ''}${operand}`;
  }

  #binary(node: Expression & { kind: 'binary' }): string {
    const level = operatorLevel(node.op);
    const isChainable = level !== precedence.comparison;
    const left = this.#atLeast(node.left, isChainable ? level : level + 1);
    return `${left} ${node.op} ${this.#above(node.right, level)}`;
  }

  /** The parser makes a balanced tree of a long chain, so a long chain is written flat. */
  #chain(node: Expression & { kind: 'and' | 'or' }): string {
    const level = precedence[node.kind];
    const word = ` ${node.kind.toUpperCase()} `;
    const all = flatten(node, node.kind);
    if (all.length >= CHAIN_BALANCED_FROM) {
      return all.map((operand) => this.#above(operand, level)).join(word);
    }
    return `${this.#atLeast(node.left, level)}${word}${this.#above(node.right, level)}`;
  }

  #predicate(
    node: Expression & {
      kind: 'is' | 'is-distinct' | 'between' | 'like' | 'in-list' | 'in-query' | 'quantified';
    },
  ): string {
    const not = 'negated' in node && node.negated && 'NOT';
    switch (node.kind) {
      case 'is':
        return words(this.#above(node.operand, precedence.is), 'IS', not, isTest(node));
      case 'is-distinct': {
        const left = this.#above(node.left, precedence.is);
        return words(left, 'IS', not, 'DISTINCT FROM', this.#above(node.right, precedence.is));
      }
      case 'between': {
        const operand = this.#above(node.operand, precedence.like);
        const symmetric = node.symmetric && 'SYMMETRIC';
        const low = this.restricted(node.low);
        const high = this.#above(node.high, precedence.like);
        return words(operand, not, 'BETWEEN', symmetric, low, 'AND', high);
      }
      case 'like': {
        const operand = this.#above(node.operand, precedence.like);
        const op = node.op === 'similar' ? 'SIMILAR TO' : node.op.toUpperCase();
        const pattern = this.#above(node.pattern, precedence.like);
        const escaped =
          node.escape === undefined
            ? undefined
            : `ESCAPE ${this.#above(node.escape, precedence.like)}`;
        return words(operand, not, op, pattern, escaped);
      }
      case 'in-list':
        return words(
          this.#above(node.operand, precedence.like),
          not,
          `IN (${this.list(node.items)})`,
        );
      case 'in-query':
        return words(
          this.#above(node.operand, precedence.like),
          not,
          `IN (${this.#query(node.query)})`,
        );
      case 'quantified': {
        const operand = this.#above(node.operand, operatorLevel(node.op));
        const right =
          node.right.kind === 'query'
            ? this.#query(node.right.query)
            : this.#text(node.right.array);
        return `${operand} ${node.op} ${node.quantifier.toUpperCase()} (${right})`;
      }
      default:
        return assertNever(node);
    }
  }

  #case(node: Expression & { kind: 'case' }): string {
    const whens = node.whens.map(
      (arm) => `WHEN ${this.#text(arm.when)} THEN ${this.#text(arm.then)}`,
    );
    const operand = node.operand === undefined ? undefined : this.#text(node.operand);
    const otherwise =
      node.otherwise === undefined ? undefined : `ELSE ${this.#text(node.otherwise)}`;
    return words('CASE', operand, ...whens, otherwise, 'END');
  }

  /** What a subscript may follow without parentheses. */
  #base(operand: Expression): string {
    const text = this.#text(operand);
    const follows = ['column', 'parameter', 'subscript', 'slice', 'field', 'scalar-query'];
    return follows.includes(operand.kind) ? text : `(${text})`;
  }

  /** A column before a field needs parentheses, else it would be a table. */
  #recordBase(operand: Expression): string {
    return operand.kind === 'column' ? `(${this.#text(operand)})` : this.#base(operand);
  }

  // ------------------------------------------------------------------- calls

  /** A call with its clauses. */
  call(node: FunctionCall): string {
    const over = node.over === undefined ? undefined : `OVER ${this.#over(node.over)}`;
    return words(
      node.semantics?.toUpperCase(),
      this.#application(node),
      node.withinGroup.length > 0 && `WITHIN GROUP (${this.orderBy(node.withinGroup)})`,
      node.filter !== undefined && `FILTER (WHERE ${this.#text(node.filter)})`,
      node.nulls !== undefined && `${node.nulls.toUpperCase()} NULLS`,
      over,
    );
  }

  #application(node: FunctionCall): string {
    const values = node.args.map((arg) => arg.value);
    if (node.keyword) {
      const name = nameOf(node).toUpperCase();
      return values.length === 0 ? name : `${name}(${this.list(values)})`;
    }
    if (isJsonConstructor(node)) {
      return jsonConstructorText(node, this.write, this.orderBy(node.orderBy));
    }
    const special = this.#specialCall(node, values);
    if (special !== undefined) return special;
    if (node.name.parts.length === 1 && pathFunctions.has(nameOf(node))) {
      return jsonPathText(node, this.write);
    }
    const args = node.args.map((arg, index) => {
      const last = node.variadic && index === node.args.length - 1;
      const name = arg.name === undefined ? undefined : `${identifierText(arg.name)} =>`;
      return words(last && 'VARIADIC', name, this.#text(arg.value));
    });
    const inside = node.star ? '*' : args.join(', ');
    const text = words(node.distinct && 'DISTINCT', inside, this.orderBy(node.orderBy));
    return `${functionNameText(node)}(${text})`;
  }

  /** The calls that have no plain spelling. */
  #specialCall(node: FunctionCall, values: readonly Expression[]): string | undefined {
    if (node.name.parts.length !== 1) return undefined;
    const [first, second] = values;
    if (first === undefined || second === undefined || values.length !== 2) return undefined;
    switch (nameOf(node)) {
      case 'extract':
        return first.kind === 'string'
          ? `EXTRACT(${extractField(first.value)} FROM ${this.#text(second)})`
          : undefined;
      case 'position':
        return `POSITION(${this.restricted(second)} IN ${this.restricted(first)})`;
      case 'normalize':
        return second.kind === 'string'
          ? `NORMALIZE(${this.#text(first)}, ${second.value})`
          : undefined;
      default:
        return undefined;
    }
  }

  #over(over: NonNullable<FunctionCall['over']>): string {
    return 'kind' in over ? this.windowSpec(over) : identifierText(over);
  }

  /** `(PARTITION BY … ORDER BY … frame)`. */
  windowSpec(spec: WindowSpec): string {
    const frame = spec.frame === undefined ? undefined : this.#frame(spec.frame);
    const base = spec.base === undefined ? undefined : windowNameText(spec.base.name);
    const partitionBy = clause('PARTITION BY', spec.partitionBy.map(this.write));
    return `(${words(base, partitionBy, this.orderBy(spec.orderBy), frame)})`;
  }

  #frame(frame: WindowFrame): string {
    const bounds = `BETWEEN ${this.#frameBound(frame.start)} AND ${this.#frameBound(frame.end)}`;
    const exclude = frame.exclude === 'no others' ? '' : ` EXCLUDE ${frame.exclude.toUpperCase()}`;
    return `${frame.unit.toUpperCase()} ${bounds}${exclude}`;
  }

  #frameBound(bound: WindowFrame['start']): string {
    if (bound.kind !== 'preceding' && bound.kind !== 'following') {
      return bound.kind.replace('-', ' ').toUpperCase();
    }
    return `${this.operand(bound.offset)} ${bound.kind.toUpperCase()}`;
  }
}

function flatten(node: Expression, kind: 'and' | 'or'): Expression[] {
  const all: Expression[] = [];
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.kind === kind) pending.push(next.right, next.left);
    else all.push(next);
  }
  return all;
}

/** Whether `b_expr` of the grammar takes the expression without parentheses. */
function isRestricted(node: Expression): boolean {
  switch (node.kind) {
    case 'unary':
      return isRestricted(node.operand);
    case 'binary':
      return isRestricted(node.left) && isRestricted(node.right);
    case 'cast':
      return node.try || isRestricted(node.operand);
    default:
      return levelOf(node) === PRIMARY;
  }
}

function typedLiteral(node: Expression & { kind: 'typed-literal' }): string {
  if (node.type.intervalFields === undefined) {
    return `${typeText(node.type)} ${quoteString(node.value)}`;
  }
  return `interval ${quoteString(node.value)} ${fieldsText(node.type)}`;
}

function isTest(node: Expression & { kind: 'is' }): string {
  if (node.test === 'json') {
    const detail = node.detail === undefined ? undefined : node.detail.toUpperCase();
    return words('JSON', detail, detail?.endsWith('UNIQUE') && 'KEYS');
  }
  if (node.test === 'normalized') return words(node.detail?.toUpperCase(), 'NORMALIZED');
  return node.test.toUpperCase();
}

const nameOf = (node: FunctionCall): string => node.name.parts[0]?.name ?? '';

/** Calls that the parser reads by rules of their own, so that their names go unquoted. */
const ruleNames: ReadonlySet<string> = new Set([
  ...['coalesce', 'greatest', 'least', 'nullif', 'substring', 'overlay', 'normalize', 'overlaps'],
  'merge_action',
  ...['left', 'right', 'current_schema', 'json', 'json_array', 'json_arrayagg', 'json_exists'],
  ...['json_object', 'json_query', 'json_scalar', 'json_serialize', 'json_value'],
]);

function functionNameText(node: FunctionCall): string {
  if (node.name.parts.length > 1) return nameText(node.name);
  const name = nameOf(node);
  if (name === 'try_cast') return `"${name}"`;
  return ruleNames.has(name) ? name : quoteIdentifier(name);
}

/** PARTITION, ROWS and the like would begin a clause. */
const windowNameText = (name: string): string =>
  ['partition', 'range', 'rows', 'groups'].includes(name) ? `"${name}"` : quoteIdentifier(name);

const extractField = (field: string): string =>
  /^[a-z_]+$/.test(field) && quoteIdentifier(field) === field ? field : quoteString(field);

const exceptText = (except: readonly QualifiedName[] | undefined): string =>
  except === undefined ? '' : ` EXCEPT (${except.map(nameText).join(', ')})`;
