import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch, type RowNames } from '../../../engine/delta/batch.ts';
import { columnOf } from '../../../engine/delta/builder.ts';
import { Arrangement } from '../../../engine/state/arrangement.ts';
import { compileHash } from '../../../engine/state/row-hash.ts';

const hash = compileHash(['i64']);

/** Adds (key, value) rows, or takes them back. */
function play(
  arrangement: Arrangement,
  rows: readonly (readonly [number, string])[],
  weight: 1 | -1,
  named: RowNames | null,
): void {
  const columns = [
    columnOf(
      'i64',
      rows.map(([key]) => BigInt(key)),
    ),
    columnOf(
      'str',
      rows.map(([, value]) => value),
    ),
  ];
  const hashes = new Int32Array(rows.length);
  hash(columns, rows.length, hashes);
  const weights = weight === 1 ? null : new Int32Array(rows.length).fill(-1);
  const batch = new Batch(rows.length, columns, weights, named);
  arrangement.add(batch, hashes, null, new Int32Array(rows.length));
}

function contents(arrangement: Arrangement): string[] {
  const found: string[] = [];
  for (let row = 0; row < arrangement.rows.end; row++) {
    const weight = arrangement.weightOf(row);
    if (weight === 0) continue;
    const [key, value] = arrangement.rows.gather(Int32Array.of(row), 1);
    const text = value?.physical === 'str' ? value.get(0) : undefined;
    found.push(`${key?.physical === 'i64' ? key.values[0] : undefined} ${text} ${weight}`);
  }
  return found.sort();
}

function make(): Arrangement {
  return new Arrangement(['i64', 'str'], [0], { keepEmpty: false });
}

const owner = {};
const names = (...numbers: number[]): RowNames => ({ owner, names: Int32Array.from(numbers) });

test('rows that come and go by name need no index over whole rows', () => {
  const named = make();
  const plain = make();
  const rows = Array.from({ length: 5000 }, (_, i): [number, string] => [i % 7, `v${i}`]);
  for (const [arrangement, own] of [
    [named, names(...rows.keys())],
    [plain, null],
  ] as const) {
    play(arrangement, rows, 1, own);
    play(arrangement, rows.slice(0, 2), -1, own === null ? null : names(0, 1));
    play(arrangement, [[1, 'again']], 1, own === null ? null : names(1));
    play(
      arrangement,
      [
        [2, 'v2'],
        [1, 'again'],
      ],
      -1,
      own === null ? null : names(2, 1),
    );
  }
  assert.deepEqual(contents(named), contents(plain));
  assert.ok(
    named.bytes() < plain.bytes(),
    `${named.bytes()} bytes, ${plain.bytes()} without names`,
  );
});

test('rows without names, of another owner or of a name that is taken are found by their content', () => {
  for (const other of [null, { owner: {}, names: Int32Array.of(3) }, names(2)]) {
    const arrangement = make();
    play(
      arrangement,
      [
        [1, 'a'],
        [1, 'b'],
        [2, 'b'],
      ],
      1,
      names(0, 1, 2),
    );
    play(arrangement, [[1, 'a']], -1, names(0));
    play(arrangement, [[1, 'b']], 1, other);

    play(arrangement, [[1, 'b']], -1, names(1));
    play(arrangement, [[2, 'b']], -1, null);
    assert.deepEqual(contents(arrangement), ['1 b 1']);
    play(arrangement, [[1, 'b']], -1, other);
    assert.deepEqual(contents(arrangement), []);
    assert.equal(arrangement.count, 0);
  }
});

test('the names of two owners have nothing to do with one another', () => {
  const arrangement = make();
  const rows: [number, string][] = [
    [1, 'a'],
    [1, 'b'],
  ];
  play(arrangement, rows, 1, names(0, 1));
  play(arrangement, [[1, 'b']], -1, { owner: {}, names: Int32Array.of(0) });
  assert.deepEqual(contents(arrangement), ['1 a 1']);
});
