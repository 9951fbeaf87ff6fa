/** CREATE, DROP and ALTER as canonical SQL text. */

import type { SortItem } from './ast.ts';
import type { AlterAction } from './ast-alter.ts';
import type {
  ColumnDefinition,
  ForeignKeyConstraint,
  Identity,
  ObjectKind,
  Option,
  SequenceOption,
  TableConstraint,
} from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import { assertNever } from './base/assert.ts';
import {
  clause,
  identifierList,
  identifierText,
  nameText,
  quoteString,
  typeText,
  words,
} from './deparse-name.ts';
import type { QueryWriter } from './deparse-query.ts';
import { definitionText, domainActionText, domainText, typeActionText } from './deparse-type.ts';

type Kind<Name extends Statement['kind']> = Extract<Statement, { kind: Name }>;
type Definition = Kind<
  | 'create-relation'
  | 'create-view'
  | 'create-sink'
  | 'create-connection'
  | 'create-secret'
  | 'create-type'
  | 'create-domain'
  | 'alter-type'
  | 'alter-domain'
  | 'create-function'
  | 'create-aggregate'
  | 'create-index'
  | 'create-schema'
  | 'create-sequence'
  | 'alter-sequence'
  | 'drop'
  | 'alter'
>;

/** `MATERIALIZED VIEW`, … */
export const objectWords = (object: ObjectKind | 'system'): string =>
  object.replace('-', ' ').toUpperCase();

export class DefinitionWriter {
  readonly #queries: QueryWriter;

  constructor(queries: QueryWriter) {
    this.#queries = queries;
  }

