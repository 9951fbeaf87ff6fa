/**
 * One client's statements, one after another; what a session remembers between them are its settings and its open transaction.
 * Calls of one session wait for one another.
 */
import type { Statement } from '../sql/ast.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { parseStatements } from '../sql/parser.ts';
import type { Core } from './core.ts';
import type { Session, StatementFailure, StatementResult } from './database.ts';
import { executeStatement } from './execute.ts';
import type { SessionLimits } from './session-limits.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { isControl, isTransactionMode, TransactionControl } from './transaction-control.ts';

export class SqlSession implements Session {
  readonly #core: Core;
  readonly #limits: SessionLimits;
  readonly #settings = new Map(Object.entries(DEFAULT_SETTINGS));
  readonly #control: TransactionControl;
  #lastCall: Promise<void> = Promise.resolve();
  #calls = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(core: Core, limits: SessionLimits) {
    this.#core = core;
    this.#limits = limits;
    this.#control = new TransactionControl(core, limits, this.#settings);
  }

  /** Is it running a call, or in a transaction? */
  get isBusy(): boolean {
    return this.#calls > 0 || this.#control.current !== undefined;
  }

  async *execute(
    sql: string,
    params: readonly unknown[],
    signal: AbortSignal,
  ): AsyncGenerator<StatementResult> {
    const leave = await this.#enter(signal);
    try {
      for (const statement of this.#parse(sql)) {
        const result = await this.#run(statement, sql, params, signal);
        // Whoever follows a subscription does not keep the session.
        if (result.kind === 'subscription') leave();
        yield result;
      }
    } finally {
      leave();
    }
  }

  /** Waits for the calls before. @returns what ends this call; more often than once does no harm. */
  async #enter(signal: AbortSignal): Promise<() => void> {
    const before = this.#lastCall;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastCall = before.then(() => promise);
    this.#calls++;
    let hasLeft = false;
    const leave = (): void => {
      if (hasLeft) return;
      hasLeft = true;
      this.#calls--;
      resolve();
      this.#watchIdle();
    };
    try {
      await untilAborted(before, signal);
    } catch (error) {
      leave();
      throw error;
    }
    clearTimeout(this.#idleTimer);
    return leave;
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    if (this.#control.current === undefined || this.#calls > 0) return;
    if (this.#isClosed) {
      this.#control.abandon();
      return;
    }
    const idleMs = this.#limits.transactionIdleMsMax;
    this.#idleTimer = setTimeout(() => this.#control.idle(idleMs), idleMs);
    this.#idleTimer.unref();
  }

  #parse(sql: string): Statement[] {
    try {
      return parseStatements(sql);
    } catch (error) {
      this.#control.failed(error);
      throw failureOf(error, sql);
    }
  }

  async #run(
    statement: Statement,
    sql: string,
    params: readonly unknown[],
    signal: AbortSignal,
  ): Promise<StatementResult> {
    const text = sql.slice(statement.span.start, statement.span.end);
    try {
      if (signal.aborted) throw canceled();
      if (isControl(statement)) return await this.#control.run(statement);
      if (isTransactionMode(statement)) return this.#control.setTransaction(statement);
      await this.#control.admit(statement);
      const result = await executeStatement(
        {
          core: this.#core,
          settings: this.#settings,
          params,
          signal,
          sql,
          transaction: this.#control.current,
        },
        statement,
      );
      if (result.kind !== 'rows' || this.#control.current === undefined) return result;
      return { ...result, chunks: this.#watched(result.chunks) };
    } catch (error) {
      this.#control.failed(error);
      throw failureOf(error, text);
    }
  }

  /** Rows are computed while they are read: what fails then has failed in the transaction too. */
  async *#watched(chunks: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[]> {
    try {
      yield* chunks;
    } catch (error) {
      this.#control.failed(error);
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#idleTimer);
    if (this.#calls === 0) this.#control.abandon();
  }
}

function canceled(): StreamError {
  return new StreamError('STATEMENT_CANCELED', 'canceling statement due to user request');
}

/** @throws StreamError STATEMENT_CANCELED when the signal fires first. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw canceled();
  const { promise: aborted, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(canceled());
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
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
