/**
 * What the views of the benchmark suites keep, and what a change costs them: `suites.ts [VIEW…] [--suite tpch|ch|nexmark] [--scale 0.01]
 * [--growth 10] [--page]`. The operators of each view are loaded with the suite's rows; then come epochs of about 100 changed rows.
 * Medians. For TPC-H the same is done at `growth` times the scale, and the ratio is printed: a cost that
 * follows the change stays as it is. `--page` prints the tables of docs/benchmark-suites.md.
 */
import { parseArgs } from 'node:util';
import { CH_QUERIES } from '../benchmark-suites/ch-queries.ts';
import { NEXMARK_QUERIES } from '../benchmark-suites/nexmark-queries.ts';
import type { SuiteQuery } from '../benchmark-suites/suite.ts';
import { TPCH_QUERIES } from '../benchmark-suites/tpch-queries.ts';
import { printTable, quantile } from './measure.ts';
import { PlanUnderLoad, planOf } from './suite-plan.ts';
import { chWorkload, nexmarkWorkload, tpchWorkload, type Workload } from './suite-workload.ts';

const CHANGED_ROWS = 100;
/** Before any is counted: V8 has compiled the operators by then. */
const WARM_UP_EPOCHS = 15;
const EPOCHS = 61;
const NEXMARK_EVENTS = 10_000;
const RATIO_MAX = 3;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    suite: { type: 'string' },
    scale: { type: 'string', default: '0.01' },
    growth: { type: 'string', default: '10' },
    page: { type: 'boolean', default: false },
  },
});

interface Cost {
  readonly stateBytes: number;
  readonly stateEntries: number;
  /** Of one epoch, the median. */
  readonly millis: number;
  readonly rowsOut: number;
}

function costOf(query: string | SuiteQuery, workload: Workload): Cost {
  const sql = typeof query === 'string' ? query : query.sql;
  const load = new PlanUnderLoad(planOf(sql, workload.catalog));
  for (const relation of load.relations) {
    for (const batch of workload.batches(relation)) {
      load.push(relation, batch);
      load.flush();
    }
  }
  const { stateBytes, stateEntries } = {
    stateBytes: load.stateBytes(),
    stateEntries: load.stateEntries(),
  };
  const millis: number[] = [];
  let rowsOut = 0;
  for (let epoch = 0; epoch < WARM_UP_EPOCHS + EPOCHS; epoch++) {
    const change = workload.change(load.relations, CHANGED_ROWS);
    const before = load.rowsOut;
    const startedMs = performance.now();
    for (const [relation, batch] of change) load.push(relation, batch);
    load.flush();
    const tookMs = performance.now() - startedMs;
    if (epoch < WARM_UP_EPOCHS) continue;
    millis.push(tookMs);
    rowsOut += load.rowsOut - before;
  }
  return { stateBytes, stateEntries, millis: quantile(millis, 0.5), rowsOut: rowsOut / EPOCHS };
}

const suites: readonly {
  readonly name: string;
  readonly title: string;
  readonly queries: Readonly<Record<string, string | SuiteQuery>>;
  readonly load: () => Workload;
  /** The same with more rows. */
  readonly loadMore: (() => Workload) | undefined;
}[] = [
  {
    name: 'tpch',
    title: `TPC-H, scale factor ${options.scale}`,
    queries: TPCH_QUERIES,
    load: () => tpchWorkload(Number(options.scale)),
    loadMore: () => tpchWorkload(Number(options.scale) * Number(options.growth)),
  },
  { name: 'ch', title: 'CH-benCHmark', queries: CH_QUERIES, load: chWorkload, loadMore: undefined },
  {
    name: 'nexmark',
    title: `Nexmark, ${NEXMARK_EVENTS.toLocaleString('en-US')} events`,
    queries: NEXMARK_QUERIES,
    load: () => nexmarkWorkload(NEXMARK_EVENTS),
    loadMore: undefined,
  },
];

const bytesText = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

for (const { name, title, queries, load, loadMore } of suites) {
  if (options.suite !== undefined && options.suite !== name) continue;
  const chosen = Object.entries(queries).filter(
    ([view]) => positionals.length === 0 || positionals.includes(view),
  );
  const workload = load();
  // Once for V8 alone, which has seen the code of all views before the figures of any are taken.
  costsOf(chosen, workload);
  const small = costsOf(chosen, workload);
  const large = loadMore === undefined ? undefined : costsOf(chosen, loadMore());
  // The page gives costs as multiples of what the suite's middle view takes, which other machines have too.
  const unit = quantile(
    small.map(({ millis }) => millis),
    0.5,
  );
  const header = ['view', 'state', 'entries', 'rows out', options.page ? 'cost' : 'ms'];
  const more = [
    `state × ${options.growth}`,
    options.page ? `cost × ${options.growth}` : `ms × ${options.growth}`,
    'ratio',
  ];
  const rows = chosen.map(([view], i) => {
    const cost = small[i] as Cost;
    const there = large?.[i];
    const costText = (millis: number): string =>
      options.page ? (millis / unit).toFixed(2) : millis.toFixed(2);
    const own = [
      view,
      bytesText(cost.stateBytes),
      cost.stateEntries.toLocaleString('en-US'),
      cost.rowsOut.toFixed(0),
      costText(cost.millis),
    ];
    if (there === undefined) return own;
    const ratio = there.millis / cost.millis;
    const mark = ratio > RATIO_MAX && !options.page ? ' !' : '';
    return [
      ...own,
      bytesText(there.stateBytes),
      costText(there.millis),
      `${ratio.toFixed(1)}${mark}`,
    ];
  });
  const table = [large === undefined ? header : [...header, ...more], ...rows];
  process.stdout.write(`\n${title}\n\n`);
  if (options.page) {
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
    const [first = [], ...others] = table;
    process.stdout.write(line(first) + line(first.map((_, i) => (i === 0 ? '---' : '--:'))));
    for (const cells of others) process.stdout.write(line(cells));
  } else printTable(table);
}

function costsOf(
  views: readonly (readonly [string, string | SuiteQuery])[],
  workload: Workload,
): readonly Cost[] {
  return views.map(([view, query]) => {
    process.stderr.write(`${view} `);
    return costOf(query, workload);
  });
}
