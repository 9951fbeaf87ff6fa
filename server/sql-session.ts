/**
 * One client's statements, one after another; what a session remembers between them are its settings and its open transaction.
 * Calls of one session wait for one another.
 */
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import { parseStatements } from '../sql/parser.ts';
import { runCopy } from './copy/copy.ts';
import type { Core } from './core.ts';
import { Cursors } from './cursors.ts';
import type { CopyResult, Session, StatementFailure, StatementResult } from './database.ts';
import { type ExecuteContext, executeStatement } from './execute.ts';
import { PreparedStatements } from './prepared.ts';
import type { SessionLimits } from './session-limits.ts';
import { SessionSequences } from './session-sequences.ts';
import { defaultSettings, durationMs, readSetting, settingKey } from './settings.ts';
import { resetSetting, setSetting } from './settings-statement.ts';
import { type Parameters, parametersOf, statementContext } from './statement-context.ts';
import { TemporaryTables } from './temporary-tables.ts';
import {
  type ControlStatement,
  isControl,
  isTransactionMode,
  TransactionControl,
} from './transaction-control.ts';

export class SqlSession implements Session {
  readonly #core: Core;
  readonly #limits: SessionLimits;
  readonly #settings = defaultSettings();
  readonly #control: TransactionControl;
  readonly #prepared: PreparedStatements;
  readonly #cursors = new Cursors();
  readonly #temporary: TemporaryTables;
  readonly #sequences: SessionSequences;
  #lastCall: Promise<void> = Promise.resolve();
  #calls = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #keepsTemporary = false;

  constructor(core: Core, limits: SessionLimits) {
    this.#core = core;
    this.#limits = limits;
    this.#prepared = new PreparedStatements(core);
    this.#temporary = new TemporaryTables(core);
    this.#sequences = new SessionSequences(core, (name, value, isLocal) =>
      this.#configure(name, value, isLocal),
    );
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
    if (this.#calls > 0) return;
    if (this.#isClosed) {
      this.#end();
      return;
    }
    if (this.#control.current === undefined) return;
    const asked = durationMs(this.#settings, 'idle_in_transaction_session_timeout');
    const limit = this.#limits.transactionIdleMsMax;
    const idleMs = asked === 0 ? limit : Math.min(asked, limit);
    this.#idleTimer = setTimeout(() => this.#control.idle(idleMs), idleMs);
    this.#idleTimer.unref();
  }

  async copy(
    sql: string,
    params: readonly unknown[],
    input: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<CopyResult> {
    const leave = await this.#enter(signal);
    try {
      const result = await this.#runCopy(sql, params, input, signal);
      if (result.kind === 'out') return { ...result, chunks: leaving(result.chunks, leave) };
      leave();
      return result;
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #runCopy(
    sql: string,
    params: readonly unknown[],
    input: AsyncIterable<Uint8Array>,
    outer: AbortSignal,
  ): Promise<CopyResult> {
    const [statement, ...others] = this.#parse(sql);
    const core = this.#core;
    return await this.#timed(sql, outer, async (timeout) => {
      if (statement?.kind !== 'copy' || others.length > 0) {
        throw new StreamError('SQL_SYNTAX', 'one COPY … FROM STDIN or COPY … TO STDOUT is wanted', {
          at: statement?.span,
        });
      }
      if (timeout.signal.aborted) throw canceled();
      await this.#control.admit(statement);
      const settings = this.#temporary.seen(this.#control.shown());
      const context: ExecuteContext = {
        core,
        settings,
        params: parametersOf(params),
        signal: timeout.signal,
        sql,
        transaction: this.#control.current,
        sequences: this.#sequences.access(settings),
      };
      const result = await runCopy(context, statement, input, this.#limits);
      if (result.kind === 'in') return result;
      return { ...result, chunks: this.#watched(result.chunks, timeout) };
    });
  }

  /** Work within statement_timeout; what fails fails the transaction too. @param text  of the statement, for its error. */
  async #timed<Result>(
    text: string,
    outer: AbortSignal,
    work: (timeout: StatementTimeout) => Promise<Result>,
  ): Promise<Result> {
    const timeout = new StatementTimeout(durationMs(this.#settings, 'statement_timeout'), outer);
    try {
      return await work(timeout);
    } catch (error) {
      const explained = timeout.explain(error);
      this.#control.failed(explained);
      throw failureOf(explained, text);
    } finally {
      timeout.pause();
    }
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
    return await this.#timed(text, signal, async (timeout) => {
      if (signal.aborted) throw canceled();
      if (isControl(statement)) return await this.#controlled(statement);
      if (isTransactionMode(statement)) return this.#control.setTransaction(statement);
      await this.#control.admit(statement);
      if (statement.kind === 'set') {
        if (statement.scope === 'local') this.#control.remember(settingKey(statement.name));
        return this.#control.changed(setSetting(this.#settings, statement), statement.scope);
      }
      if (statement.kind === 'reset') {
        return this.#control.changed(resetSetting(this.#settings, statement.name), 'session');
      }
      const result = await this.#execute(statement, sql, parametersOf(params), timeout.signal);
      if (result.kind !== 'rows') return result;
      const zone = this.#settings.get('timezone');
      return {
        ...result,
        chunks: this.#watched(result.chunks, timeout),
        zone: zone === 'UTC' ? undefined : zone,
      };
    });
  }

  /** What begins, ends or takes back a transaction does so for its cursors, too. */
  async #controlled(statement: ControlStatement): Promise<StatementResult> {
    const before = this.#control.current;
    let committed = false;
    try {
      const result = await this.#control.run(statement);
      committed = result.kind === 'ok' && result.tag === 'COMMIT';
      if (statement.kind === 'savepoint') this.#cursors.savepoint(statement.name.name);
      if (statement.kind === 'rollback' && statement.savepoint !== undefined) {
        this.#cursors.rolledBackTo(statement.savepoint.name);
      }
      return result;
    } finally {
      if (before !== undefined && this.#control.current !== before) this.#cursors.ended(committed);
    }
  }

  async #execute(
    statement: Statement,
    sql: string,
    params: Parameters,
    signal: AbortSignal,
  ): Promise<StatementResult> {
    const core = this.#core;
    await this.#temporary.prepare(statement);
    const settings = this.#temporary.seen(this.#control.shown());
    const transaction = this.#control.current;
    const sequences = this.#sequences.access(settings);
    const started = transaction?.startedMicros;
    const context = statementContext(core, settings, params, started, sequences);
    switch (statement.kind) {
      case 'prepare':
        return this.#prepared.prepare(statement, sql, context);
      case 'deallocate':
        return this.#prepared.deallocate(statement);
      case 'declare-cursor':
        return this.#cursors.declare(statement, transaction !== undefined, () =>
          this.#execute(statement.statement, sql, params, signal),
        );
      case 'fetch':
      case 'move':
        return this.#cursors.fetch(statement);
      case 'close-cursor':
        return this.#cursors.close(statement);
      case 'execute': {
        const execution = this.#prepared.execution(statement, context);
        const values = { values: execution.values, types: execution.types };
        await this.#control.admit(execution.statement);
        return withoutPlace(() =>
          this.#execute(execution.statement, execution.sql, values, signal),
        );
      }
      default:
        return executeStatement(
          { core, settings, params, signal, sql, transaction, sequences },
          statement,
        );
    }
  }

  /** Rows are computed while they are read: what fails then has failed in the transaction too. */
  async *#watched<Chunk>(
    chunks: AsyncIterable<Chunk>,
    timeout: StatementTimeout,
  ): AsyncGenerator<Chunk> {
    timeout.resume();
    try {
      for await (const chunk of chunks) {
        // Whoever has seen a sequence's value must not see it again after a crash.
        await this.#core.sequences.settle();
        yield chunk;
      }
    } catch (error) {
      const explained = timeout.explain(error);
      this.#control.failed(explained);
      throw explained;
    } finally {
      timeout.pause();
    }
  }

