import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  arrayWriter,
  columnsJson,
  csvWriter,
  objectWriter,
} from '../../../server/http/row-text.ts';
import type { Row } from '../../../sql/base/datum.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import type { Schema, SqlType } from '../../../sql/base/type.ts';

const column = (name: string, type: SqlType) => ({ name, type, nullable: true });
const schema: Schema = [
  column('i', { kind: 'integer' }),
  column('b', { kind: 'bigint' }),
  column('n', { kind: 'numeric' }),
  column('d', { kind: 'double' }),
  column('t', { kind: 'text' }),
  column('ts', { kind: 'timestamptz' }),
  column('j', { kind: 'jsonb' }),
  column('a', { kind: 'array', element: { kind: 'integer' } }),
  column('ok', { kind: 'boolean' }),
  column('bytes', { kind: 'bytea' }),
];
const row: Row = [
  1,
  9007199254740993n,
  Numeric.parse('1.50'),
  Number.NaN,
  'a "b", c',
  0n,
  '{"k": 1.0}',
  [1, null],
  true,
  new Uint8Array([1, 255]),
];

describe('rows as text', () => {
  it('writes every digit, NaN as a string, documents as JSON', () => {
    assert.equal(
      arrayWriter(schema, 'json')(row),
      '[1,9007199254740993,1.50,"NaN","a \\"b\\", c","1970-01-01T00:00:00Z",{"k": 1.0},[1,null],true,"\\\\x01ff"]',
    );
    assert.equal(
      arrayWriter(schema, 'json')(schema.map(() => null)),
      `[${Array(10).fill('null').join(',')}]`,
    );
  });

  it('writes PostgreSQL text on demand', () => {
    const values: unknown = JSON.parse(arrayWriter(schema, 'text')(row));
    assert.deepEqual(values, [
      '1',
      '9007199254740993',
      '1.50',
      'NaN',
      'a "b", c',
      '1970-01-01 00:00:00+00',
      '{"k": 1.0}',
      '{1,NULL}',
      't',
      '\\x01ff',
    ]);
  });

  it('keeps doubled names apart in objects', () => {
    const twice: Schema = [column('x', { kind: 'integer' }), column('x', { kind: 'integer' })];
    assert.equal(objectWriter(twice)([1, 2]), '{"x":1,"x_2":2}');
  });

  it('keeps a row on one line', () => {
    const json: Schema = [column('j', { kind: 'json' })];
    assert.equal(objectWriter(json)(['{"a":\n 1}']), '{"j":{"a":  1}}');
  });

  it('writes CSV with NULL apart from the empty string', () => {
    const texts: Schema = [column('a', { kind: 'text' }), column('b', { kind: 'text' })];
    assert.equal(csvWriter(texts)(['x,"y"', null]), '"x,""y""",');
    assert.equal(csvWriter(texts)(['', 'line\nbreak']), '"","line\nbreak"');
  });

  it("names types as PostgreSQL's format_type", () => {
    assert.equal(
      columnsJson([column('a', { kind: 'array', element: { kind: 'integer' } })]),
      '[{"name":"a","type":"integer[]"}]',
    );
  });
});
