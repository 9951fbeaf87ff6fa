/** BEGIN, COMMIT, ROLLBACK and savepoints of one session, with PostgreSQL's rules, messages and tags. */
import type { Statement } from '../sql/ast-statement.ts';
import { assertNever } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import { withChangeItems } from '../sql/bind-changes.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { okResult } from './row-result.ts';
import type { SessionLimits } from './session-limits.ts';
import type { Changed } from './settings-statement.ts';
import { tableFromQuery } from './table-from-query.ts';
import { Transaction, type TransactionModes } from './transaction.ts';

export type ControlStatement = Statement & {
  readonly kind: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release';
};

/** Statements that write; a READ ONLY transaction refuses them. */
const WRITES = new Set<Statement['kind']>(['insert', 'update', 'delete', 'merge', 'truncate']);
/** What may stand in a transaction: its changes are undone by ROLLBACK, or it has none. */
const ALLOWED = new Set<Statement['kind']>([
  ...WRITES,
  'copy',
  'query',
  'show',
  'describe',
  'explain',
  'flush',
  'maintenance',
  'set',
  'reset',
  'prepare',
  'execute',
  'deallocate',
  'declare-cursor',
  'fetch',
  'move',
  'close-cursor',
]);
const WITHOUT_QUERY = new Set<Statement['kind']>([
  'maintenance',
  'set',
  'reset',
  'show',
  'describe',
  'prepare',
  'execute',
  'deallocate',
  'fetch',
  'move',
  'close-cursor',
]);

function writes(statement: Statement): boolean {
  if (withChangeItems(statement) !== undefined) return true;
  if (statement.kind !== 'copy') return WRITES.has(statement.kind);
  const { source, direction } = statement;
  return direction === 'from' || (!('parts' in source) && writes(source));
}

export function isControl(statement: Statement): statement is ControlStatement {
  switch (statement.kind) {
    case 'begin':
    case 'commit':
    case 'rollback':
    case 'savepoint':
    case 'release':
      return true;
    default:
      return false;
  }
}

export type ModeStatement = Statement & { readonly kind: 'set'; readonly name: 'transaction' };

/** SET TRANSACTION, also as SET SESSION CHARACTERISTICS. */
export function isTransactionMode(statement: Statement): statement is ModeStatement {
  return statement.kind === 'set' && statement.name === 'transaction';
}

export class TransactionControl {
  readonly #core: Core;
  readonly #limits: SessionLimits;
  readonly #settings: Map<string, string>;
  /** As they are when the transaction has been rolled back. */
  #settingsBefore: ReadonlyMap<string, string> = new Map();
  /** What SET LOCAL has covered. */
  readonly #before = new Map<string, string | undefined>();
  current: Transaction | undefined;

  /** @param settings  the session's; a rollback puts them back as they were. */
  constructor(core: Core, limits: SessionLimits, settings: Map<string, string>) {
    this.#core = core;
    this.#limits = limits;
    this.#settings = settings;
  }

  /** @throws StreamError TRANSACTION_FAILED, TRANSACTION_ACTIVE, TRANSACTION_READ_ONLY. */
  async admit(statement: Statement): Promise<void> {
    const transaction = this.current;
    if (transaction === undefined) {
      const readOnly = this.#settings.get('default_transaction_read_only') === 'on';
      if (readOnly && writes(statement)) throw readOnlyError(statement);
      return;
    }
    this.#requireSound(transaction);
    const isPush = statement.kind === 'query' && statement.emit !== undefined;
    const creates = tableFromQuery(statement) !== undefined;
    if (!ALLOWED.has(statement.kind) || isPush || creates) {
      throw new StreamError(
        'TRANSACTION_ACTIVE',
        `${statementName(statement)} cannot run inside a transaction block`,
        { at: statement.span },
      );
    }
    if (transaction.modes.readOnly && writes(statement)) throw readOnlyError(statement);
    if (!WITHOUT_QUERY.has(statement.kind)) await transaction.begins();
  }

