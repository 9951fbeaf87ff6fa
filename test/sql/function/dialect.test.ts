/** Functions of ksqlDB and Flink by hand-made expectations, after their manuals; and by PostgreSQL where it can say the same. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { StreamError } from '../../../sql/base/error.ts';
import { toText } from '../../../sql/base/text-output.ts';
import { bindQuery } from '../../../sql/binder.ts';
import { parseStatement } from '../../../sql/parser.ts';
import { catalog, statement } from '../catalog-fixture.ts';
import { interpret } from '../interpreter.ts';
import { type Judge, openJudge } from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

/** The value as text, or `NULL`. */
function ask(expression: string, zone?: string): string {
  const query = parseStatement(`SELECT ${expression}`);
  assert.ok(query.kind === 'query');
  const settings = new Map(zone === undefined ? [] : [['timezone', zone]]);
  const plan = bindQuery(query, catalog, { ...statement, settings }, { purpose: 'pull' });
  const value = interpret(plan, new Map())[0]?.[0] ?? null;
  if (typeof value === 'boolean') return String(value);
  return value === null ? 'NULL' : toText(value, plan.schema[0]?.type ?? { kind: 'text' });
}

const T = "TIMESTAMP '2024-02-29 15:04:05.678901'";

const expected: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'parts of texts': {
    "split('a,b,,c', ',')": '{a,b,"",c}',
    "split(',a,', ',')": '{"",a,""}',
    "split('abc', 'x')": '{abc}',
    "split('a😀', '')": '{a,😀}',
    "split('', ',')": '{""}',
    'split(NULL::text, NULL)': 'NULL',
    "split_index('a,b,c', ',', 0)": 'a',
    "split_index('a,b,c', ',', 2)": 'c',
    "split_index('a,b,c', ',', 3)": 'NULL',
    "split_index('a,b,c', ',', -1)": 'NULL',
    "split_index('a b', '', 1)": 'b',
    "split_index('', ',', 0)": 'NULL',
    "regexp_extract('foothebar', 'foo(.*?)(bar)', 2)": 'bar',
    "regexp_extract('foothebar', 'foo(.*)(bar)')": 'foothebar',
    "regexp_extract('foothebar', 'foo(.*)(bar)', 0)": 'foothebar',
    "regexp_extract('foothebar', 'foo(.*)(bar)', 3)": 'NULL',
    "regexp_extract('ab', '(a)|(b)', 2)": 'NULL',
    "regexp_extract('x', 'y')": 'NULL',
  },
  'places in texts': {
    "locate('b', 'abcb')": '2',
    "locate('b', 'abcb', 3)": '4',
    "locate('b', '😀b')": '2',
    "locate('b', 'abc', 0)": '0',
    "locate('b', 'abc', 9)": '0',
    "locate('x', 'abc')": '0',
    "locate(NULL, 'abc')": 'NULL',
  },
  'texts for URLs, masks and JSON': {
    "url_encode_param('a b&c=é~*-._')": 'a+b%26c%3D%C3%A9%7E*-._',
    "url_decode_param('a+b%26c%3D%C3%A9')": 'a b&c=é',
    "url_decode('50%')": 'NULL',
    "mask('Ab1-é😀')": 'Xxn-x-',
    "mask_left('Ab12', 2)": 'Xx12',
    "mask_right('Ab12', 3)": 'Axnn',
    "mask_keep_left('Ab12', 2)": 'Abnn',
    "mask_keep_right('Ab12', 9)": 'Ab12',
    'is_json_string(\'{"a": 1}\')': 'true',
    "is_json_string('{a}')": 'false',
    'is_json_string(NULL)': 'false',
    'json_keys(\'{"b": 1, "a": {"c": 2}}\')': '{b,a}',
    "json_keys('[1]')": 'NULL',
    "json_keys('{')": 'NULL',
  },
  'texts of times': {
    [`date_format(${T}, 'yyyy-MM-dd HH:mm:ss.SSS')`]: '2024-02-29 15:04:05.678',
    [`date_format(${T}, 'EEEE, d MMM yy h:mm a')`]: 'Thursday, 29 Feb 24 3:04 PM',
    [`date_format(${T}, 'yyyy-MM-dd''T''HH:mm:ss.SSSSSSSSS')`]: '2024-02-29T15:04:05.678901000',
    [`date_format(${T}, 'H ''o''''clock'' D MMMM E k K')`]: "15 o'clock 60 February Thu 15 3",
    "date_format(TIMESTAMP '2024-01-01', 'k h K''''')": "24 12 0'",
    "format_date(DATE '12345-06-07', 'yyyy/M/d')": '+12345/6/7',
    "format_timestamp(TIMESTAMPTZ '2024-07-01 12:00+00', 'HH:mm', 'Europe/Berlin')": '14:00',
    "timestamptostring(1700000000123, 'yyyy-MM-dd HH:mm:ss.SSS')": '2023-11-14 22:13:20.123',
    'date_format(NULL::timestamp, NULL)': 'NULL',
  },
  'times of texts': {
    "parse_timestamp('2024-02-29 15:04', 'yyyy-MM-dd HH:mm')": '2024-02-29 15:04:00+00',
    "parse_timestamp('20240229150405678', 'yyyyMMddHHmmssSSS')": '2024-02-29 15:04:05.678+00',
    "parse_timestamp('Thu 29 Feb 2024 3 PM', 'EEE d MMM yyyy h a')": '2024-02-29 15:00:00+00',
    "parse_timestamp('2024-07-01T14:00', 'yyyy-MM-dd''T''HH:mm', 'Europe/Berlin')":
      '2024-07-01 12:00:00+00',
    "parse_date('2023.060', 'yyyy.DDD')": '2023-03-01',
    "parse_date('2023-02-31', 'yyyy-MM-dd')": '2023-02-28',
    "parse_date('24', 'yy')": '2024-01-01',
    "stringtotimestamp('1970-01-02', 'yyyy-MM-dd')": '86400000',
    "stringtotimestamp('1970-01-02', 'yyyy-MM-dd', 'America/New_York')": '104400000',
  },
  'whole units between times': {
    "timestampdiff(MONTH, TIMESTAMP '2024-01-31', TIMESTAMP '2024-02-29')": '1',
    "timestampdiff(MONTH, TIMESTAMP '2024-01-31', TIMESTAMP '2024-02-28 23:59')": '0',
    "timestampdiff(MONTH, TIMESTAMP '2024-02-29', TIMESTAMP '2024-01-31')": '-1',
    "timestampdiff(YEAR, DATE '2020-02-29', DATE '2024-02-28')": '3',
    "timestampdiff(QUARTER, DATE '2024-01-15', DATE '2024-07-15')": '2',
    "timestampdiff(WEEK, DATE '2024-01-01', DATE '2024-01-14')": '1',
    "timestampdiff(DAY, TIMESTAMP '2024-01-02', TIMESTAMP '2024-01-01 00:00:01')": '0',
    "timestampdiff(SQL_TSI_HOUR, TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-03')": '48',
    "timestampdiff(second, NULL, DATE '2024-01-01')": 'NULL',
  },
  arrays: {
    'array_contains(ARRAY[1,2,NULL], 2)': 'true',
    'array_contains(ARRAY[1,2,NULL], NULL)': 'true',
    'array_contains(ARRAY[1,2], 3)': 'false',
    'array_contains(ARRAY[1,2], 2.0)': 'true',
    'array_contains(NULL::int[], 3)': 'NULL',
    'array_distinct(ARRAY[2,1,2,NULL,NULL])': '{2,1,NULL}',
    'array_distinct(ARRAY[1.0,1.00])': '{1.0}',
    "array_union(ARRAY['b','a'], ARRAY['c','b',NULL])": '{b,a,c,NULL}',
    'array_union(ARRAY[1], ARRAY[2.5])': '{1,2.5}',
    'array_intersect(ARRAY[3,1,1,NULL], ARRAY[NULL,1])': '{1,NULL}',
    'array_except(ARRAY[3,3,1,NULL], ARRAY[1])': '{3,NULL}',
    'array_except(ARRAY[1], ARRAY[1])': '{}',
    'array_union(ARRAY[1], NULL::int[])': 'NULL',
    'array_max(ARRAY[1,NULL,3])': '3',
    'array_min(ARRAY[2,NULL,-1])': '-1',
    "array_max('{}'::int[])": 'NULL',
    'array_length(ARRAY[1,NULL])': '2',
    "array_length('{}'::int[])": '0',
    'slice(ARRAY[1,2,3,4], 2, 3)': '{2,3}',
    'slice(ARRAY[1,2,3], NULL, 2)': '{1,2}',
    'slice(ARRAY[1,2,3], 2, NULL)': '{2,3}',
    'slice(ARRAY[1,2,3], 2, 4)': 'NULL',
    'slice(ARRAY[1,2,3], 0, 1)': 'NULL',
    'element_at(ARRAY[1,2,3], 1)': '1',
    'element_at(ARRAY[1,2,3], -1)': '3',
    'element_at(ARRAY[1,2,3], 4)': 'NULL',
  },
};

