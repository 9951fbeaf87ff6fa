/**
 * DECLARE, FETCH, MOVE and CLOSE: queries whose rows a session takes in parts. The rows are those of the moment of DECLARE, kept in
 * memory within a bound, so that nothing of the transaction waits for who reads slowly.
 */
import type { FetchDirection, Statement } from '../sql/ast-statement.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';
import type { StatementResult } from './database.ts';
import { rowBytes } from './row-bytes.ts';
import { answerOf, okResult } from './row-result.ts';

type Kind<Name extends Statement['kind']> = Statement & { readonly kind: Name };
type RowsResult = StatementResult & { readonly kind: 'rows' };

/** Cursors of one session at a time. */
const CURSORS_MAX = 100;
/** Rows of all cursors of one session, as `rowBytes` counts them. */
const CURSOR_BYTES_MAX = 64 * 1024 * 1024;

interface OpenCursor {
  readonly schema: Schema;
  readonly rows: readonly Row[];
  readonly bytes: number;
  readonly noScroll: boolean;
  readonly hold: boolean;
  /** Rows are counted from 1; 0 = before the first, one more than there are = behind the last. */
  position: number;
  /** Of the open transaction; undefined for one that was kept by COMMIT, or made outside of any. */
  number: number | undefined;
}

export class Cursors {
  readonly #byName = new Map<string, OpenCursor>();
  readonly #savepoints: { readonly name: string; readonly number: number }[] = [];
  #lastNumber = 0;

  /** @throws StreamError SQL_DUPLICATE_CURSOR, TRANSACTION_NONE, VALUE_PROGRAM_LIMIT. */
  async declare(
    node: Kind<'declare-cursor'>,
    inTransaction: boolean,
    run: () => Promise<StatementResult>,
  ): Promise<StatementResult> {
    const { name, span } = node.name;
    if (!inTransaction && !node.hold) {
      throw new StreamError(
        'TRANSACTION_NONE',
        'DECLARE CURSOR can only be used in transaction blocks',
        { at: node.span, hint: 'BEGIN first, or declare it WITH HOLD.' },
      );
    }
    if (this.#byName.has(name)) {
      throw new StreamError('SQL_DUPLICATE_CURSOR', `cursor "${name}" already exists`, {
        at: span,
      });
    }
    if (this.#byName.size >= CURSORS_MAX) {
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `a session has at most ${CURSORS_MAX} open cursors`,
        { at: span, hint: 'CLOSE those that are no longer needed.' },
      );
    }
    const result = await run();
    if (result.kind !== 'rows') throw new Error('assertion failed: a query answers rows');
    const { rows, bytes } = await this.#read(result, node);
    this.#byName.set(name, {
      ...{ schema: result.schema, rows, bytes, noScroll: node.scroll === false },
      ...{ hold: node.hold, position: 0 },
      number: inTransaction ? ++this.#lastNumber : undefined,
    });
    return okResult('DECLARE CURSOR', '');
  }

  async #read(
    { chunks }: RowsResult,
    { statement }: Kind<'declare-cursor'>,
  ): Promise<{ readonly rows: readonly Row[]; readonly bytes: number }> {
    const rows: Row[] = [];
    const others = [...this.#byName.values()].reduce((sum, one) => sum + one.bytes, 0);
    let bytes = 0;
    for await (const chunk of chunks) {
      for (const row of chunk) {
        bytes += rowBytes(row);
        rows.push(row);
      }
      if (others + bytes <= CURSOR_BYTES_MAX) continue;
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `the cursors of a session hold at most ${CURSOR_BYTES_MAX} bytes of rows`,
        { at: statement.span, hint: 'Send the query itself: its rows are streamed.' },
      );
    }
    return { rows, bytes };
  }

  /** @throws StreamError SQL_UNKNOWN_CURSOR, SQL_CURSOR_DIRECTION. */
  fetch(node: Kind<'fetch' | 'move'>): StatementResult {
    const cursor = this.#byName.get(node.name.name);
    if (cursor === undefined) throw unknownCursor(node.name.name, node);
    const { rows, position } = moved(cursor, node);
    cursor.position = position;
    if (node.kind === 'move') return okResult(`MOVE ${rows.length}`, '');
    return answerOf(`FETCH ${rows.length}`, cursor.schema, rows);
  }

  /** @throws StreamError SQL_UNKNOWN_CURSOR. */
  close(node: Kind<'close-cursor'>): StatementResult {
    if (node.name === 'all') {
      this.#byName.clear();
      return okResult('CLOSE CURSOR ALL', '');
    }
    if (!this.#byName.delete(node.name.name)) throw unknownCursor(node.name.name, node);
    return okResult('CLOSE CURSOR', '');
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, number: this.#lastNumber });
  }

  /** Those that were declared since go with what was done since. */
  rolledBackTo(name: string): void {
    const index = this.#savepoints.findLastIndex((one) => one.name === name);
    const number = this.#savepoints[index]?.number ?? 0;
    this.#savepoints.length = index + 1;
    for (const [key, cursor] of this.#byName) {
      if (cursor.number !== undefined && cursor.number > number) this.#byName.delete(key);
    }
  }

  /** The transaction is over: only what was declared WITH HOLD stays, and of a failed one nothing. */
  ended(committed: boolean): void {
    this.#savepoints.length = 0;
    for (const [name, cursor] of this.#byName) {
      if (cursor.number === undefined) continue;
      if (committed && cursor.hold) cursor.number = undefined;
      else this.#byName.delete(name);
    }
  }
}

function unknownCursor(name: string, { span }: Statement): StreamError {
  return new StreamError('SQL_UNKNOWN_CURSOR', `cursor "${name}" does not exist`, { at: span });
}

/** The rows on the way, and where the cursor stands then. */
function moved(
  cursor: OpenCursor,
  { direction, span }: Kind<'fetch' | 'move'>,
): { readonly rows: readonly Row[]; readonly position: number } {
  const { rows, position: from, noScroll } = cursor;
  const end = rows.length + 1;
  const to = Math.min(Math.max(target(direction, from, end), 0), end);
  const isStay = direction.count === 0 && direction.kind !== 'absolute';
  if (noScroll && (to < from || (isStay && from > 0 && from < end))) {
    throw new StreamError('SQL_CURSOR_DIRECTION', 'cursor can only scan forward', {
      at: span,
      hint: 'Declare it with SCROLL option to enable backward scan.',
    });
  }
  const here = rows.slice(Math.max(to - 1, 0), to);
  if (isStay || direction.kind !== 'forward') return { rows: here, position: to };
  return to >= from
    ? { rows: rows.slice(from, to), position: to }
    : { rows: rows.slice(Math.max(to - 1, 0), from - 1).reverse(), position: to };
}

function target({ kind, count }: FetchDirection, from: number, end: number): number {
  if (kind !== 'absolute') return from + count;
  return count < 0 ? end + count : count;
}
