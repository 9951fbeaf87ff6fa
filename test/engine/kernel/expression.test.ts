import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import fc from 'fast-check';
import type { Batch } from '../../../engine/delta/batch.ts';
import { BatchBuilder } from '../../../engine/delta/builder.ts';
import { compilePredicate, compileProjection } from '../../../engine/kernel/expression.ts';
import { compileScalar } from '../../../engine/kernel/scalar.ts';
import type { Datum } from '../../../sql/base/datum.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { fromText } from '../../../sql/base/text-input.ts';
import { toText } from '../../../sql/base/text-output.ts';
import { type Schema, type SqlType, typeName } from '../../../sql/base/type.ts';
import { equalDatums } from '../../../sql/base/value.ts';
import { bindOnce } from '../../../sql/bind-once.ts';
import type { BoundExpr } from '../../../sql/expression.ts';
import { insertValue } from '../../../sql/expression-map.ts';
import { registry } from '../../../sql/function/builtin.ts';
import { openPglite } from '../../open-pglite.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);

const types = {
  boolean: { kind: 'boolean' },
  integer: { kind: 'integer' },
  bigint: { kind: 'bigint' },
  double: { kind: 'double' },
  numeric: { kind: 'numeric' },
  price: { kind: 'numeric', precision: 10, scale: 2 },
  text: { kind: 'text' },
  timestamp: { kind: 'timestamp' },
  interval: { kind: 'interval' },
} as const satisfies Record<string, SqlType>;
type Key = keyof typeof types;

/** Two columns of each type: c0 and c1 are boolean, c2 and c3 integer, … */
const columnKeys: readonly Key[] = (Object.keys(types) as Key[]).flatMap((key) => [key, key]);
const schema: Schema = columnKeys.map((key, i) => ({
  name: `c${i}`,
  type: types[key],
  nullable: true,
}));

const samples: { readonly [K in Key]: readonly string[] } = {
  boolean: ['true', 'false'],
  integer: ['0', '1', '-1', '2', '7', '-13', '1000000', '2147483647', '-2147483648'],
  bigint: [
    '0',
    '1',
    '-1',
    '3',
    '10',
    '-7',
    '4503599627370496',
    '9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
    '-9007199254740993',
  ],
  double: ['0', '-0', '1', '-2.5', '0.1', '1e300', '-1e-300', 'NaN', 'Infinity', '123456789.25'],
  numeric: [
    '0',
    '0.00',
    '1',
    '-1.50',
    '0.908',
    '3.14159265358979',
    '12345678901234567890.5',
    '-9007199254740993',
    '1e-20',
    '99999999.995',
    'NaN',
    'Infinity',
  ],
  price: ['0.00', '1.25', '-3.10', '99999999.99'],
  text: [
    '',
    'a',
    'abc',
    'Apple',
    'apple',
    'Äpfel',
    '😀',
    'a%b',
    'some longer text than thirty-two bytes',
  ],
  timestamp: [
    '1970-01-01 00:00:00',
    '2024-02-29 12:34:56.789',
    '1969-12-31 23:59:59.999999',
    '2300-01-01 00:00:00',
    'infinity',
    '0001-01-01 00:00:00',
  ],
  interval: ['1 day', '02:03:04.5', '1 mon', '-1 day 00:00:01', '00:00:00'],
};

function column(key: Key, which: number): BoundExpr {
  return { kind: 'column', type: types[key], index: columnKeys.indexOf(key) + which };
}

function literal(key: Key, text: string | null): BoundExpr {
  const type = types[key];
  return { kind: 'literal', type, value: text === null ? null : fromText(text, type) };
}

function call(name: string, result: Key, ...args: BoundExpr[]): BoundExpr {
  const kinds = args.map((arg) => arg.type.kind).join();
  const fn = registry.scalars(name).find((f) => f.parameters.map((p) => p.kind).join() === kinds);
  if (fn === undefined) throw new Error(`no ${name}(${kinds})`);
  return { kind: 'call', type: types[result], fn, args };
}

