/** FROM items as canonical SQL text. */
import type { Expression, FromItem, SelectItem, StreamWindow, TableAlias } from './ast.ts';
import { assertNever } from './base/assert.ts';
import type { ExpressionWriter, QueryText } from './deparse-expression.ts';
import { jsonTableText } from './deparse-json-path.ts';
import { MatchWriter } from './deparse-match.ts';
import { identifierList, identifierText, nameText, typeText, words } from './deparse-name.ts';

type Join = FromItem & { kind: 'join' };
type FunctionItem = FromItem & { kind: 'function' };
type WindowTable = FromItem & { kind: 'window-table' };

const joinWords: Readonly<Record<Join['type'], string>> = {
  inner: 'JOIN',
  left: 'LEFT JOIN',
  right: 'RIGHT JOIN',
  full: 'FULL JOIN',
  cross: 'CROSS JOIN',
  semi: 'SEMI JOIN',
  anti: 'ANTI JOIN',
  asof: 'ASOF JOIN',
  'asof-left': 'ASOF LEFT JOIN',
};

export class FromWriter {
  readonly #expressions: ExpressionWriter;
  readonly #query: QueryText;
  readonly #match: MatchWriter;

  constructor(
    expressions: ExpressionWriter,
    query: QueryText,
    selectItem: (item: SelectItem) => string,
  ) {
    this.#expressions = expressions;
    this.#query = query;
    this.#match = new MatchWriter(expressions, selectItem);
  }

  readonly write = (item: FromItem): string => {
    switch (item.kind) {
      case 'relation':
        return this.#relation(item);
      case 'derived': {
        const query = `(${this.#query(item.query)})`;
        return words(item.lateral && 'LATERAL', query, aliasText(item.alias));
      }
      case 'function':
        return this.#function(item);
      case 'window-table':
        return words(this.#windowTable(item), aliasText(item.alias));
      case 'json-table':
        return words(jsonTableText(item, this.#expressions.write), aliasText(item.alias));
      case 'join':
        return this.#join(item);
      case 'match-recognize':
        return words(this.#operand(item.source), this.#match.write(item), aliasText(item.alias));
      default:
        return assertNever(item);
    }
  };

  /** The item where only one table may stand. */
  #operand(item: FromItem): string {
    const text = this.write(item);
    return item.kind === 'join' && item.alias === undefined ? `(${text})` : text;
  }

  #relation(item: FromItem & { kind: 'relation' }): string {
    const { sample, systemTime } = item;
    return words(
      item.only && 'ONLY',
      nameText(item.name),
      systemTime && `FOR SYSTEM_TIME AS OF ${this.#expressions.write(systemTime)}`,
      aliasText(item.alias),
      sample && `TABLESAMPLE ${sample.method}(${this.#expressions.list(sample.args)})`,
      sample?.repeatable && `REPEATABLE (${this.#expressions.write(sample.repeatable)})`,
    );
  }

  #function(item: FunctionItem): string {
    const calls = item.calls.map(({ call, columns }) =>
      words(
        this.#expressions.call(call),
        item.rowsFrom && columns.length > 0 && `AS ${definitions(columns)}`,
      ),
    );
    const [single] = item.calls;
    const columns = item.rowsFrom || single === undefined ? [] : single.columns;
    const alias = aliasText(item.alias);
    return words(
      item.lateral && 'LATERAL',
      item.rowsFrom ? `ROWS FROM (${calls.join(', ')})` : calls.join(''),
      item.ordinality && 'WITH ORDINALITY',
      alias,
      columns.length > 0 && words(alias === undefined && 'AS', definitions(columns)),
    );
  }

  #windowTable(item: WindowTable): string {
    const { zone } = item;
    const settings = [
      ...item.intervals.map(this.#expressions.write),
      ...(zone === undefined ? [] : [`timezone => ${this.#expressions.write(zone)}`]),
    ];
    const name = item.window.toUpperCase();
    const partitionBy =
      item.partitionBy.length > 0 && `PARTITION BY (${this.#expressions.list(item.partitionBy)})`;
    const source = words(item.flink && 'TABLE', this.write(item.source), partitionBy);
    const column = nameText(item.timeColumn);
    if (!item.flink) return `${name}(${[source, column, ...settings].join(', ')})`;
    return `TABLE(${name}(${[source, `DESCRIPTOR(${column})`, ...settings].join(', ')}))`;
  }

  #join(join: Join): string {
    const left = this.write(join.left);
    const right = this.#operand(join.right);
    const natural = join.natural && 'NATURAL';
    const condition = join.on === undefined ? undefined : `ON ${this.#expressions.write(join.on)}`;
    const within = this.#within(join.within);
    const text = words(
      left,
      natural,
      joinWords[join.type],
      right,
      within,
      condition,
      usingText(join),
    );
    return join.alias === undefined ? text : `(${text}) ${aliasText(join.alias) ?? ''}`;
  }

  #within(within: Join['within']): string | undefined {
    if (within === undefined) return undefined;
    const bounds = `${this.#duration(within.before)}, ${this.#duration(within.after)}`;
    const grace = within.grace && `GRACE PERIOD ${this.#duration(within.grace)}`;
    return words(`WITHIN (${bounds})`, grace);
  }

  #duration(duration: Expression): string {
    return this.#expressions.operand(duration);
  }

  /** ksqlDB's WINDOW clause. */
  streamWindow(window: StreamWindow): string {
    const size = this.#duration(window.size);
    const items = [
      window.kind === 'session' ? size : `SIZE ${size}`,
      window.advance && `ADVANCE BY ${this.#duration(window.advance)}`,
      window.retention && `RETENTION ${this.#duration(window.retention)}`,
      window.grace && `GRACE PERIOD ${this.#duration(window.grace)}`,
    ];
    const text = items.filter((item) => item !== undefined).join(', ');
    return `WINDOW ${window.kind.toUpperCase()} (${text})`;
  }
}

function usingText(join: Join): string | undefined {
  if (join.using === undefined) return undefined;
  const alias = join.using.alias && `AS ${identifierText(join.using.alias)}`;
  return words(`USING ${identifierList(join.using.columns)}`, alias);
}

/** `AS name (columns)`. */
export function aliasText(alias: TableAlias | undefined): string | undefined {
  if (alias === undefined) return undefined;
  const columns = alias.columns.length > 0 && identifierList(alias.columns);
  return words(`AS ${identifierText(alias.name)}`, columns);
}

function definitions(columns: FunctionItem['calls'][number]['columns']): string {
  return `(${columns.map((column) => `${identifierText(column.name)} ${typeText(column.type)}`).join(', ')})`;
}
