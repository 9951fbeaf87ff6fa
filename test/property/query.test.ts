/** Whole queries: text to operators, over random histories, with PostgreSQL asked after every epoch. */
import { after, before, test } from 'node:test';
import { queryRegressions } from '../regressions/query-histories.ts';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, tableOf } from './history.ts';
import { queryShapes } from './query-shapes.ts';

before(openJudge);
after(closeJudge);

const tables = [tableOf('l', false), tableOf('r', false), tableOf('e', true)];

for (const shape of queryShapes) {
  test(shape.name, async () => {
    const regressions = queryRegressions.filter((regression) => regression.shape === shape.name);
    const histories = regressions.map((regression) => regression.history);
    await checkQuery(shape, tables, Math.ceil(runs / 4), histories);
  });
}