for (const [name, answers] of Object.entries(expected)) {
  test(name, () => {
    const actual = Object.keys(answers).map((expression) => [expression, ask(expression)]);
    assert.deepEqual(Object.fromEntries(actual), answers);
  });
}

test("the session's time zone is that of texts, and of days and months between times", () => {
  const zone = 'America/New_York';
  const at = "TIMESTAMPTZ '2024-03-10 12:00+00'";
  assert.equal(ask(`date_format(${at}, 'dd HH:mm')`, zone), '10 08:00');
  assert.equal(
    ask("parse_timestamp('2024-07-01', 'yyyy-MM-dd') = TIMESTAMPTZ '2024-07-01 04:00+00'", zone),
    'true',
  );
  const night = "TIMESTAMPTZ '2024-03-10 04:59+00', TIMESTAMPTZ '2024-03-11 03:59+00'";
  // Both are 23:59 there, 23 hours apart.
  assert.equal(ask(`timestampdiff(DAY, ${night})`, zone), '1');
  assert.equal(ask(`timestampdiff(HOUR, ${night})`, zone), '23');
  assert.equal(ask(`timestampdiff(DAY, ${night})`), '0');
  assert.equal(ask(`year(TIMESTAMPTZ '2024-01-01 00:00+00')`, zone), '2023');
});

