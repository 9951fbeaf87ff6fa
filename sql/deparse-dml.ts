/** INSERT, UPDATE, DELETE, MERGE and TRUNCATE as canonical SQL text. */

import type { Expression, Query } from './ast.ts';
import type {
  Assignment,
  MergeAction,
  MergeWhen,
  ReturningClause,
  Statement,
  WrittenColumn,
} from './ast-statement.ts';
import { assertNever } from './base/assert.ts';
import { clause, identifierText, nameText, words } from './deparse-name.ts';
import type { QueryWriter } from './deparse-query.ts';

type Insert = Extract<Statement, { kind: 'insert' }>;
type Update = Extract<Statement, { kind: 'update' }>;
type Delete = Extract<Statement, { kind: 'delete' }>;
type Merge = Extract<Statement, { kind: 'merge' }>;
type Manipulation = Insert | Update | Delete | Merge | Extract<Statement, { kind: 'truncate' }>;

const matchText: Readonly<Record<MergeWhen['match'], string>> = {
  matched: 'MATCHED',
  'not-matched-by-source': 'NOT MATCHED BY SOURCE',
  'not-matched-by-target': 'NOT MATCHED',
};

export class ManipulationWriter {
  readonly #queries: QueryWriter;

  constructor(queries: QueryWriter) {
    this.#queries = queries;
  }

  write(statement: Manipulation): string {
    switch (statement.kind) {
      case 'insert':
        return this.#insert(statement);
      case 'update':
        return this.#update(statement);
      case 'delete':
        return this.#delete(statement);
      case 'merge':
        return this.#merge(statement);
      case 'truncate':
        return words(
          'TRUNCATE',
          statement.relations.map(nameText).join(', '),
          statement.restartIdentity && 'RESTART IDENTITY',
          statement.cascade && 'CASCADE',
        );
      default:
        return assertNever(statement);
    }
  }

