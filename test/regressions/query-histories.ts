/** Histories over which a query once had a wrong answer; replayed before the random ones. */

import { Numeric } from '../../sql/base/numeric.ts';
import type { Change, History } from '../property/history.ts';

export interface QueryRegression {
  /** Name of a query in property/query-shapes.ts. */
  readonly shape: string;
  readonly why: string;
  readonly history: History;
}

const change = (weight: number, k: number, v: number): Change => ({
  row: [k, '', v, 0n, Numeric.parse('1.0'), 0, 0n, true, new Uint8Array([])],
  weight,
});

export const queryRegressions: readonly QueryRegression[] = [
  {
    shape: 'left join with a condition',
    why: 'equal rows stored apart became one at the first deletion, and what one of them had emitted was forgotten',
    history: [
      [[[change(1, 0, 0), change(1, 0, 0)]], [[change(1, 0, -3)]], [[]]],
      [[[change(-1, 0, 0)]], [[]], [[]]],
    ],
  },
  {
    shape: 'full join',
    why: 'a row that was merged into an equal one was removed again at flush',
    history: [[[[change(1, 0, 1), change(1, 0, 1)], [change(-1, 0, 1)]], [[]], [[]]]],
  },
  {
    shape: 'correlated scalar subquery',
    why: 'the same, with partners on the other side',
    history: [
      [[[change(1, 1, -3), change(1, 1, -3)], [change(-1, 1, -3)]], [[change(1, 0, -3)]], [[]]],
    ],
  },
];