function cast(operand: BoundExpr, to: Key): BoundExpr {
  const type = types[to];
  const found = registry.cast(operand.type, type, 'explicit');
  if (found === undefined) throw new Error(`no cast ${typeName(operand.type)} ${to}`);
  return { kind: 'cast', type, operand, fn: found.fn, try: false };
}

/** Literals stand in a table too, so that PostgreSQL's planner folds nothing and fails where we do. */
interface Rendering {
  readonly literals: { readonly type: SqlType; readonly text: string | null }[];
}

function render(e: BoundExpr, out: Rendering): string {
  const sub = (x: BoundExpr) => render(x, out);
  switch (e.kind) {
    case 'literal':
      out.literals.push({ type: e.type, text: e.value === null ? null : toText(e.value, e.type) });
      return `l${out.literals.length - 1}`;
    case 'column':
      return `c${e.index}`;
    case 'call': {
      const args = e.args.map(sub);
      if (/^[a-z]/.test(e.fn.name)) return `${e.fn.name}(${args.join(', ')})`;
      return args.length === 1
        ? `(${e.fn.name} ${args[0]})`
        : `(${args[0]} ${e.fn.name} ${args[1]})`;
    }
    case 'cast':
      return `CAST(${sub(e.operand)} AS ${typeName(e.type)})`;
    case 'and':
    case 'or':
      return `(${e.args.map(sub).join(` ${e.kind} `)})`;
    case 'not':
      return `(NOT ${sub(e.operand)})`;
    case 'is-null':
      return `(${sub(e.operand)} IS ${e.negated ? 'NOT ' : ''}NULL)`;
    case 'is-truth':
      return `(${sub(e.operand)} IS ${e.negated ? 'NOT ' : ''}${e.value ? 'TRUE' : 'FALSE'})`;
    case 'is-distinct':
      return `(${sub(e.left)} IS ${e.negated ? 'NOT ' : ''}DISTINCT FROM ${sub(e.right)})`;
    case 'case': {
      const whens = e.whens.map(({ when, then }) => `WHEN ${sub(when)} THEN ${sub(then)}`);
      const otherwise = e.otherwise === undefined ? '' : ` ELSE ${sub(e.otherwise)}`;
      return `CASE ${whens.join(' ')}${otherwise} END`;
    }
    case 'coalesce':
      return `COALESCE(${e.args.map(sub).join(', ')})`;
    case 'in-list':
      return `(${sub(e.operand)} ${e.negated ? 'NOT ' : ''}IN (${e.items.map(sub).join(', ')}))`;
    case 'let':
      return sub(insertValue(e.body, e.id, e.value));
    default:
      throw new Error(`not rendered: ${e.kind}`);
  }
}

/** The meaning of an expression, read off its tree; throws StreamError. */
function interpret(e: BoundExpr, row: readonly (Datum | null)[]): Datum | null {
  const sub = (x: BoundExpr) => interpret(x, row);
  switch (e.kind) {
    case 'literal':
      return e.value;
    case 'column':
      return row[e.index] ?? null;
    case 'call':
    case 'cast': {
      const args = (e.kind === 'call' ? e.args : [e.operand]).map(sub);
      if (e.fn === undefined) return args[0] ?? null;
      if (e.fn.strict !== false && args.includes(null)) return null;
      return (e.fn.evaluate as (...args: (Datum | null)[]) => Datum | null)(...args);
    }
    case 'and':
    case 'or': {
      let result: boolean | null = e.kind === 'and';
      for (const arg of e.args) {
        const value = sub(arg);
        if (value === (e.kind === 'or')) return value;
        if (value === null) result = null;
      }
      return result;
    }
    case 'not': {
      const value = sub(e.operand);
      return value === null ? null : !value;
    }
    case 'is-null':
      return (sub(e.operand) === null) !== e.negated;
    case 'is-truth':
      return (sub(e.operand) === e.value) !== e.negated;
    case 'is-distinct': {
      const [a, b] = [sub(e.left), sub(e.right)];
      const same = a === null || b === null ? a === b : equalDatums(a, b, e.left.type);
      return same === e.negated;
    }
    case 'case':
      for (const { when, then } of e.whens) if (sub(when) === true) return sub(then);
      return e.otherwise === undefined ? null : sub(e.otherwise);
    case 'coalesce':
      for (const arg of e.args) {
        const value = sub(arg);
        if (value !== null) return value;
      }
      return null;
    case 'in-list': {
      const value = sub(e.operand);
      if (value === null) return null;
      let unknown = false;
      for (const item of e.items) {
        const candidate = sub(item);
        if (candidate === null) unknown = true;
        else if (equalDatums(value, candidate, e.operand.type)) return !e.negated;
      }
      return unknown ? null : e.negated;
    }
    case 'let': {
      const value: BoundExpr = { kind: 'literal', value: sub(e.value), type: e.value.type };
      return sub(insertValue(e.body, e.id, value));
    }
    default:
      throw new Error(`not interpreted: ${e.kind}`);
  }
}

