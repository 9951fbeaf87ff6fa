/** One client's statements, one after another; what a session remembers between them are its settings. */
import type { Statement } from '../sql/ast.ts';
import { StreamError } from '../sql/base/error.ts';
import { parseStatements } from '../sql/parser.ts';
import type { Core } from './core.ts';
import type { Session, StatementFailure, StatementResult } from './database.ts';
import { executeStatement } from './execute.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

export class SqlSession implements Session {
  readonly #core: Core;
  readonly #settings = new Map(Object.entries(DEFAULT_SETTINGS));

  constructor(core: Core) {
    this.#core = core;
  }

  async *execute(
    sql: string,
    params: readonly unknown[],
    signal: AbortSignal,
  ): AsyncGenerator<StatementResult> {
    const statements = parseGuarded(sql);
    for (const statement of statements) {
      const text = sql.slice(statement.span.start, statement.span.end);
      try {
        if (signal.aborted) {
          throw new StreamError('STATEMENT_CANCELED', 'canceling statement due to user request');
        }
        const context = { core: this.#core, settings: this.#settings, params, signal, sql };
        yield await executeStatement(context, statement);
      } catch (error) {
        throw failureOf(error, text);
      }
    }
  }
}

function parseGuarded(sql: string): Statement[] {
  try {
    return parseStatements(sql);
  } catch (error) {
    throw failureOf(error, sql);
  }
}

class Failure extends Error implements StatementFailure {
  readonly error: StreamError;
  readonly statement: string;
  readonly at: StreamError['at'];

  constructor(error: StreamError, statement: string) {
    super(error.message, { cause: error });
    this.name = 'StatementFailure';
    this.error = error;
    this.statement = statement;
    this.at = error.at;
  }
}

/** Anything that is no StreamError is a bug of ours and keeps its stack as the cause. */
function failureOf(error: unknown, statement: string): Error {
  if (error instanceof StreamError) return new Failure(error, statement);
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(new StreamError('INTERNAL', message, { cause: error }), statement);
}
