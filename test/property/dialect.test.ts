/** Functions of ksqlDB and Flink that PostgreSQL can say in other words, over random histories; and what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { StreamError } from '../../sql/base/error.ts';
import { checkQuery } from './check-query.ts';
import { closeJudge, openJudge, runs, tableOf } from './history.ts';
import { boundOf } from './run-plan.ts';

before(openJudge);
after(closeJudge);

const tables = [tableOf('l', false)];

const pairs: Readonly<Record<string, readonly (readonly [dialect: string, postgres: string])[]>> = {
  'conditional functions': [
    ['ifnull(v, 7)', 'coalesce(v, 7)'],
    ['nvl(v, 2.5)', 'coalesce(v, 2.5)'],
    ["if(o, s, 'none')", "CASE WHEN o THEN s ELSE 'none' END"],
    ['if(v > 0, v, b)', 'CASE WHEN v > 0 THEN v ELSE b END'],
    ['as_value(k)', 'k'],
    ['nvl2(v, k, b)', 'CASE WHEN v IS NOT NULL THEN k ELSE b END'],
    ["elt(k, s, 'two', 'three')", "(ARRAY[s, 'two', 'three'])[k]"],
    ["field(s, 'a', 'b', 'ab')", "coalesce(array_position(ARRAY['a', 'b', 'ab'], s), 0)"],
  ],
  'parts of times': [
    ...['year', 'quarter', 'month', 'week', 'hour', 'minute'].map((part): [string, string] => [
      `${part}(t)`,
      `extract(${part} FROM t)::bigint`,
    ]),
    ['second(t)', 'floor(extract(second FROM t))::bigint'],
    ['dayofyear(t)', 'extract(doy FROM t)::bigint'],
    ['dayofmonth(t)', 'extract(day FROM t)::bigint'],
    ['dayofweek(t)', 'extract(dow FROM t)::bigint + 1'],
  ],
  'times moved by units': [
    ['timestampadd(MONTH, 1, t)', "t + INTERVAL '1 month'"],
    ['timestampadd(QUARTER, k, t)', "t + k * INTERVAL '3 months'"],
    ['timestampadd(SECOND, -k, t)', "t - k * INTERVAL '1 second'"],
    ["timestampadd(DAY, k, DATE '2024-02-28')", "DATE '2024-02-28' + k * INTERVAL '1 day'"],
  ],
  'whole units between times': [
    ...(['second', 'minute', 'hour', 'day', 'week'] as const).map((unit): [string, string] => [
      `timestampdiff(${unit}, t, TIMESTAMP '2024-02-29 12:34:56.789')`,
      `trunc(extract(epoch FROM TIMESTAMP '2024-02-29 12:34:56.789' - t) / extract(epoch FROM INTERVAL '1 ${unit}'))::bigint`,
    ]),
  ],
  'dates and days': [
    ['dateadd(DAYS, k, CAST(t AS date))', "CAST(CAST(t AS date) + k * INTERVAL '1 day' AS date)"],
    [
      'datesub(MONTHS, k, CAST(t AS date))',
      "CAST(CAST(t AS date) - k * INTERVAL '1 month' AS date)",
    ],
    ['timeadd(MINUTES, k, CAST(t AS time))', "CAST(t AS time) + k * INTERVAL '1 minute'"],
    ['timesub(HOURS, k, CAST(t AS time))', "CAST(t AS time) - k * INTERVAL '1 hour'"],
    ['timestampsub(MILLISECONDS, k, t)', "t - k * INTERVAL '1 millisecond'"],
    ['FLOOR(t TO HOUR)', "date_trunc('hour', t)"],
    [
      'CEIL(t TO DAY)',
      "CASE WHEN t = date_trunc('day', t) THEN t ELSE date_trunc('day', t) + INTERVAL '1 day' END",
    ],
    ["convert_tz(t, 'UTC', 'Asia/Tokyo')", "t + INTERVAL '9 hours'"],
    ["format_time(CAST(t AS time), 'HH-mm')", "to_char(t, 'HH24-MI')"],
    ["parse_time(to_char(t, 'HH24:MI'), 'HH:mm')", "CAST(date_trunc('minute', t) AS time)"],
    ['from_days(k)', "DATE '1970-01-01' + k"],
    ['unix_date(CAST(t AS date))', "CAST(t AS date) - DATE '1970-01-01'"],
    ["datetostring(k, 'yyyy-MM-dd')", "to_char(DATE '1970-01-01' + k, 'YYYY-MM-DD')"],
    ["stringtodate(to_char(t, 'DD.MM.YYYY'), 'dd.MM.yyyy')", "CAST(t AS date) - DATE '1970-01-01'"],
    ['to_timestamp_ltz(k)', "TIMESTAMPTZ 'epoch' + k * INTERVAL '1 millisecond'"],
    ['to_timestamp_ltz(k, 0)', "TIMESTAMPTZ 'epoch' + k * INTERVAL '1 second'"],
  ],
  texts: [
    ["startswith(s, 'a')", "s LIKE 'a%'"],
    ["endswith(s, 'b')", "s LIKE '%b'"],
    ["regexp(s, 'a.?b')", "s ~ 'a.?b'"],
    ['is_alpha(s)', "coalesce(s ~ '^[[:alpha:]]+$', false)"],
    ['is_digit(CAST(k AS text))', 'coalesce(k >= 0, false)'],
    ['is_decimal(CAST(b AS text))', 'b IS NOT NULL'],
    ['from_base64(to_base64(s))', 's'],
    ["from_bytes(to_bytes(s, 'utf8'), 'hex')", "encode(convert_to(s, 'UTF8'), 'hex')"],
    ["encode(s, 'utf8', 'hex')", "encode(convert_to(s, 'UTF8'), 'hex')"],
    ["from_bytes(to_bytes('0a0b', 'hex'), 'base64')", "'Cgs='::text"],
    ['sha2(s, 256)', "encode(sha256(convert_to(s, 'UTF8')), 'hex')"],
    ['sha2(s, 1)', 'NULL::text'],
  ],
  numbers: [
    ['bin(abs(k))', 'to_bin(abs(k))'],
    ['truncate(v / 7.0, 2)', 'trunc((v / 7.0)::numeric, 2)'],
    ['truncate(v)', 'trunc(v::numeric, 0)'],
    ['round(CAST(log2(abs(k) + 1) AS numeric), 6)', 'round(log(2, (abs(k) + 1)::numeric), 6)'],
  ],
  'texts with JSON': [
    [`extractjsonfield(to_json_string(s), '$')`, 's'],
    [`extractjsonfield('{"a": {"b": [1, ' || k || ']}}', '$.a.b[1]')`, 'k::text'],
    [`extractjsonfield(s, '$.a')`, 'NULL::text'],
    [`json_array_contains('[1, 2, "a"]', k)`, 'coalesce(k IN (1, 2), false)'],
    [`json_array_contains(s, k)`, 'false'],
    [
      `json_items('[{"a": 1}, ' || k || ', "x"]')`,
      `CASE WHEN k IS NOT NULL THEN ARRAY['{"a": 1}', k::text, '"x"'] END`,
    ],
    [`json_concat('{"a": 1}', '{"k": ' || k || '}')`, `'{"a": 1, "k": ' || k || '}'`],
    [`json_concat(s, '[]')`, 'NULL::text'],
    ['json_string(k)', 'k::text'],
  ],
  lists: [
    ["array_join(ARRAY[s, 'x'], '-', '?')", "array_to_string(ARRAY[s, 'x'], '-', '?')"],
    ['array_concat(ARRAY[k], ARRAY[1, 2])', 'ARRAY[k, 1, 2]'],
    [
      "array_sort(ARRAY[k, 2, NULL, 1], 'DESC')",
      '(SELECT array_agg(e ORDER BY e DESC NULLS LAST) FROM unnest(ARRAY[k, 2, NULL, 1]) AS u (e))',
    ],
    [
      "array_sort(ARRAY[k, 2, NULL, 1], 'asc')",
      '(SELECT array_agg(e ORDER BY e) FROM unnest(ARRAY[k, 2, NULL, 1]) AS u (e))',
    ],
    ['array_slice(ARRAY[k, 1, 2, 3], 2)', 'ARRAY[1, 2, 3]'],
    ['array_slice(ARRAY[k, 1, 2, 3], -3, -2)', 'ARRAY[1, 2]'],
    ['transform(ARRAY[k, 1, k], x => x * 2 - k)', 'ARRAY[k, 2 - k, k]'],
    ['transform(CASE WHEN o THEN ARRAY[k] END, x => x + 1)', 'CASE WHEN o THEN ARRAY[k + 1] END'],
    ['filter(ARRAY[3, k, 1], x => x >= 2)', 'CASE WHEN k >= 2 THEN ARRAY[3, k] ELSE ARRAY[3] END'],
    [
      'transform(filter(ARRAY[5, 6], x => x > k), x => x - k)',
      'ARRAY(SELECT x - k FROM unnest(ARRAY[5, 6]) AS u(x) WHERE x > k ORDER BY x)',
    ],
  ],
  reduced: [
    ['transform(ARRAY[ARRAY[k, 1], ARRAY[2, k]], x => x * 2)', 'ARRAY[k * 2, 2, 4, k * 2]'],
    [
      'transform(ARRAY[k, 5], x => reduce(ARRAY[x, k], 0, (q, y) => q + y * x))',
      'ARRAY[k * k + k * k, 25 + k * 5]',
    ],
    ['reduce(ARRAY[k, 2, 3], 0, (s, x) => s * 2 + x)', '(k * 2 + 2) * 2 + 3'],
    ['reduce(ARRAY[1, 2], k, (q, x) => q - x + v / 4)', 'k - 1 + v / 4 - 2 + v / 4'],
    [
      'reduce(CASE WHEN o THEN ARRAY[k] END, 7, (q, x) => q + x)',
      'CASE WHEN o THEN 7 + k ELSE 7 END',
    ],
    [
      "reduce(ARRAY[k, v], '', (q, x) => q || coalesce(x::text, '-'))",
      "coalesce(k::text, '-') || coalesce(v::text, '-')",
    ],
    ['reduce(ARRAY[k], 1, (q, x) => q + x * 0.5)', '1 + k * 0.5'],
    [
      "reduce(MAP('b' := k, 'a' := 10), 100, (q, x, y) => CASE x WHEN 'a' THEN q - y ELSE q * y END)",
      '90 * k',
    ],
    ['(SELECT reduce(ARRAY[k, n], 0, (q, x) => q + x * k) FROM (VALUES (1)) AS w(n))', 'k * k + k'],
  ],
  maps: [
    [
      "transform(MAP('b' := k, 'a' := v), (x, y) => upper(x), (x, y) => y / 2 + k)['B']",
      'k / 2 + k',
    ],
    ["(transform(MAP('a' := k, 'b' := v), (x, y) => 'one', (x, y) => y))['one']", 'v'],
    [
      "cardinality(filter(MAP('a' := k, 'b' := v), (x, y) => y > 0 OR x = 'b'))",
      'CASE WHEN k > 0 THEN 2 ELSE 1 END',
    ],
    ["filter(MAP('a' := k, 'b' := v), (x, y) => x = 'b')['b']", 'v'],
    ["MAP('a' := jsonb_build_object('b', ARRAY[k]))['a']['b'][0]", "coalesce(to_jsonb(k), 'null')"],
    [
      "(SELECT sum(x[1]) FROM unnest(map_values(MAP('a' := ARRAY[k, 1], 'b' := ARRAY[v]))) AS x)",
      '(SELECT sum(x) FROM unnest(ARRAY[k, v]) AS x)',
    ],
    ["MAP('a' := k, 'b' := v)['a']", 'k'],
    ["MAP('a' := k)['z']", 'NULL::int'],
    [
      "map_keys(MAP(coalesce(s, '') := k, 'x' := 1))",
      "ARRAY(SELECT DISTINCT u FROM unnest(ARRAY[coalesce(s, ''), 'x']) AS u ORDER BY u)",
    ],
    ["map_values(MAP['a', k, 'b', 2, 'a', 3])", 'ARRAY[3, 2]'],
    [
      "CAST(MAP('b' := NULL, 'a' := k) AS text)",
      `'{"a":' || coalesce(k::text, 'null') || ',"b":null}'`,
    ],
    ["cardinality(MAP('a' := k, 'b' := k))", '2'],
    ['CAST(map_entries(MAP(1 := k)) AS text)', 'CAST(ARRAY[ROW(1, k)] AS text)'],
    ["map_union(MAP('a' := k), MAP('b' := k, 'a' := 7))['a']", '7'],
    ["as_map(ARRAY[coalesce(s, ''), 'x'], ARRAY[k, 2])['x']", '2'],
    ["split_to_map('a=' || k || ';b', ';', '=')['a']", 'k::text'],
    ["str_to_map('a=' || k || ',b=2')['b']", "CASE WHEN k IS NOT NULL THEN '2' END"],
    [`json_records('{"a": ' || k || '}')['a']`, 'k::text'],
    [`json_records(s)['a']`, 'NULL::text'],
    ["MAP('a' := k) = MAP('a' := 1)", 'coalesce(k = 1, false)'],
    [`(CAST('{"x": ' || k || '}' AS map<text, int>))['x']`, 'k'],
    ["(CAST(MAP('a' := k) AS map<text, text>))['a']", 'k::text'],
    ["CAST(to_json(MAP('a' := k)) AS text)", `'{"a":' || coalesce(k::text, 'null') || '}'`],
    ["MAP('a' := STRUCT(b := ARRAY[k, 1]))['a']->b[1]", 'k'],
  ],
  structures: [
    ['STRUCT(a := k, b := s)->a', 'k'],
    ['STRUCT(a := k)->a * 2 + 1', 'k * 2 + 1'],
    ['STRUCT(a := k)->a::text', 'k::text'],
    ['STRUCT(a := ARRAY[k, 7])->a[2] - 1', '6'],
    ["STRUCT(a := STRUCT(b := s, c := 'x'), d := k)->a->b", 's'],
    ['(STRUCT(a := k, b := s)).b', 's'],
    ['STRUCT(a := k, b := s) = ROW(k, s)', 'ROW(k, s) = ROW(k, s)'],
  ],
  URLs: [
    ...(
      [
        ['url_extract_protocol', 'https'],
        ['url_extract_host', 'db.example.org'],
        ['url_extract_path', '/a/b'],
        ['url_extract_query', 'k=1&name=a%20b'],
        ['url_extract_fragment', 'end'],
      ] as const
    ).map(([name, answer]): [string, string] => [
      `${name}('https://me@db.example.org:8443/a/b?k=1&name=a%20b#end')`,
      `'${answer}'::text`,
    ]),
    ["url_extract_port('https://db.example.org:8443/')", '8443'],
    ["url_extract_port('https://db.example.org/')", 'NULL::int'],
    ['url_extract_host(s)', 'NULL::text'],
    ["url_extract_parameter('http://h/?k=1&name=a%20b', 'name')", "'a b'::text"],
    ["url_extract_parameter('http://h/?xname=1', 'name')", 'NULL::text'],
    ["parse_url('http://h:1/p?k=1&n=2#r', 'QUERY', 'n')", "'2'::text"],
    ["parse_url('http://h:1/p?k=1&n=2#r', 'FILE')", "'/p?k=1&n=2'::text"],
    ["parse_url('http://h:1/p?k=1&n=2#r', 'AUTHORITY')", "'h:1'::text"],
    ["parse_url('http://h:1/p?k=1&n=2#r', 'REF')", "'r'::text"],
  ],
};

for (const [name, list] of Object.entries(pairs)) {
  test(name, async () => {
    const select = (side: 0 | 1): string => {
      const items = list.map((pair, index) => `${pair[side]} AS c${index}`).join(', ');
      return `SELECT ${items} FROM l WHERE isfinite(t)`;
    };
    const shape = { name, query: select(0), postgres: select(1) };
    await checkQuery(shape, tables, Math.ceil(runs / 5));
  });
}

const refused: Readonly<Record<string, readonly [code: string, hint: RegExp]>> = {
  'latest_by_offset(v)': ['SQL_NOT_SUPPORTED', /max_by/],
  'earliest_by_offset(v)': ['SQL_NOT_SUPPORTED', /min_by/],
  'first_value(v)': ['SQL_WRONG_OBJECT_TYPE', /min_by/],
  'last_value(v)': ['SQL_WRONG_OBJECT_TYPE', /max_by/],
  'topk(v, k)': ['VALUE_INVALID_PARAMETER', /^$/],
  'topk(v, 0)': ['VALUE_INVALID_PARAMETER', /^$/],
  'topk(v, 2) OVER ()': ['SQL_NOT_SUPPORTED', /^$/],
  'rand()': ['SQL_NOT_INCREMENTAL', /DEFAULT/],
  'uuid()': ['SQL_NOT_INCREMENTAL', /DEFAULT/],
  'unix_timestamp()': ['SQL_NOT_INCREMENTAL', /now/],
  "to_bytes(s, 'rot13')": ['VALUE_INVALID_PARAMETER', /hex, base64/],
  'nvl(a => v, b => 1)': ['SQL_UNKNOWN_FUNCTION', /nvl/],
  'transform(ARRAY[k], (x, y) => x)': ['SQL_SYNTAX', /list, x => …/],
  'transform(ARRAY[k], k)': ['SQL_SYNTAX', /list, x => …/],
  'transform(MAP(1 := k), (x, y) => x)': ['SQL_SYNTAX', /list, x => …/],
  'transform(MAP(1 := k), (x, y) => x, x => 1)': [
    'SQL_SYNTAX',
    /map, \(k, v\) => …, \(k, v\) => …/,
  ],
  'reduce(ARRAY[k], 0, x => x)': ['SQL_SYNTAX', /\(s, x\) => …/],
  'reduce(k, 0, (q, x) => x)': ['SQL_UNKNOWN_FUNCTION', /REDUCE/],
  'reduce(ARRAY[k], 0, (q, x) => q + (SELECT 1))': ['SQL_NOT_SUPPORTED', /^$/],
  'map(k)': ['SQL_SYNTAX', /key := value/],
  'CAST(k AS map<text>)': ['SQL_SYNTAX', /MAP<text, integer>/],
  'CAST(s AS map<jsonb, text>)': ['SQL_NOT_SUPPORTED', /texts, numbers/],
  'MAP(1 := k)[1:2]': ['SQL_DATATYPE_MISMATCH', /^$/],
  'struct(k)': ['SQL_SYNTAX', /name := value/],
  'struct(a := k, a := s)': ['SQL_DUPLICATE_COLUMN', /^$/],
  'nvl(v)': ['SQL_UNKNOWN_FUNCTION', /nvl\(anyelement, anyelement\)/],
  'year(DISTINCT t)': ['SQL_UNKNOWN_FUNCTION', /year/],
  'timestampadd(FORTNIGHT, 1, t)': ['VALUE_INVALID_PARAMETER', /QUARTER/],
  'timestampadd(l.day, 1, t)': ['VALUE_INVALID_PARAMETER', /QUARTER/],
};

for (const [call, [code, hint]] of Object.entries(refused)) {
  test(`${call} is refused`, () => {
    assert.throws(
      () => boundOf(`SELECT ${call} FROM l`, tables),
      (error: unknown) => {
        assert.ok(error instanceof StreamError, String(error));
        assert.equal(error.code, code);
        assert.match(error.hint ?? '', hint);
        assert.ok(error.at !== undefined, 'has a place');
        return true;
      },
    );
  });
}