  #requireSound(transaction: Transaction): void {
    const { failure } = transaction;
    if (failure === undefined) return;
    if (failure.code === 'TRANSACTION_IDLE') throw failure;
    throw new StreamError(
      'TRANSACTION_FAILED',
      'current transaction is aborted, commands ignored until end of transaction block',
    );
  }

  /** The settings as a statement sees them. */
  shown(): ReadonlyMap<string, string> {
    const modes = this.current?.modes ?? this.#defaultModes();
    return new Map([
      ...this.#settings,
      ['transaction_isolation', modes.isolation],
      ['transaction_read_only', modes.readOnly ? 'on' : 'off'],
    ]);
  }

  /** Settings have a new value: of SET LOCAL until the transaction ends. */
  changed({ result, keys }: Changed, scope: 'session' | 'local' | undefined): StatementResult {
    if (scope !== 'local') {
      for (const key of keys) this.#before.delete(key);
      return result;
    }
    if (this.current !== undefined) return result;
    this.#restoreLocal();
    return okResult('SET', 'WARNING: SET LOCAL can only be used in transaction blocks');
  }

  /** Call it before SET LOCAL. */
  remember(key: string): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#settings.get(key));
  }

  #restoreLocal(): void {
    for (const [key, value] of this.#before) {
      if (value === undefined) this.#settings.delete(key);
      else this.#settings.set(key, value);
    }
    this.#before.clear();
  }

  /** A statement of the transaction has failed. */
  failed(error: unknown): void {
    const transaction = this.current;
    if (transaction === undefined || transaction.failure !== undefined) return;
    transaction.failure =
      error instanceof StreamError ? error : new StreamError('INTERNAL', String(error));
  }

  /** The client has done nothing for too long. */
  idle(idleMs: number): void {
    const transaction = this.current;
    if (transaction === undefined) return;
    transaction.close();
    transaction.failure = new StreamError(
      'TRANSACTION_IDLE',
      `the transaction was rolled back because its session was idle for ${idleMs} ms`,
      { hint: 'ROLLBACK, and begin again.' },
    );
  }

  async run(statement: ControlStatement): Promise<StatementResult> {
    switch (statement.kind) {
      case 'begin':
        return this.#begin(statement.start ? 'START TRANSACTION' : 'BEGIN', statement.modes);
      case 'commit':
        return this.#chained(statement, () => this.#commit());
      case 'rollback':
        if (statement.savepoint === undefined) {
          return this.#chained(statement, async () => this.#rollback());
        }
        return this.#rollbackTo(statement.savepoint.name);
      case 'savepoint':
        this.#required('SAVEPOINT').savepoint(statement.name.name, new Map(this.#settings));
        return okResult('SAVEPOINT', '');
      case 'release':
        this.#required('RELEASE SAVEPOINT').release(statement.name.name);
        return okResult('RELEASE', '');
      default:
        return assertNever(statement);
    }
  }

  /** AND CHAIN: another transaction with the same modes begins when this one is over. @throws StreamError TRANSACTION_NONE. */
  async #chained(
    { kind, chain }: ControlStatement & { readonly kind: 'commit' | 'rollback' },
    end: () => Promise<StatementResult>,
  ): Promise<StatementResult> {
    if (chain !== true) return end();
    if (this.current === undefined) throw outside(`${kind.toUpperCase()} AND CHAIN`);
    const { modes } = this.current;
    const result = await end();
    this.current = new Transaction(this.#core, this.#limits, modes);
    this.#settingsBefore = new Map(this.#settings);
    return result;
  }

  #begin(tag: string, modes: readonly string[]): StatementResult {
    if (this.current !== undefined) {
      this.#requireSound(this.current);
      if (modes.length > 0) this.#change(modes);
      return okResult(tag, 'WARNING: there is already a transaction in progress');
    }
    this.current = new Transaction(
      this.#core,
      this.#limits,
      withModes(this.#defaultModes(), modes),
    );
    this.#settingsBefore = new Map(this.#settings);
    return okResult(tag, '');
  }

  /** @throws StreamError TRANSACTION_ACTIVE after the first query. */
  setTransaction(statement: ModeStatement): StatementResult {
    const modes = modesOf(statement);
    if (statement.scope === 'session') {
      const changed = withModes(this.#defaultModes(), modes);
      this.#settings.set('default_transaction_isolation', changed.isolation);
      this.#settings.set('default_transaction_read_only', changed.readOnly ? 'on' : 'off');
      return okResult('SET', '');
    }
    if (this.current === undefined) {
      return okResult('SET', 'WARNING: SET TRANSACTION can only be used in transaction blocks');
    }
    this.#requireSound(this.current);
    this.#change(modes);
    return okResult('SET', '');
  }

  #defaultModes(): TransactionModes {
    const isolation = this.#settings.get('default_transaction_isolation') ?? '';
    const readOnly = this.#settings.get('default_transaction_read_only') === 'on';
    const initial: TransactionModes = { isolation: 'read committed', readOnly };
    return withModes(initial, [`isolation level ${isolation}`]);
  }

  #change(modes: readonly string[]): void {
    const transaction = this.current;
    if (transaction === undefined) return;
    const changed = withModes(transaction.modes, modes);
    if (transaction.hasRun && changed.isolation !== transaction.modes.isolation) {
      throw new StreamError(
        'TRANSACTION_ACTIVE',
        'SET TRANSACTION ISOLATION LEVEL must be called before any query',
      );
    }
    if (transaction.hasRun && transaction.modes.readOnly && !changed.readOnly) {
      throw new StreamError(
        'TRANSACTION_ACTIVE',
        'transaction read-write mode must be set before any query',
      );
    }
    transaction.modes = changed;
  }

  async #commit(): Promise<StatementResult> {
    const transaction = this.current;
    if (transaction === undefined) {
      return okResult('COMMIT', 'WARNING: there is no transaction in progress');
    }
    if (transaction.failure !== undefined) return this.#rollback();
    this.current = undefined;
    try {
      await transaction.commit();
    } catch (error) {
      this.#restore(this.#settingsBefore);
      this.#before.clear();
      throw error;
    }
    this.#restoreLocal();
    return okResult('COMMIT', '');
  }

  #rollback(): StatementResult {
    if (this.current === undefined) {
      return okResult('ROLLBACK', 'WARNING: there is no transaction in progress');
    }
    this.abandon();
    return okResult('ROLLBACK', '');
  }

  #rollbackTo(name: string): StatementResult {
    const transaction = this.current;
    if (transaction === undefined) throw outside('ROLLBACK TO SAVEPOINT');
    if (transaction.failure?.code === 'TRANSACTION_IDLE') throw transaction.failure;
    this.#restore(transaction.rollbackTo(name));
    return okResult('ROLLBACK', '');
  }

  #required(what: string): Transaction {
    if (this.current === undefined) throw outside(what);
    this.#requireSound(this.current);
    return this.current;
  }

  /** Ends the transaction, if there is one, without a trace. */
  abandon(): void {
    if (this.current === undefined) return;
    this.current.close();
    this.current = undefined;
    this.#restore(this.#settingsBefore);
    this.#before.clear();
  }

  #restore(settings: ReadonlyMap<string, string>): void {
    const saved = [...settings];
    this.#settings.clear();
    for (const [name, value] of saved) this.#settings.set(name, value);
  }
}

