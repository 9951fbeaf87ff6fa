/** Rows of every type with NULLs, duplicates and values at the edges, for comparing queries. */
import type { SqlType } from '../../../sql/base/type.ts';
import type { TableText } from './pull-judge.ts';

const int: SqlType = { kind: 'integer' };
const text: SqlType = { kind: 'text' };

export const tables: readonly TableText[] = [
  {
    name: 't',
    columns: [
      ['id', int],
      ['i', int],
      ['b', { kind: 'bigint' }],
      ['s', { kind: 'smallint' }],
      ['r', { kind: 'real' }],
      ['d', { kind: 'double' }],
      ['n', { kind: 'numeric' }],
      ['m', { kind: 'numeric', precision: 10, scale: 2 }],
      ['x', text],
      ['v', { kind: 'varchar', length: 10 }],
      ['c', { kind: 'char', length: 5 }],
      ['f', { kind: 'boolean' }],
      ['dt', { kind: 'date' }],
      ['tm', { kind: 'time' }],
      ['ts', { kind: 'timestamp' }],
      ['tz', { kind: 'timestamptz' }],
      ['iv', { kind: 'interval' }],
      ['u', { kind: 'uuid' }],
      ['j', { kind: 'jsonb' }],
      ['y', { kind: 'bytea' }],
      ['ai', { kind: 'array', element: int }],
      ['ax', { kind: 'array', element: text }],
    ],
    storage: { kind: 'keyed', key: [0] },
    values: `
      (1, 1, 10, 1, 1.5, 0.5, 1.50, 10.25, 'apple', 'abc', 'a', true, '2024-01-01', '10:00', '2024-01-01 10:00:00', '2024-01-01 10:00:00+02', '1 day', '00000000-0000-0000-0000-000000000001', '{"a": 1}', '\\x00ff', '{1,2,3}', '{a,b}'),
      (2, 2, -10, 2, -1.5, -0.25, 1.5, 10.25, 'Banana', 'ABC', 'a  ', false, '2024-02-29', '23:59:59.999999', '2024-02-29 23:59:59.5', '2024-02-29 23:59:59.5Z', '1 mon', '00000000-0000-0000-0000-000000000002', '{"a": 2, "b": [1, "x"]}', '\\x', '{}', '{}'),
      (3, 3, 9223372036854775807, 3, 0, 1e300, -12345678901234567890.123456789, -99999999.99, 'cherry pie, with more than twelve bytes', 'x_y%z', 'abcde', null, '1999-12-31', '00:00', '1999-12-31 00:00:00', '1999-12-31 00:00:00Z', '-1 day 02:03:04', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[1, 2]', '\\xdeadbeef', '{3,NULL}', '{NULL,"x y"}'),
      (4, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
      (5, 2147483647, -9223372036854775808, 32767, 'NaN', 'NaN', 'NaN', 'NaN', '', '', '', true, 'infinity', '12:34:56', 'infinity', 'infinity', '00:00:00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'null', '\\x61', '{10}', '{z}'),
      (6, -2147483648, 0, -32768, 'Infinity', '-Infinity', 'Infinity', 0.00, 'Äpfel & ünïcode 𝄞', 'ü', 'ü', false, '-infinity', '24:00:00', '-infinity', '-infinity', '30 days', '00000000-0000-0000-0000-00000000000a', '"str"', '\\x6162', '{-1,0,1}', '{"a,b","c\\"d"}'),
      (7, 2, 10, 2, 1.5, 0.5, 100, 10.30, 'apple', 'abc', 'b', true, '2024-01-15', '10:00:00.5', '2024-01-15 10:07:30', '2024-01-15 10:07:30Z', '1 year 2 mons', null, '{"a": 1.0}', null, '{1,2,3}', '{a,b}'),
      (8, 5, 7, 5, 2.25, 3.75, 0.1, 1.00, 'date', 'a\\b', 'zz', false, '2024-01-15', '09:15', '2024-01-15 10:09:59', '2024-01-15 10:09:59Z', '36:00:00', null, '{"k": {"n": null}}', '\\x00', '{2,1}', '{b}'),
      (9, -7, 3, -7, -0.5, -2.5, 0.10, -1.00, 'apple pie', 'ABCDEFGHIJ', 'zz', null, '2023-12-31', '15:30', '2023-12-31 23:59:59.999999', '2023-12-31 23:59:59.999999Z', '2 days', null, 'true', '\\xff', '{5,5}', '{"",a}'),
      (10, 0, 0, 0, 0, -0.0, 0, 0, ' lead', 'trail ', ' x', true, '2024-12-25', '00:00:00.000001', '2024-12-25 00:00:00.000001', '2024-12-25 00:00:00.000001Z', '-36:00:00', null, '3.140', '\\x00ff', '{0}', '{x}')`,
  },
  {
    name: 'u',
    columns: [
      ['id', int],
      ['k', int],
      ['name', text],
      ['amount', { kind: 'numeric', precision: 12, scale: 4 }],
      ['at', { kind: 'timestamp' }],
    ],
    storage: { kind: 'append' },
    values: `
      (1, 1, 'one', 1.5000, '2024-01-01 00:00:10'), (2, 1, 'uno', 2.2500, '2024-01-01 00:00:50'),
      (3, 2, 'two', 10.2500, '2024-01-01 00:01:10'), (4, 3, null, null, '2024-01-01 00:03:00'),
      (5, null, 'null key', 0.0000, null), (6, 7, 'seven', -3.1250, '2024-01-01 00:09:59.999999'),
      (7, 2, 'deux', 100.0000, '2024-01-01 00:10:00'), (8, 99, 'none', 0.0001, 'infinity')`,
  },
  {
    name: 'w',
    columns: [
      ['g', text],
      ['q', int],
      ['val', { kind: 'numeric' }],
    ],
    storage: { kind: 'bag' },
    values: `
      ('a', 1, 1.0), ('a', 1, 1.0), ('a', 2, 1.00), ('b', 1, 2.5), ('b', null, null), ('b', null, null),
      (null, 3, 7), (null, 3, 7.000), ('c', 5, 12345678901234567890123.5), ('c', 5, 0.0000000000000000001)`,
  },
];