/** A WHERE stops at its first conjunct that is not true. */
const conjuncts = (e: BoundExpr): readonly BoundExpr[] =>
  e.kind === 'and' ? e.args.flatMap(conjuncts) : [e];

const leaf = (key: Key): fc.Arbitrary<BoundExpr> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 1 }).map((which) => column(key, which)) },
    { weight: 3, arbitrary: fc.constantFrom(...samples[key]).map((text) => literal(key, text)) },
    { weight: 1, arbitrary: fc.constant(literal(key, null)) },
  );

/** A literal, rarely NULL: long lists of them are looked up in a set. */
const item = (key: Key): fc.Arbitrary<BoundExpr> =>
  fc.option(fc.constantFrom(...samples[key]), { freq: 20 }).map((text) => literal(key, text));

const comparisons = ['=', '<>', '<', '<=', '>', '>='];

function expression(key: Key, depth: number): fc.Arbitrary<BoundExpr> {
  if (depth === 0) return leaf(key);
  const sub = (k: Key) => expression(k, depth - 1);
  const type = types[key];
  const binary = (names: readonly string[], left: Key, right: Key = left) =>
    fc
      .tuple(fc.constantFrom(...names), sub(left), sub(right))
      .map(([name, a, b]) => call(name, key, a, b));
  const from = (...keys: Key[]) => keys.map((k) => sub(k).map((operand) => cast(operand, key)));
  const choices: fc.Arbitrary<BoundExpr>[] = [
    leaf(key),
    fc
      .tuple(
        fc.array(fc.tuple(sub('boolean'), sub(key)), { minLength: 1, maxLength: 2 }),
        fc.option(sub(key), { nil: undefined }),
      )
      .map(
        ([whens, otherwise]): BoundExpr => ({
          kind: 'case',
          type,
          whens: whens.map(([when, then]) => ({ when, then })),
          otherwise,
        }),
      ),
    fc
      .array(sub(key), { minLength: 1, maxLength: 3 })
      .map((args): BoundExpr => ({ kind: 'coalesce', type, args })),
    // NULLIF, which names its first operand twice.
    fc.tuple(sub(key), sub(key)).map(([value, other]) =>
      bindOnce(value, (named) => {
        const when = call('=', 'boolean', named, other);
        // biome-ignore lint/suspicious/noThenProperty: SQL's word, and no promise.
        const whens = [{ when, then: literal(key, null) }];
        return { kind: 'case', type, whens, otherwise: named };
      }),
    ),
  ];
  switch (key) {
    case 'boolean': {
      const any = fc.constantFrom<Key>(
        'boolean',
        'integer',
        'bigint',
        'double',
        'numeric',
        'text',
        'timestamp',
      );
      const truth = { type: types.boolean } as const;
      choices.push(
        any.chain((k) => binary(comparisons, k)),
        fc
          .tuple(
            fc.constantFrom('and' as const, 'or' as const),
            fc.array(sub('boolean'), { minLength: 2, maxLength: 3 }),
          )
          .map(([kind, args]): BoundExpr => ({ ...truth, kind, args })),
        sub('boolean').map((operand): BoundExpr => ({ ...truth, kind: 'not', operand })),
        fc
          .tuple(any.chain(sub), fc.boolean())
          .map(
            ([operand, negated]): BoundExpr => ({ ...truth, kind: 'is-null', operand, negated }),
          ),
        fc.tuple(sub('boolean'), fc.boolean(), fc.boolean()).map(
          ([operand, value, negated]): BoundExpr => ({
            ...truth,
            kind: 'is-truth',
            operand,
            value,
            negated,
          }),
        ),
        any
          .chain((k) => fc.tuple(sub(k), sub(k), fc.boolean()))
          .map(
            ([left, right, negated]): BoundExpr => ({
              ...truth,
              kind: 'is-distinct',
              left,
              right,
              negated,
            }),
          ),
        any
          .chain((k) =>
            fc.tuple(
              sub(k),
              fc.oneof(
                fc.array(leaf(k), { minLength: 1, maxLength: 3 }),
                fc.array(item(k), { minLength: 7, maxLength: 10 }),
              ),
              fc.boolean(),
            ),
          )
          .map(
            ([operand, items, negated]): BoundExpr => ({
              ...truth,
              kind: 'in-list',
              operand,
              items,
              negated,
            }),
          ),
      );
      if (registry.scalars('~~').length > 0) {
        const pattern = fc.constantFrom(
          'a%',
          '%b',
          '%pp%',
          'a%c',
          '%',
          'Apple',
          '_pple',
          'a\\%b',
          '%a%b%',
        );
        choices.push(
          fc
            .tuple(fc.constantFrom('~~', '!~~'), sub('text'), pattern)
            .map(([name, a, p]) => call(name, 'boolean', a, literal('text', p))),
        );
      }
      break;
    }
    case 'integer':
      choices.push(
        binary(['+', '-', '*', '/', '%'], 'integer'),
        sub('integer').map((a) => call('-', key, a)),
      );
      choices.push(...from('bigint', 'numeric'));
      break;
    case 'bigint':
      choices.push(
        binary(['+', '-', '*', '/', '%'], 'bigint'),
        binary(['+', '*'], 'bigint'),
        sub('bigint').map((a) => call('-', key, a)),
      );
      choices.push(...from('integer', 'numeric'));
      break;
    case 'double':
      choices.push(binary(['+', '-', '*'], 'double'), ...from('integer', 'bigint', 'numeric'));
      break;
    case 'numeric':
      choices.push(
        binary(['+', '-', '*', '/'], 'numeric'),
        binary(['*', '-'], 'numeric'),
        binary(['*'], 'numeric'),
        sub('numeric').map((a) => call('-', key, a)),
      );
      choices.push(...from('integer', 'bigint', 'price'));
      break;
    case 'price':
      choices.push(...from('integer', 'bigint', 'numeric'));
      break;
    case 'text':
      choices.push(...from('integer', 'bigint', 'numeric', 'boolean'));
      break;
    case 'timestamp':
      choices.push(binary(['+', '-'], 'timestamp', 'interval'));
      break;
    case 'interval':
      choices.push(binary(['-'], 'timestamp'));
      break;
    default:
      break;
  }
  return fc.oneof(...choices);
}