  #insert(insert: Insert): string {
    return words(
      this.#queries.withClause(insert.with),
      'INSERT INTO',
      nameText(insert.relation),
      insert.alias && `AS ${identifierText(insert.alias)}`,
      insert.columns.length > 0 && this.#columnList(insert.columns),
      insert.overriding && `OVERRIDING ${insert.overriding.toUpperCase()} VALUE`,
      this.#source(insert),
      this.#onConflict(insert.onConflict),
      this.#returning(insert.returning),
    );
  }

  #source({ source, defaults }: Insert): string {
    if (source === undefined) return 'DEFAULT VALUES';
    if (source.body.kind !== 'values' || defaults.length === 0) return this.#queries.write(source);
    const isDefault = (row: number, column: number): boolean =>
      defaults.some(([atRow, atColumn]) => atRow === row && atColumn === column);
    const rows = source.body.rows.map((row, rowIndex) => {
      const items = row.map((value, column) =>
        isDefault(rowIndex, column) ? 'DEFAULT' : this.#queries.expressions.write(value),
      );
      return `(${items.join(', ')})`;
    });
    return `VALUES ${rows.join(', ')}`;
  }

  #onConflict(conflict: Insert['onConflict']): string | undefined {
    if (conflict === undefined) return undefined;
    const constraint =
      conflict.constraint && `ON CONSTRAINT ${identifierText(conflict.constraint)}`;
    const items = [
      ...conflict.columns.map(identifierText),
      ...(conflict.expressions ?? []).map((item) => this.#conflictItem(item)),
    ];
    const target =
      items.length > 0
        ? words(`(${items.join(', ')})`, this.#where(conflict.targetWhere))
        : constraint;
    if (conflict.action === 'nothing') return words('ON CONFLICT', target, 'DO NOTHING');
    const set = `DO UPDATE SET ${this.#assignments(conflict.set)}`;
    return words('ON CONFLICT', target, set, this.#where(conflict.where));
  }

  /** Anything but a call stands in parentheses. */
  #conflictItem(item: Expression): string {
    const text = this.#queries.expressions.write(item);
    return item.kind === 'call' ? text : `(${text})`;
  }

  #update(update: Update): string {
    return words(
      this.#queries.withClause(update.with),
      'UPDATE',
      nameText(update.relation),
      update.alias && `AS ${identifierText(update.alias)}`,
      `SET ${this.#assignments(update.set)}`,
      clause('FROM', update.from.map(this.#queries.from.write)),
      this.#where(update.where),
      this.#returning(update.returning),
    );
  }

  #delete(statement: Delete): string {
    return words(
      this.#queries.withClause(statement.with),
      'DELETE FROM',
      nameText(statement.relation),
      statement.alias && `AS ${identifierText(statement.alias)}`,
      clause('USING', statement.using.map(this.#queries.from.write)),
      this.#where(statement.where),
      this.#returning(statement.returning),
    );
  }

  #merge(merge: Merge): string {
    return words(
      this.#queries.withClause(merge.with),
      'MERGE INTO',
      nameText(merge.relation),
      merge.alias && `AS ${identifierText(merge.alias)}`,
      `USING ${this.#queries.from.write(merge.using)}`,
      `ON ${this.#queries.expressions.write(merge.on)}`,
      ...merge.whens.map((when) => this.#when(when)),
      this.#returning(merge.returning),
    );
  }

  #when({ match, condition, action }: MergeWhen): string {
    return words(
      `WHEN ${matchText[match]}`,
      condition && `AND ${this.#queries.expressions.write(condition)}`,
      `THEN ${this.#mergeAction(action)}`,
    );
  }

  #mergeAction(action: MergeAction): string {
    switch (action.kind) {
      case 'nothing':
        return 'DO NOTHING';
      case 'delete':
        return 'DELETE';
      case 'update':
        return `UPDATE SET ${this.#assignments(action.set)}`;
      case 'insert': {
        if (action.values === undefined) return 'INSERT DEFAULT VALUES';
        const values = action.values.map((value) =>
          value === 'default' ? 'DEFAULT' : this.#queries.expressions.write(value),
        );
        return words(
          'INSERT',
          action.columns.length > 0 && this.#columnList(action.columns),
          action.overriding && `OVERRIDING ${action.overriding.toUpperCase()} VALUE`,
          `VALUES (${values.join(', ')})`,
        );
      }
      default:
        return assertNever(action);
    }
  }

  #columnList(columns: readonly WrittenColumn[]): string {
    return `(${columns.map((column) => this.#column(column)).join(', ')})`;
  }

  #column(column: WrittenColumn): string {
    const write = (part: Expression | undefined): string =>
      part === undefined ? '' : this.#queries.expressions.write(part);
    const steps = (column.path ?? []).map((step) => {
      if (step.kind === 'field') return `.${identifierText(step.field)}`;
      if (step.kind === 'element') return `[${write(step.index)}]`;
      return `[${write(step.low)}:${write(step.high)}]`;
    });
    return [identifierText(column), ...steps].join('');
  }

  #where(where: Query['limit']): string | undefined {
    return where === undefined ? undefined : `WHERE ${this.#queries.expressions.write(where)}`;
  }

  #returning({ items, ...rows }: ReturningClause): string | undefined {
    const names = (['old', 'new'] as const).flatMap((which) => {
      const name = rows[which];
      return name === undefined ? [] : [`${which.toUpperCase()} AS ${identifierText(name)}`];
    });
    const renamed = names.length === 0 ? '' : ` WITH (${names.join(', ')})`;
    return clause(`RETURNING${renamed}`, items.map(this.#queries.selectItem));
  }

  /** Assignments that share a query are written together again. */
  #assignments(assignments: readonly Assignment[]): string {
    const texts: string[] = [];
    for (let at = 0; at < assignments.length; ) {
      const first = assignments[at];
      if (first === undefined) break;
      const count = first.part?.count ?? 1;
      const value =
        first.value === 'default' ? 'DEFAULT' : this.#queries.expressions.write(first.value);
      const columns = assignments.slice(at, at + count).map((assignment) => assignment.column);
      const target =
        first.part === undefined ? this.#column(first.column) : this.#columnList(columns);
      texts.push(`${target} = ${value}`);
      at += count;
    }
    return texts.join(', ');
  }
}