/** What is said otherwise in PostgreSQL. */
const same: readonly (readonly [dialect: string, postgres: string])[] = [
  ["split('a-b--c', '-')", "string_to_array('a-b--c', '-')"],
  ["regexp_extract('foobarbequebaz', 'b[^b]+', 0)", "substring('foobarbequebaz', 'b[^b]+')"],
  ["locate('a😀', 'ba😀')", "strpos('ba😀', 'a😀')"],
  [`date_format(${T}, 'yyyy-MM-dd HH:mm:ss.SSSSSS')`, `to_char(${T}, 'YYYY-MM-DD HH24:MI:SS.US')`],
  [`date_format(${T}, 'EEEE d MMMM D hh a')`, `to_char(${T}, 'FMDay FMDD FMMonth FMDDD HH12 AM')`],
  [
    "parse_timestamp('29 Feb 2024 03:04', 'dd MMM yyyy HH:mm') = TIMESTAMPTZ '2024-02-29 03:04+00'",
    "to_timestamp('29 Feb 2024 03:04', 'DD Mon YYYY HH24:MI') = TIMESTAMPTZ '2024-02-29 03:04+00'",
  ],
  [
    `timestampdiff(MINUTE, TIMESTAMP '2023-12-31', ${T})`,
    `trunc(extract(epoch FROM ${T} - TIMESTAMP '2023-12-31') / 60)`,
  ],
  ["array_contains(ARRAY['a','b'], 'b')", "'b' = ANY (ARRAY['a','b'])"],
  ['array_max(ARRAY[1.5,2,NULL])', '(SELECT max(x) FROM unnest(ARRAY[1.5,2,NULL]) AS x)'],
  ['slice(ARRAY[1,2,3,4], 2, 3)', '(ARRAY[1,2,3,4])[2:3]'],
];

