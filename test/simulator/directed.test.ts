/** Lives that were wrong once, told step by step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamError } from '../../sql/base/error.ts';
import { SOURCES, VIEWS } from './job.ts';
import { Stage } from './stage.ts';

const record = (id: number, k: string): { key: null; value: Buffer; partition: number } => ({
  key: null,
  value: Buffer.from(`{"id":${id},"k":${k},"v":1}`),
  partition: 0,
});

const view = (name: string): string =>
  `CREATE MATERIALIZED VIEW ${name} AS ${VIEWS.find((one) => one.name === name)?.sql}`;

test('a partition that came while the server was down is not lost in the rebuilding of state', async () => {
  const stage = new Stage();
  await stage.world.run(async () => {
    let db = await stage.open();
    await stage.sql(db, `${SOURCES}; ${view('totals')}; ${view('best')}`);
    stage.cluster.append('a', [record(1, '1'), record(2, '2')]);
    await stage.sql(db, 'FLUSH');
    // Its state is not saved when the process ends, so it is rebuilt from the records.
    await stage.sql(db, view('quotients'));
    stage.crash();
    stage.cluster.addPartition('a');
    stage.cluster.append('a', [{ ...record(3, '1'), partition: 1 }]);
    db = await stage.open();
    await stage.world.sleep(2_000);
    await stage.sql(db, 'FLUSH');
    await stage.world.sleep(2_000);
    stage.checker.end(['totals', 'best', 'quotients']);
    await stage.as(() => db.close());
  });
});

test('a view that is dropped while its progress is saved late stays dropped', async () => {
  const stage = new Stage();
  await stage.world.run(async () => {
    let db = await stage.open();
    await stage.sql(db, SOURCES);
    const { store } = stage;
    const change = store.changeCatalog.bind(store);
    let failures = 0;
    store.changeCatalog = async (one) => {
      const isProgress = one.put.some(({ detail }) => detail.includes('"level":true'));
      if (isProgress && failures++ === 0) throw new StreamError('STORE_FAILED', 'simulated');
      await change(one);
      // Between the store and the catalog in memory the next attempt comes.
      if (one.remove.length > 0) await stage.world.sleep(3_000);
    };
    stage.cluster.append('a', [record(1, '1')]);
    await stage.sql(db, `${view('totals')}; FLUSH; DROP MATERIALIZED VIEW totals`);
    assert.ok(failures > 0, 'the progress of the view was not saved at once');
    await stage.world.sleep(3_000);
    assert.equal(stage.medium.entry('totals'), undefined);
    stage.crash();
    db = await stage.open();
    await stage.sql(db, `${view('totals')}; FLUSH`);
    await stage.world.sleep(2_000);
    stage.checker.end(['totals']);
    await stage.as(() => db.close());
  });
});

test('a statement whose plan cannot start leaves nothing behind', async () => {
  const stage = new Stage();
  await stage.world.run(async () => {
    const db = await stage.open();
    const [a = '', d = ''] = SOURCES.split(';');
    await stage.sql(db, a);
    await stage.sql(db, view('totals'));
    const statements = [
      [d, 'd'],
      ["CREATE SINK out_a AS SELECT id, k, v FROM a WITH (topic = 'out-a')", 'out_a'],
      [view('quotients'), 'quotients'],
    ] as const;
    for (const [sql, name] of statements) {
      stage.cluster.isDown = true;
      await assert.rejects(stage.sql(db, sql));
      assert.equal(stage.medium.entry(name), undefined, `${name} is not in the catalog`);
      stage.cluster.isDown = false;
      await stage.sql(db, sql);
      assert.notEqual(stage.medium.entry(name), undefined);
    }
    stage.cluster.append('a', [record(1, '1'), record(2, '2')]);
    await stage.sql(db, 'FLUSH');
    await stage.world.sleep(2_000);
    stage.checker.end(['totals', 'quotients', 'd']);
    await stage.as(() => db.close());
  });
});

test('a stream that is read again has its bad records once', async () => {
  const stage = new Stage();
  await stage.world.run(async () => {
    let db = await stage.open();
    await stage.sql(db, `${SOURCES}; ${view('totals')}`);
    stage.cluster.append('a', [record(1, '1'), record(2, '"broken"'), record(3, '2')]);
    await stage.sql(db, 'FLUSH');
    await stage.sql(db, `DROP MATERIALIZED VIEW totals; ${view('best')}; FLUSH`);
    await stage.sql(db, 'DROP MATERIALIZED VIEW best');
    stage.crash();
    db = await stage.open();
    await stage.sql(db, view('totals'));
    stage.cluster.append('a', [record(4, '"broken"'), record(5, '2')]);
    await stage.sql(db, 'FLUSH');
    await stage.world.sleep(2_000);
    stage.checker.end(['totals']);
    await stage.as(() => db.close());
  });
});

test('a commit that is tried again after a flush of the log failed is in the log once', async () => {
  const stage = new Stage();
  await stage.world.run(async () => {
    let db = await stage.open();
    await stage.sql(db, `${SOURCES}; ${view('totals')}; FLUSH`);
    await stage.world.sleep(3_000);
    stage.simDisk.failsOneIn = 3;
    for (let id = 1; id < 10; id++) {
      stage.cluster.append('a', [record(id, '1')]);
      await stage.world.sleep(300);
    }
    stage.simDisk.failsOneIn = 0;
    await stage.sql(db, 'FLUSH');
    stage.crash();
    db = await stage.open();
    stage.cluster.append('a', [record(10, '1')]);
    await stage.sql(db, 'FLUSH');
    stage.checker.end(['totals']);
    await stage.as(() => db.close());
  });
});

test('after an epoch that could not be committed none is, until the process starts again', async () => {
  const stage = new Stage();
  await stage.world.run(async () => {
    let db = await stage.open();
    await stage.sql(db, `${SOURCES}; ${view('totals')}; FLUSH`);
    await stage.world.sleep(3_000);
    const { epoch } = stage.medium.progress;
    stage.simDisk.failsOneIn = 1;
    for (let id = 1; db.status().ready; id++) {
      stage.cluster.append('a', [record(id, '1')]);
      await stage.world.sleep(100);
    }
    // The disk has room again, and rows of the next epoch were computed before.
    stage.simDisk.failsOneIn = 0;
    await assert.rejects(stage.sql(db, 'FLUSH'));
    await stage.as(() => db.close());
    assert.equal(stage.medium.progress.epoch, epoch);
    db = await stage.open();
    await stage.sql(db, 'FLUSH');
    stage.checker.end(['totals']);
    await stage.as(() => db.close());
  });
});