const rowText = fc.tuple(
  ...columnKeys.map((key) => fc.option(fc.constantFrom(...samples[key]), { freq: 5 })),
);
const anyKey = fc.constantFrom(...(Object.keys(types) as Key[]));

function batchOf(rows: readonly (readonly (string | null)[])[]): Batch {
  const builder = new BatchBuilder(schema);
  rows.forEach((row, i) => {
    const datums = row.map((text, c) => {
      const type = schema[c]?.type as SqlType;
      return text === null ? null : fromText(text, type);
    });
    builder.add(datums, i % 3 === 2 ? -1 : 1);
  });
  return builder.take();
}

type Answer = string | null;
const failed = (error: unknown): Answer => {
  if (!(error instanceof StreamError)) throw error;
  return `error ${error.sqlstate}`;
};
const shown = (value: Datum | null, type: SqlType): Answer =>
  value === null ? null : toText(value, type);

/** What the generated loop gives per input row, and the codes of the rows that it left out. */
function project(batch: Batch, e: BoundExpr): Answer[] {
  const answers: Answer[] = new Array(batch.length).fill('absent');
  // The row number travels with the row, so that answers find their place.
  const numbered: Schema = [...schema, { name: 'n', type: types.integer, nullable: false }];
  const builder = new BatchBuilder(numbered);
  for (let row = 0; row < batch.length; row++)
    builder.add([...batch.row(row), row], batch.weight(row));
  const number: BoundExpr = { kind: 'column', type: types.integer, index: schema.length };
  const projection = compileProjection(numbered, undefined, [e, number]);
  const out = projection(builder.take(), (error, _, row) => {
    assert.equal(answers[row], 'absent');
    answers[row] = failed(error);
  });
  for (let row = 0; out !== undefined && row < out.length; row++) {
    const [value, at] = out.row(row);
    assert.equal(out.weight(row), batch.weight(at as number));
    answers[at as number] = shown(value ?? null, e.type);
  }
  return answers;
}

