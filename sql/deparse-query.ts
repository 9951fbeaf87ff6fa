/** Queries as canonical SQL text. */

import type {
  CommonTable,
  CycleClause,
  Emit,
  GroupItem,
  Query,
  QueryBody,
  SearchClause,
  Select,
  SelectItem,
} from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { assertNever } from './base/assert.ts';
import { ExpressionWriter } from './deparse-expression.ts';
import { FromWriter } from './deparse-from.ts';
import { clause, identifierList, identifierText, nameText, words } from './deparse-name.ts';

/** Writes a statement inside a WITH clause; handed in by the writer of statements. */
export type StatementText = (statement: Statement) => string;

const setPrecedence = { union: 1, except: 1, intersect: 2 } as const;

const searchText = ({ order, columns, sequence }: SearchClause): string =>
  `SEARCH ${order.toUpperCase()} FIRST BY ${columns.map(identifierText).join(', ')} SET ${identifierText(sequence)}`;

/** Writes queries, and holds the writers of what is in them. */
export class QueryWriter {
  readonly expressions: ExpressionWriter;
  readonly from: FromWriter;
  readonly #statement: StatementText;

  constructor(statement: StatementText) {
    this.#statement = statement;
    this.expressions = new ExpressionWriter(this.write);
    this.from = new FromWriter(this.expressions, this.write, this.selectItem);
  }

  readonly write = (query: Query): string => {
    const { limit, offset } = query;
    return words(
      this.withClause(query.with),
      this.#body(query.body, 0),
      this.expressions.orderBy(query.orderBy),
      limit !== undefined && !query.withTies && `LIMIT ${this.expressions.write(limit)}`,
      offset !== undefined && `OFFSET ${this.expressions.write(offset)}`,
      limit !== undefined &&
        query.withTies &&
        `FETCH FIRST ${this.expressions.operand(limit)} ROWS WITH TIES`,
      ...query.locking.map((locking) => `FOR ${locking}`),
      this.#emit(query.emit),
    );
  };

  /** `WITH …` of a query or of a manipulation. */
  withClause(clauseOf: Query['with']): string | undefined {
    if (clauseOf === undefined) return undefined;
    const items = clauseOf.items.map((item) => this.#commonTable(item));
    return words('WITH', clauseOf.recursive && 'RECURSIVE', items.join(', '));
  }

  #commonTable(table: CommonTable): string {
    const columns = table.columns.length > 0 && identifierList(table.columns);
    const { materialized } = table;
    const mode =
      materialized === undefined ? undefined : materialized ? 'MATERIALIZED' : 'NOT MATERIALIZED';
    return words(
      identifierText(table.name),
      columns,
      'AS',
      mode,
      `(${this.#statement(table.statement)})`,
      table.search && searchText(table.search),
      table.cycle && this.#cycle(table.cycle),
    );
  }

  #cycle({ columns, mark, value, otherwise, path }: CycleClause): string {
    const list = columns.map(identifierText).join(', ');
    const values =
      value &&
      otherwise &&
      `TO ${this.expressions.write(value)} DEFAULT ${this.expressions.write(otherwise)}`;
    return words(
      `CYCLE ${list} SET ${identifierText(mark)}`,
      values,
      `USING ${identifierText(path)}`,
    );
  }

  #emit(emit: Emit | undefined): string | undefined {
    if (emit === undefined) return undefined;
    if (emit.kind === 'window-close') return 'EMIT ON WINDOW CLOSE';
    if (emit.kind === 'every') return `EMIT EVERY ${this.expressions.operand(emit.interval)}`;
    if (emit.kind === 'after-watermark') {
      const every = emit.interval && `EVERY ${this.expressions.operand(emit.interval)} AND `;
      return `EMIT ${every ?? ''}AFTER WATERMARK`;
    }
    return `EMIT ${emit.kind.toUpperCase()}`;
  }

  /** @param minimum what a set operation must bind at least as tightly as. */
  #body(body: QueryBody, minimum: number): string {
    switch (body.kind) {
      case 'select':
        return this.#select(body);
      case 'values':
        return `VALUES ${body.rows.map((row) => `(${this.expressions.list(row)})`).join(', ')}`;
      case 'table':
        return `TABLE ${nameText(body.name)}`;
      case 'nested':
        return `(${this.write(body.query)})`;
      case 'set-operation': {
        const level = setPrecedence[body.op];
        const op = words(body.op.toUpperCase(), body.all && 'ALL');
        const text = `${this.#body(body.left, level)} ${op} ${this.#body(body.right, level + 1)}`;
        return level >= minimum ? text : `(${text})`;
      }
      default:
        return assertNever(body);
    }
  }

  #select(select: Select): string {
    const { write } = this.expressions;
    const windows = select.windows.map(
      ({ name, spec }) => `${identifierText(name)} AS ${this.expressions.windowSpec(spec)}`,
    );
    return words(
      'SELECT',
      this.#quantifier(select.distinct),
      select.items.map(this.selectItem).join(', '),
      select.into && `INTO ${nameText(select.into)}`,
      clause('FROM', select.from.map(this.from.write)),
      select.streamWindow && this.from.streamWindow(select.streamWindow),
      select.where && `WHERE ${write(select.where)}`,
      clause('PARTITION BY', select.partitionBy.map(write)),
      this.#groupBy(select),
      select.having && `HAVING ${write(select.having)}`,
      clause('WINDOW', windows),
      select.qualify && `QUALIFY ${write(select.qualify)}`,
    );
  }

  #quantifier(distinct: Select['distinct']): string | undefined {
    switch (distinct.kind) {
      case 'all':
        return undefined;
      case 'distinct':
        return 'DISTINCT';
      case 'on':
        return `DISTINCT ON (${this.expressions.list(distinct.expressions)})`;
      default:
        return assertNever(distinct);
    }
  }

  readonly selectItem = (item: SelectItem): string => {
    const alias = item.alias === undefined ? undefined : `AS ${identifierText(item.alias)}`;
    return words(this.expressions.write(item.expression), alias);
  };

  #groupBy(select: Select): string | undefined {
    const items = select.groupBy.map((item) => this.#groupItem(item));
    return clause(select.groupByDistinct ? 'GROUP BY DISTINCT' : 'GROUP BY', items);
  }

  #groupItem(item: GroupItem): string {
    switch (item.kind) {
      case 'expression':
        return this.expressions.write(item.expression);
      case 'set':
        return `(${this.expressions.list(item.expressions)})`;
      case 'empty':
        return '()';
      case 'rollup':
      case 'cube': {
        const sets = item.sets.map((set) =>
          set.length === 1 ? this.expressions.list(set) : `(${this.expressions.list(set)})`,
        );
        return `${item.kind.toUpperCase()} (${sets.join(', ')})`;
      }
      case 'grouping-sets':
        return `GROUPING SETS (${item.items.map((inner) => this.#groupItem(inner)).join(', ')})`;
      default:
        return assertNever(item);
    }
  }
}
