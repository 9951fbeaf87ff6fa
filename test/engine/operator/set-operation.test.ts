import { after, before, test } from 'node:test';
import { SetOperationOperator, setRules } from '../../../engine/operator/set-operation.ts';
import { closeJudge, openJudge, runs, type TestTable, tableOf } from '../../property/history.ts';
import { checkOperator } from '../../property/play.ts';

before(openJudge);
after(closeJudge);

const wide = tableOf('l', false);

/** Of the given columns only, so that equal rows are common. */
function narrow(name: string, columns: readonly string[]): TestTable {
  const kept = wide.schema.flatMap((column, i) => (columns.includes(column.name) ? [i] : []));
  return {
    name,
    appendOnly: false,
    schema: kept.map((i) => wide.schema[i] as TestTable['schema'][number]),
    domains: kept.map((i) => wide.domains[i] ?? []),
  };
}

for (const columns of [['k'], ['s', 'o'], ['b', 'f'], ['t', 'x']]) {
  const left = narrow('l', columns);
  const right = narrow('r', columns);
  const select = left.schema.map((column) => column.name).join(', ');
  test(`distinct ${columns.join(', ')}`, () =>
    checkOperator({
      tables: [left],
      operator: () => new SetOperationOperator(left.schema, setRules.union),
      query: `SELECT DISTINCT ${select} FROM l`,
      runs: Math.ceil(runs / 4),
    }));
  for (const [name, rule] of Object.entries(setRules)) {
    test(`${name} of ${columns.join(', ')}`, () =>
      checkOperator({
        tables: [left, right],
        operator: () => new SetOperationOperator(left.schema, rule),
        query: `SELECT ${select} FROM l ${name} SELECT ${select} FROM r`,
        runs: Math.ceil(runs / 4),
      }));
  }
}