  write(statement: Definition): string {
    switch (statement.kind) {
      case 'create-relation':
        return this.#relation(statement);
      case 'create-view':
        return this.#view(statement);
      case 'create-sink':
        return this.#sink(statement);
      case 'create-connection':
      case 'create-secret': {
        const word = statement.kind === 'create-secret' ? 'SECRET' : 'CONNECTION';
        return words(
          create(statement, word),
          nameText(statement.name),
          this.withOptions(statement.options),
        );
      }
      case 'create-type':
        return words(
          create(statement, 'TYPE'),
          nameText(statement.name),
          'AS',
          definitionText(statement),
        );
      case 'create-domain':
        return domainText(statement, this.#queries.expressions.write);
      case 'alter-type':
        return words('ALTER TYPE', nameText(statement.name), typeActionText(statement.action));
      case 'alter-domain':
        return words(
          'ALTER DOMAIN',
          nameText(statement.name),
          domainActionText(statement.action, this.#queries.expressions.write),
        );
      case 'create-function':
        return this.#function(statement);
      case 'create-aggregate':
        return aggregateText(statement);
      case 'create-index':
        return this.#index(statement);
      case 'create-sequence': {
        const ifNotExists = statement.ifNotExists && 'IF NOT EXISTS';
        return words(
          'CREATE SEQUENCE',
          ifNotExists,
          nameText(statement.name),
          sequenceText(statement.options),
        );
      }
      case 'alter-sequence':
        return words(
          'ALTER SEQUENCE',
          statement.ifExists && 'IF EXISTS',
          nameText(statement.name),
          statement.rename && `RENAME TO ${identifierText(statement.rename)}`,
          sequenceText(statement.options),
        );
      case 'create-schema': {
        const ifNotExists = statement.ifNotExists && 'IF NOT EXISTS';
        return words('CREATE SCHEMA', ifNotExists, nameText(statement.name));
      }
      case 'drop':
        return dropText(statement);
      case 'alter':
        return this.#alter(statement);
      default:
        return assertNever(statement);
    }
  }

  #relation(statement: Kind<'create-relation'>): string {
    const { watermark } = statement;
    const columns = statement.columns.map((column) => this.#column(column));
    for (const like of (statement.likes ?? []).toReversed()) {
      const including = like.including.map((what) => `INCLUDING ${what.toUpperCase()}`);
      columns.splice(like.position, 0, words('LIKE', nameText(like.relation), ...including));
    }
    const elements = [
      ...columns,
      ...statement.constraints.map((constraint) => this.#constraint(constraint)),
      ...(watermark === undefined
        ? []
        : [
            `WATERMARK FOR ${identifierText(watermark.column)} AS ${this.#queries.expressions.write(watermark.expression)}`,
          ]),
    ];
    // A table needs a list, even if it is empty, where a stream may be described by its options.
    const isBare = statement.query === undefined && statement.options.length === 0;
    const { name } = statement;
    const query = statement.query && `AS ${this.#queries.write(statement.query)}`;
    return words(
      'CREATE',
      statement.orReplace && 'OR REPLACE',
      statement.temporary && 'TEMPORARY',
      statement.relation.toUpperCase(),
      statement.sourceOf?.toUpperCase(),
      statement.ifNotExists && 'IF NOT EXISTS',
      nameText(statement.temporary ? { ...name, parts: name.parts.slice(-1) } : name),
      (elements.length > 0 || isBare) && `(${elements.join(', ')})`,
      this.withOptions(statement.options),
      query,
      statement.withData !== undefined && `WITH ${statement.withData ? '' : 'NO '}DATA`,
    );
  }

  #column(column: ColumnDefinition): string {
    const { write, restricted } = this.#queries.expressions;
    const restrict = restricted.bind(this.#queries.expressions);
    const isComputed = column.generated !== undefined && column.type === undefined;
    return words(
      identifierText(column.name),
      column.type && typeText(column.type),
      isComputed && `AS ${write(column.generated)}`,
      column.key && 'KEY',
      column.primaryKey && 'PRIMARY KEY',
      column.notNull && 'NOT NULL',
      column.unique && 'UNIQUE',
      column.default && `DEFAULT ${restrict(column.default)}`,
      column.check && `CHECK (${write(column.check)})`,
      column.generated && !isComputed && `GENERATED ALWAYS AS (${write(column.generated)}) STORED`,
      column.identity && identityText(column.identity),
      metadataText(column),
      ...(column.constraints ?? []).map((constraint) => this.#columnConstraint(constraint)),
    );
  }

  /** A constraint beside its column, which it then does not name. */
  #columnConstraint(constraint: TableConstraint): string {
    const name = constraint.name && `CONSTRAINT ${identifierText(constraint.name)}`;
    switch (constraint.kind) {
      case 'primary-key':
        return words(name, 'PRIMARY KEY');
      case 'unique':
        return words(name, 'UNIQUE', constraint.nullsNotDistinct && 'NULLS NOT DISTINCT');
      case 'foreign-key':
        return words(name, referencesText(constraint));
      case 'check':
        return this.#constraint(constraint);
      default:
        return assertNever(constraint);
    }
  }

  #constraint(constraint: TableConstraint): string {
    const name = constraint.name && `CONSTRAINT ${identifierText(constraint.name)}`;
    switch (constraint.kind) {
      case 'primary-key':
        return words(name, 'PRIMARY KEY', identifierList(constraint.columns));
      case 'unique':
        return words(
          name,
          'UNIQUE',
          constraint.nullsNotDistinct && 'NULLS NOT DISTINCT',
          identifierList(constraint.columns),
        );
      case 'foreign-key':
        return words(
          name,
          'FOREIGN KEY',
          identifierList(constraint.columns),
          referencesText(constraint),
        );
      case 'check':
        return words(name, `CHECK (${this.#queries.expressions.write(constraint.expression)})`);
      default:
        return assertNever(constraint);
    }
  }

  #view(statement: Kind<'create-view'>): string {
    return words(
      create(statement, statement.materialized ? 'MATERIALIZED VIEW' : 'VIEW'),
      nameText(statement.name),
      statement.columns.length > 0 && identifierList(statement.columns),
      this.withOptions(statement.options),
      `AS ${this.#queries.write(statement.query)}`,
    );
  }

  #sink(statement: Kind<'create-sink'>): string {
    const { into } = statement;
    return words(
      create(statement, 'SINK'),
      nameText(statement.name),
      into && `INTO ${nameText(into.table)}`,
      into && into.columns.length > 0 && identifierList(into.columns),
      statement.from && `FROM ${nameText(statement.from)}`,
      statement.query && `AS ${this.#queries.write(statement.query)}`,
      this.withOptions(statement.options),
    );
  }