  /** The function set_config. */
  #configure(name: string, value: string, isLocal: boolean): string {
    const key = settingKey(name);
    const kept = readSetting(key, value);
    // Outside of a transaction SET LOCAL has nothing to last for.
    if (isLocal && this.#control.current === undefined) return kept;
    if (isLocal) this.#control.remember(key);
    this.#settings.set(key, kept);
    return kept;
  }

  /** @param withDatabase  which closes too: its next start drops temporary tables. */
  close(withDatabase = false): void {
    this.#isClosed = true;
    this.#keepsTemporary = withDatabase;
    clearTimeout(this.#idleTimer);
    if (this.#calls === 0) this.#end();
  }

  /** Nobody waits for this. Temporary tables that cannot be dropped now are at the next start. */
  #end(): void {
    this.#control.abandon();
    if (this.#keepsTemporary) return;
    this.#temporary.drop().catch((error: unknown) => {
      this.#core.log.warn({ err: error }, 'temporary tables of a session are left');
    });
  }
}

/** Calls `leave` when the last chunk is read, or nobody wants more. */
async function* leaving<Chunk>(
  chunks: AsyncIterable<Chunk>,
  leave: () => void,
): AsyncGenerator<Chunk> {
  try {
    yield* chunks;
  } finally {
    leave();
  }
}

/** Places of a prepared statement's errors lie in another text than the one that was sent. */
async function withoutPlace<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StreamError) || error.at === undefined) throw error;
    const { code, message, hint, detail, cause } = error;
    throw new StreamError(code, message, { hint, detail, cause });
  }
}

/** Fires when the statement has taken its time, be it before its first row or while its rows are read. */
class StatementTimeout {
  readonly signal: AbortSignal;
  readonly #expired = new AbortController();
  #leftMs: number;
  #startedMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param ms  0 = none. */
  constructor(ms: number, outer: AbortSignal) {
    this.#leftMs = ms;
    this.signal = ms === 0 ? outer : AbortSignal.any([outer, this.#expired.signal]);
    this.resume();
  }

  resume(): void {
    if (this.#leftMs <= 0) return;
    this.#startedMs = performance.now();
    this.#timer = setTimeout(() => this.#expired.abort(), this.#leftMs);
  }

  pause(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = Math.max(1, this.#leftMs - (performance.now() - this.#startedMs));
  }

  explain(error: unknown): unknown {
    if (!this.#expired.signal.aborted) return error;
    return new StreamError('STATEMENT_CANCELED', 'canceling statement due to statement timeout');
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
