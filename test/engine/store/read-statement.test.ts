import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import duckdb from '@duckdb/node-bindings';
import { Connection } from '../../../engine/store/connection.ts';
import { ReadStatement } from '../../../engine/store/read-statement.ts';
import { ReaderPool } from '../../../engine/store/reader-pool.ts';

/** Its only row comes last, long after the statement is canceled. */
const SLOW =
  'SELECT count(*) FROM range(100000) a, range(100000) b WHERE (a.range * b.range) % 7 = 3';
/** Longer than the time between two interrupts. */
const END_MS = 100;

async function withConnection(work: (connection: Connection) => Promise<void>): Promise<void> {
  const database = await duckdb.open(':memory:');
  try {
    await work(await Connection.open(database));
  } finally {
    duckdb.close_sync(database);
  }
}

test('a canceled statement is interrupted, the end of its transaction is not', async () => {
  await withConnection(async (connection) => {
    let interrupts = 0;
    let isEnding = false;
    const slowToEnd: Connection = Object.assign(Object.create(connection) as Connection, {
      handle: connection.handle,
      run: async (sql: string): Promise<void> => {
        isEnding = sql === 'ROLLBACK';
        if (isEnding) await pause(END_MS);
        await connection.run(sql);
      },
      interrupt: (): void => {
        if (isEnding) interrupts++;
        connection.interrupt();
      },
    });
    const pool = new ReaderPool([slowToEnd]);
    await assert.rejects(ReadStatement.start(pool, SLOW, AbortSignal.timeout(30)).then(drain), {
      code: 'STATEMENT_CANCELED',
    });
    await pool.close();
    assert.equal(interrupts, 0);
  });
});

test('an interrupt that hits the end of a transaction does not leave it open', async () => {
  await withConnection(async (connection) => {
    let failures = 2;
    const interrupted: Connection = Object.assign(Object.create(connection) as Connection, {
      handle: connection.handle,
      run: async (sql: string): Promise<void> => {
        if (sql === 'ROLLBACK' && failures-- > 0) throw new Error('INTERRUPT Error: Interrupted!');
        await connection.run(sql);
      },
    });
    const pool = new ReaderPool([interrupted]);
    await assert.rejects(ReadStatement.start(pool, 'SELECT nothing'));
    assert.equal(await drain(await ReadStatement.start(pool, 'SELECT 1')), 1);
    await pool.close();
  });
});

async function drain(statement: ReadStatement): Promise<number> {
  let rows = 0;
  for (;;) {
    const chunk = await statement.next();
    if (chunk === undefined) return rows;
    rows += duckdb.data_chunk_get_size(chunk);
  }
}