  #function(statement: Kind<'create-function'>): string {
    const { write } = this.#queries.expressions;
    const parameters = statement.parameters.map((parameter) =>
      words(
        parameter.name && identifierText(parameter.name),
        typeText(parameter.type),
        parameter.default && `DEFAULT ${write(parameter.default)}`,
      ),
    );
    const { returns } = statement;
    const result =
      returns.kind === 'table'
        ? `TABLE (${returns.columns.map((column) => `${identifierText(column.name)} ${typeText(column.type)}`).join(', ')})`
        : words(returns.set && 'SETOF', typeText(returns.type));
    return words(
      'CREATE',
      statement.orReplace && 'OR REPLACE',
      statement.aggregate ? 'AGGREGATE' : 'FUNCTION',
      `${nameText(statement.name)}(${parameters.join(', ')})`,
      `RETURNS ${result}`,
      `LANGUAGE ${quoteString(statement.language)}`,
      statement.volatility?.toUpperCase(),
      statement.strict && 'STRICT',
      statement.returnsExpression === true
        ? `RETURN ${statement.body}`
        : `AS ${quoteString(statement.body)}`,
    );
  }

  #index(statement: Kind<'create-index'>): string {
    const items = statement.items.map((item) => this.#indexItem(item));
    return words(
      'CREATE',
      statement.unique && 'UNIQUE',
      'INDEX',
      statement.ifNotExists && 'IF NOT EXISTS',
      statement.name && identifierText(statement.name),
      `ON ${nameText(statement.relation)} (${items.join(', ')})`,
      statement.nullsNotDistinct && 'NULLS NOT DISTINCT',
      statement.where && `WHERE ${this.#queries.expressions.write(statement.where)}`,
    );
  }

  /** Anything but a column or a call stands in parentheses. */
  #indexItem(item: SortItem): string {
    const text = this.#queries.expressions.sortItem(item);
    const { kind } = item.expression;
    if (kind === 'column' || kind === 'call') return text;
    const expression = this.#queries.expressions.write(item.expression);
    return `(${expression})${text.slice(expression.length)}`;
  }

  #alter(statement: Kind<'alter'>): string {
    const [action] = statement.actions;
    if (statement.object === 'system') {
      if (action?.kind === 'set-options') {
        return `ALTER SYSTEM SET ${action.options.map((option) => this.option(option)).join(', ')}`;
      }
      const key = action?.kind === 'reset-options' ? (action.keys[0] ?? 'all') : 'all';
      return `ALTER SYSTEM RESET ${key === 'all' ? 'ALL' : keyText(key)}`;
    }
    return words(
      'ALTER',
      objectWords(statement.object),
      statement.ifExists && 'IF EXISTS',
      nameText(statement.name),
      statement.actions.map((each) => this.#action(each)).join(', '),
    );
  }

  #action(action: AlterAction): string {
    switch (action.kind) {
      case 'add-column': {
        const ifNotExists = action.ifNotExists && 'IF NOT EXISTS';
        return words('ADD COLUMN', ifNotExists, this.#column(action.column));
      }
      case 'drop-column':
        return words('DROP COLUMN', action.ifExists && 'IF EXISTS', identifierText(action.column));
      case 'rename-column':
        return `RENAME COLUMN ${identifierText(action.column)} TO ${identifierText(action.to)}`;
      case 'rename':
        return `RENAME TO ${identifierText(action.to)}`;
      case 'alter-type':
        return words(
          `ALTER COLUMN ${identifierText(action.column)} TYPE ${typeText(action.type)}`,
          action.using && `USING ${this.#queries.expressions.write(action.using)}`,
        );
      case 'set-default': {
        const value = action.default;
        const change =
          value === undefined
            ? 'DROP DEFAULT'
            : `SET DEFAULT ${this.#queries.expressions.write(value)}`;
        return `ALTER COLUMN ${identifierText(action.column)} ${change}`;
      }
      case 'set-not-null':
        return `ALTER COLUMN ${identifierText(action.column)} SET NOT NULL`;
      case 'drop-not-null':
        return `ALTER COLUMN ${identifierText(action.column)} DROP NOT NULL`;
      case 'add-identity':
        return `ALTER COLUMN ${identifierText(action.column)} ADD ${identityText(action.identity)}`;
      case 'set-identity': {
        const kind = action.always === true ? 'ALWAYS' : 'BY DEFAULT';
        return words(
          `ALTER COLUMN ${identifierText(action.column)}`,
          action.always !== undefined && `SET GENERATED ${kind}`,
          ...action.options.map((option) =>
            words(option.kind !== 'restart' && 'SET', sequenceText([option])),
          ),
        );
      }
      case 'drop-identity':
      case 'drop-expression':
        return words(
          `ALTER COLUMN ${identifierText(action.column)} DROP`,
          action.kind === 'drop-identity' ? 'IDENTITY' : 'EXPRESSION',
          action.ifExists && 'IF EXISTS',
        );
      case 'add-constraint':
        return `ADD ${this.#constraint(action.constraint)}`;
      case 'rename-constraint':
        return `RENAME CONSTRAINT ${identifierText(action.name)} TO ${identifierText(action.to)}`;
      case 'drop-constraint':
        return words(
          'DROP CONSTRAINT',
          action.ifExists && 'IF EXISTS',
          identifierText(action.name),
        );
      case 'skip-record':
        return 'SKIP RECORD';
      case 'set-options':
        return `SET (${action.options.map((option) => this.option(option)).join(', ')})`;
      case 'reset-options':
        return `RESET (${action.keys.map(keyText).join(', ')})`;
      default:
        return assertNever(action);
    }
  }

  /** `WITH (…)` when there are options. */
  withOptions(options: readonly Option[]): string | undefined {
    const text = clause(
      '',
      options.map((option) => this.option(option)),
    );
    return text === undefined ? undefined : `WITH (${text.trim()})`;
  }

  option(option: Option): string {
    return `${keyText(option.key)} = ${this.#queries.expressions.write(option.value)}`;
  }
}

