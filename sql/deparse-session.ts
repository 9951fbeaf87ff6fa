/** Statements about the session and the server as canonical SQL text. */

import type { Expression } from './ast.ts';
import type { Option } from './ast-relation.ts';
import type { FetchDirection, Statement } from './ast-statement.ts';
import { assertNever } from './base/assert.ts';
import { DefinitionWriter, keyText, objectWords } from './deparse-ddl.ts';
import {
  identifierList,
  identifierText,
  nameText,
  quoteIdentifier,
  quoteString,
  typeText,
  words,
} from './deparse-name.ts';
import type { QueryWriter, StatementText } from './deparse-query.ts';

type Kind<Name extends Statement['kind']> = Extract<Statement, { kind: Name }>;
type SessionStatement = Kind<
  | 'subscribe'
  | 'show'
  | 'describe'
  | 'explain'
  | 'print'
  | 'pause'
  | 'resume'
  | 'terminate'
  | 'set'
  | 'reset'
  | 'flush'
  | 'replay-errors'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'prepare'
  | 'execute'
  | 'deallocate'
  | 'declare-cursor'
  | 'fetch'
  | 'move'
  | 'close-cursor'
  | 'copy'
>;

export class SessionWriter {
  readonly #queries: QueryWriter;
  readonly #definitions: DefinitionWriter;
  readonly #statement: StatementText;

  constructor(queries: QueryWriter, statement: StatementText) {
    this.#queries = queries;
    this.#definitions = new DefinitionWriter(queries);
    this.#statement = statement;
  }

  write(statement: SessionStatement): string {
    const kind = statement.kind.toUpperCase();
    switch (statement.kind) {
      case 'subscribe': {
        const { target } = statement;
        const text = 'parts' in target ? nameText(target) : `(${this.#queries.write(target)})`;
        return words('SUBSCRIBE TO', text, this.#definitions.withOptions(statement.options));
      }
      case 'show': {
        const like =
          statement.like === undefined ? undefined : `LIKE ${quoteString(statement.like)}`;
        return words('SHOW', statement.what, like, statement.extended && 'EXTENDED');
      }
      case 'describe':
        return words(
          'DESCRIBE',
          statement.object && objectWords(statement.object),
          nameText(statement.name),
          statement.extended && 'EXTENDED',
        );
      case 'explain':
        return this.#explain(statement);
      case 'print':
        return words(
          `PRINT ${quoteString(statement.topic)}`,
          statement.fromBeginning && 'FROM BEGINNING',
          statement.limit !== undefined && `LIMIT ${statement.limit}`,
        );
      case 'pause':
      case 'resume':
      case 'terminate':
        return `${kind} ${statement.name === 'all' ? 'ALL' : nameText(statement.name)}`;
      case 'set':
        return this.#set(statement);
      case 'reset':
        return `RESET ${statement.name === 'all' ? 'ALL' : settingText(statement.name)}`;
      case 'replay-errors': {
        const { from, where } = statement;
        const condition = where && `WHERE ${this.#queries.expressions.write(where)}`;
        return words('REPLAY ERRORS', from && `FROM ${nameText(from)}`, condition);
      }
      case 'flush':
        return kind;
      case 'commit':
        return words(kind, statement.chain === true && 'AND CHAIN');
      case 'begin':
        return words(
          statement.start ? 'START TRANSACTION' : 'BEGIN',
          statement.modes.join(', ').toUpperCase(),
        );
      case 'rollback':
        return words(
          kind,
          statement.savepoint && `TO SAVEPOINT ${identifierText(statement.savepoint)}`,
          statement.chain === true && 'AND CHAIN',
        );
      case 'savepoint':
        return `SAVEPOINT ${identifierText(statement.name)}`;
      case 'release':
        return `RELEASE SAVEPOINT ${identifierText(statement.name)}`;
      case 'prepare': {
        const types = statement.types.length > 0 && `(${statement.types.map(typeText).join(', ')})`;
        return words(
          'PREPARE',
          identifierText(statement.name),
          types,
          'AS',
          this.#statement(statement.statement),
        );
      }
      case 'execute': {
        const args =
          statement.args.length > 0 && `(${this.#queries.expressions.list(statement.args)})`;
        return words('EXECUTE', identifierText(statement.name), args);
      }
      case 'deallocate':
        return `DEALLOCATE ${statement.name === 'all' ? 'ALL' : identifierText(statement.name)}`;
      case 'declare-cursor': {
        const scroll =
          statement.scroll === undefined ? '' : statement.scroll ? 'SCROLL' : 'NO SCROLL';
        return words(
          `DECLARE ${identifierText(statement.name)}`,
          scroll,
          'CURSOR',
          statement.hold && 'WITH HOLD',
          `FOR ${this.#statement(statement.statement)}`,
        );
      }
      case 'fetch':
      case 'move': {
        const { kind, direction, name } = statement;
        return `${kind.toUpperCase()} ${directionText(direction)} FROM ${identifierText(name)}`;
      }
      case 'close-cursor':
        return `CLOSE ${statement.name === 'all' ? 'ALL' : identifierText(statement.name)}`;
      case 'copy':
        return this.#copy(statement);
      default:
        return assertNever(statement);
    }
  }

  #explain(statement: Kind<'explain'>): string {
    const options = statement.options.length > 0 && this.#genericOptions(statement.options);
    const target =
      statement.statement === undefined
        ? statement.name && nameText(statement.name)
        : this.#statement(statement.statement);
    return words('EXPLAIN', options, target);
  }

  #set(statement: Kind<'set'>): string {
    const scope = statement.scope?.toUpperCase();
    if (statement.name === 'transaction' && statement.values !== 'default') {
      const modes = statement.values.map(plainText).join(', ');
      if (statement.scope === 'session')
        return `SET SESSION CHARACTERISTICS AS TRANSACTION ${modes}`;
      return `SET TRANSACTION ${modes}`;
    }
    const values =
      statement.values === 'default' ? 'DEFAULT' : this.#queries.expressions.list(statement.values);
    return words('SET', scope, settingText(statement.name), 'TO', values);
  }

  #copy(statement: Kind<'copy'>): string {
    const { source, target } = statement;
    const isRelation = 'parts' in source;
    const options =
      statement.options.length > 0 && `WITH ${this.#genericOptions(statement.options)}`;
    return words(
      'COPY',
      isRelation ? nameText(source) : `(${this.#statement(source)})`,
      statement.columns.length > 0 && identifierList(statement.columns),
      statement.direction.toUpperCase(),
      target === 'stdin' || target === 'stdout' ? target.toUpperCase() : quoteString(target),
      options,
      statement.where && `WHERE ${this.#queries.expressions.write(statement.where)}`,
    );
  }

  /** `(KEY value, …)`. */
  #genericOptions(options: readonly Option[]): string {
    const texts = options.map(({ key, value }) => {
      const isBare = value.kind === 'boolean' && value.value;
      return words(keyText(key), !isBare && this.#queries.expressions.write(value));
    });
    return `(${texts.join(', ')})`;
  }
}

const plainText = (value: Expression): string => (value.kind === 'string' ? value.value : '');

const settingText = (name: string): string =>
  name.split('.').every((part) => quoteIdentifier(part) === part) ? name : quoteString(name);

function directionText({ kind, count }: FetchDirection): string {
  if (kind !== 'forward') return `${kind.toUpperCase()} ${count}`;
  const size = Math.abs(count) === Number.POSITIVE_INFINITY ? 'ALL' : Math.abs(count);
  return `${count < 0 ? 'BACKWARD' : 'FORWARD'} ${size}`;
}