test('generated loops, row functions and an interpreter agree', () => {
  fc.assert(
    fc.property(
      anyKey.chain((key) => expression(key, 3)),
      fc.array(rowText, { minLength: 1, maxLength: 12 }),
      (e, rows) => {
        const batch = batchOf(rows);
        const scalar = compileScalar(e);
        const answers = project(batch, e);
        for (let row = 0; row < batch.length; row++) {
          const datums = batch.row(row);
          const attempt = (run: () => Datum | null): Answer => {
            try {
              return shown(run(), e.type);
            } catch (error) {
              return failed(error);
            }
          };
          const expected = attempt(() => interpret(e, datums));
          assert.equal(answers[row], expected, render(e, { literals: [] }));
          assert.equal(
            attempt(() => scalar(datums)),
            expected,
            render(e, { literals: [] }),
          );
        }
      },
    ),
    { numRuns: runs * 10 },
  );
});

test('filters keep rows where the condition is true, with weights, and report failures', () => {
  fc.assert(
    fc.property(
      expression('boolean', 3),
      fc.array(
        anyKey.chain((key) => expression(key, 2)),
        { maxLength: 3 },
      ),
      fc.array(rowText, { minLength: 1, maxLength: 12 }),
      (where, expressions, rows) => {
        const batch = batchOf(rows);
        const expected: unknown[] = [];
        const failures: number[] = [];
        const selected: number[] = [];
        for (let row = 0; row < batch.length; row++) {
          const datums = batch.row(row);
          try {
            if (!conjuncts(where).every((e) => interpret(e, datums) === true)) continue;
            selected.push(row);
          } catch (error) {
            failed(error);
            failures.push(row);
            continue;
          }
          try {
            const values = expressions.map((e) => shown(interpret(e, datums), e.type));
            expected.push([...values, shown(datums[4] ?? null, types.bigint), batch.weight(row)]);
          } catch (error) {
            failed(error);
            failures.push(row);
          }
        }
        const reported: number[] = [];
        const out = compileProjection(schema, where, [...expressions, column('bigint', 0)])(
          batch,
          (_, at, row) => {
            assert.equal(at, batch);
            reported.push(row);
          },
        );
        const got: unknown[] = [];
        for (let row = 0; out !== undefined && row < out.length; row++) {
          const values = out
            .row(row)
            .map((value, i) => shown(value, expressions[i]?.type ?? types.bigint));
          got.push([...values, out.weight(row)]);
        }
        assert.deepEqual(got, expected);
        assert.deepEqual(reported, failures);
        const { rows: kept, count } = compilePredicate(schema, where)(batch, () => undefined);
        assert.deepEqual([...kept.subarray(0, count)], selected);
      },
    ),
    { numRuns: runs * 3 },
  );
});