/** A key of plain words goes unquoted. */
export const keyText = (key: string): string =>
  /^[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*$/.test(key) ? key : quoteString(key);

const create = (
  statement: { readonly orReplace: boolean; readonly ifNotExists: boolean },
  word: string,
): string =>
  words(
    'CREATE',
    statement.orReplace && 'OR REPLACE',
    word,
    statement.ifNotExists && 'IF NOT EXISTS',
  );

function identityText({ always, options }: Identity): string {
  const inside = sequenceText(options);
  const kind = always ? 'ALWAYS' : 'BY DEFAULT';
  return words(`GENERATED ${kind} AS IDENTITY`, inside !== '' && `(${inside})`);
}

/** The options of a sequence, as they are written after its name. */
export function sequenceText(options: readonly SequenceOption[]): string {
  return options.map(sequenceOptionText).join(' ');
}

function sequenceOptionText(option: SequenceOption): string {
  switch (option.kind) {
    case 'type':
      return `AS ${typeText(option.type)}`;
    case 'cycle':
      return option.value ? 'CYCLE' : 'NO CYCLE';
    case 'owned-by':
      return `OWNED BY ${option.column === undefined ? 'NONE' : nameText(option.column)}`;
    case 'name':
      return `SEQUENCE NAME ${nameText(option.name)}`;
    case 'min':
    case 'max':
      return option.value === undefined
        ? `NO ${option.kind.toUpperCase()}VALUE`
        : `${option.kind.toUpperCase()}VALUE ${option.value}`;
    case 'increment':
      return `INCREMENT BY ${option.value}`;
    case 'start':
      return `START WITH ${option.value}`;
    case 'restart':
      return option.value === undefined ? 'RESTART' : `RESTART WITH ${option.value}`;
    case 'cache':
      return `CACHE ${option.value}`;
    default:
      return assertNever(option);
  }
}

function referencesText(key: ForeignKeyConstraint): string {
  const columns = key.targetColumns.length > 0 && identifierList(key.targetColumns);
  const set = key.setColumns.length > 0 && identifierList(key.setColumns);
  return words(
    'REFERENCES',
    nameText(key.target),
    columns,
    key.matchFull && 'MATCH FULL',
    key.onDelete !== 'no action' && words(`ON DELETE ${key.onDelete.toUpperCase()}`, set),
    key.onUpdate !== 'no action' && `ON UPDATE ${key.onUpdate.toUpperCase()}`,
  );
}

function metadataText({ metadata }: ColumnDefinition): string | undefined {
  if (metadata === undefined) return undefined;
  if (metadata === 'headers') return 'HEADERS';
  if (metadata.startsWith('header:'))
    return `HEADER(${quoteString(metadata.slice('header:'.length))})`;
  return `METADATA FROM ${quoteString(metadata)}`;
}

function aggregateText(statement: Kind<'create-aggregate'>): string {
  const parameters = statement.parameters.map(({ name, type }) =>
    words(name && identifierText(name), typeText(type)),
  );
  const options = statement.options.map(({ key, value }) => {
    switch (value.kind) {
      case 'name':
        return `${key} = ${nameText(value.name)}`;
      case 'type':
        return `${key} = ${typeText(value.type)}`;
      case 'text':
        return `${key} = ${quoteString(value.text)}`;
      default:
        return assertNever(value);
    }
  });
  return words(
    'CREATE',
    statement.orReplace && 'OR REPLACE',
    `AGGREGATE ${nameText(statement.name)}(${parameters.join(', ') || '*'})`,
    `(${options.join(', ')})`,
  );
}

function dropText(statement: Kind<'drop'>): string {
  return words(
    'DROP',
    objectWords(statement.object),
    statement.ifExists && 'IF EXISTS',
    statement.names
      .map((name, i) => {
        const types = statement.signatures?.[i];
        return `${nameText(name)}${types === undefined ? '' : `(${types.map(typeText).join(', ')})`}`;
      })
      .join(', '),
    statement.cascade && 'CASCADE',
    statement.deleteTopic && 'DELETE TOPIC',
  );
}