test('what PostgreSQL can say is what it answers', async () => {
  const theirs = await judge.ask(same.map(([, postgres]) => `(${postgres})::text`));
  for (const [index, [dialect]] of same.entries()) {
    assert.equal(`=${ask(`(${dialect})::text`)}`, theirs[index], dialect);
  }
});

const errors: Readonly<Record<string, readonly [code: string, message: RegExp]>> = {
  [`date_format(${T}, 'yyyy-QQ')`]: ['VALUE_INVALID_PARAMETER', /"QQ" at position 6 of/],
  [`date_format(${T}, 'yyyy [HH]')`]: ['VALUE_INVALID_PARAMETER', /"\[" at position 6/],
  [`date_format(${T}, 'ddd')`]: ['VALUE_INVALID_PARAMETER', /"ddd" at position 1/],
  [`date_format(${T}, 'HH ''x')`]: ['VALUE_INVALID_PARAMETER', /quote .* position 4/],
  "date_format(TIMESTAMP 'infinity', 'yyyy')": ['VALUE_DATETIME_OVERFLOW', /infinite/],
  "parse_timestamp('2024-13-01', 'yyyy-MM-dd')": ['VALUE_INVALID_DATETIME', /does not match/],
  "parse_timestamp('2024-1-01', 'yyyy-MM-dd')": ['VALUE_INVALID_DATETIME', /does not match/],
  "parse_timestamp('2024-01-01x', 'yyyy-MM-dd')": ['VALUE_INVALID_DATETIME', /does not match/],
  "parse_timestamp('24:00', 'HH:mm')": ['VALUE_INVALID_DATETIME', /does not match/],
  "parse_timestamp('3', 'h')": ['VALUE_INVALID_PARAMETER', /"h" without "a"/],
  "parse_timestamp('Fri 2024-02-29', 'E yyyy-MM-dd')": ['VALUE_INVALID_DATETIME', /match/],
  "parse_timestamp('2024', 'yyyy', 'Nowhere')": ['VALUE_INVALID_PARAMETER', /not recognized/],
  "timestampdiff(DAY, TIMESTAMP 'infinity', TIMESTAMP '2024-01-01')": [
    'VALUE_DATETIME_OVERFLOW',
    /range/,
  ],
  'element_at(ARRAY[1], 0)': ['VALUE_ARRAY_SUBSCRIPT', /from 1/],
  'array_distinct(ARRAY[[1],[2]])': ['SQL_NOT_SUPPORTED', /multidimensional/],
  "mask_left('a', -1)": ['VALUE_INVALID_PARAMETER', /0 or more/],
};

for (const [expression, [code, message]] of Object.entries(errors)) {
  test(`${expression} is refused`, () => {
    assert.throws(
      () => ask(expression),
      (error: unknown) => {
        assert.ok(error instanceof StreamError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('random and timed values are new at each call, and milliseconds of the clock', () => {
  assert.match(ask('uuid()'), /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  assert.notEqual(ask('uuid()'), ask('uuid()'));
  assert.equal(ask('rand() BETWEEN 0 AND 1'), 'true');
  assert.equal(ask('unix_timestamp() = floor(extract(epoch FROM now()) * 1000)::bigint'), 'true');
});