test('many expressions are computed in several loops', () => {
  const double: BoundExpr = call('+', 'bigint', column('bigint', 0), column('bigint', 0));
  let deep = double;
  for (let i = 0; i < 150; i++) deep = call('+', 'bigint', deep, column('bigint', 1));
  const expressions = [deep, double, deep, deep, call('/', 'bigint', double, column('bigint', 1))];
  const make = (texts: readonly (readonly [string, string])[]) =>
    batchOf(
      texts.map(([a, b]) =>
        columnKeys.map((key, i) => (key !== 'bigint' ? null : i % 2 === 0 ? a : b)),
      ),
    );
  const batch = make([
    ['1', '2'],
    ['9223372036854775807', '1'],
    ['3', '0'],
    ['5', '1'],
  ]);
  const where = call('>', 'boolean', column('bigint', 0), literal('bigint', '1'));
  for (const condition of [undefined, where]) {
    let failures = 0;
    const out = compileProjection(
      schema,
      condition,
      expressions,
    )(batch, () => {
      failures++;
    });
    const rows = Array.from({ length: out?.length ?? 0 }, (_, row) => out?.row(row));
    assert.deepEqual(rows.at(-1), [160n, 10n, 160n, 160n, 10n]);
    assert.equal(rows.length, condition === undefined ? 2 : 1);
    assert.ok(failures >= 2);
  }
});

test('columns that pass through unfiltered are shared', () => {
  const batch = batchOf([columnKeys.map((key) => samples[key][0] as string)]);
  const out = compileProjection(schema, undefined, [column('text', 0), column('bigint', 1)])(
    batch,
    assert.fail,
  );
  assert.equal(out?.columns[0], batch.column(columnKeys.indexOf('text')));
  assert.equal(out?.columns[1], batch.column(columnKeys.indexOf('bigint') + 1));
});

const pg = await openPglite();
after(() => pg.close());

/** The answers of PostgreSQL, by row. */
async function postgres(
  e: BoundExpr,
  rows: readonly (readonly (string | null)[])[],
): Promise<Answer[]> {
  const out: Rendering = { literals: [] };
  const sql = render(e, out);
  const quote = (text: string | null) =>
    text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`;
  const names = [
    ...schema.map(({ name, type }) => `${name} ${typeName(type)}`),
    ...out.literals.map(({ type }, i) => `l${i} ${typeName(type)}`),
  ];
  await pg.exec(`DROP TABLE IF EXISTS t; CREATE TEMP TABLE t (id int, ${names.join(', ')});`);
  const values = rows.map(
    (row, id) =>
      `(${[String(id), ...row.map(quote), ...out.literals.map(({ text }) => quote(text))].join(', ')})`,
  );
  await pg.exec(`INSERT INTO t VALUES ${values.join(', ')}`);
  const ask = async (where: string): Promise<Answer[]> => {
    const answer = await pg.query<{ v: string | null }>(
      `SELECT (${sql})::text AS v FROM t ${where} ORDER BY id`,
    );
    return answer.rows.map(({ v }) => v);
  };
  try {
    return await ask('');
  } catch {
    const answers: Answer[] = [];
    for (let id = 0; id < rows.length; id++) {
      try {
        answers.push(...(await ask(`WHERE id = ${id}`)));
      } catch (error) {
        answers.push(`error ${(error as { code?: string }).code}`);
      }
    }
    return answers;
  }
}

test('generated loops answer as PostgreSQL does', async () => {
  await pg.exec("SET timezone = 'UTC'");
  await fc.assert(
    fc.asyncProperty(
      anyKey.chain((key) => expression(key, 3)),
      fc.array(rowText, { minLength: 1, maxLength: 8 }),
      async (e, rows) => {
        const answers = project(batchOf(rows), e);
        const expected = await postgres(e, rows);
        const text =
          e.type.kind === 'boolean'
            ? answers.map((v) => (v === 't' ? 'true' : v === 'f' ? 'false' : v))
            : answers;
        assert.deepEqual(text, expected, render(e, { literals: [] }));
      },
    ),
    { numRuns: runs * 2 },
  );
});