function modesOf({ values }: ModeStatement): readonly string[] {
  if (values === 'default') return [];
  return values.flatMap((value) => (value.kind === 'string' ? [value.value] : []));
}

function withModes(modes: TransactionModes, written: readonly string[]): TransactionModes {
  let { isolation, readOnly } = modes;
  for (const mode of written) {
    if (mode === 'read only') readOnly = true;
    else if (mode === 'read write') readOnly = false;
    else if (mode.endsWith('serializable')) isolation = 'serializable';
    else if (mode.endsWith('repeatable read')) isolation = 'repeatable read';
    else if (mode.startsWith('isolation level')) isolation = 'read committed';
  }
  return { isolation, readOnly };
}

function readOnlyError(statement: Statement): StreamError {
  return new StreamError(
    'TRANSACTION_READ_ONLY',
    `cannot execute ${statementName(statement)} in a read-only transaction`,
    { at: statement.span },
  );
}

function outside(what: string): StreamError {
  return new StreamError('TRANSACTION_NONE', `${what} can only be used in transaction blocks`);
}

/** As PostgreSQL names a statement: the words of its tag. */
function statementName(statement: Statement): string {
  switch (statement.kind) {
    case 'truncate':
      return 'TRUNCATE TABLE';
    case 'create-relation':
      return `CREATE ${statement.relation.toUpperCase()}`;
    case 'drop':
      return `DROP ${statement.object.replaceAll('-', ' ').toUpperCase()}`;
    case 'query':
      return statement.emit === undefined ? 'SELECT INTO' : 'EMIT CHANGES';
    case 'create-view':
      return statement.materialized ? 'CREATE MATERIALIZED VIEW' : 'CREATE VIEW';
    default:
      return statement.kind.replaceAll('-', ' ').toUpperCase();
  }
}
