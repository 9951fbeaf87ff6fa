import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { type Served, serve } from './serve.ts';

/** `MILLRACE_TEST_RUNS=10000` for the long run. */
const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 150);
const RSS_GROWTH_BYTES_MAX = 128 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** What the process holds when garbage, which V8 collects when it likes, is gone. */
function settledRss(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage.rss();
}

let server: Served;
let rssBefore = 0;
before(async () => {
  // A mutated wait=1ms must not make the test wait for a minute.
  server = await serve({ waitMsMax: 10 });
  await server.sql(`
    CREATE TABLE t (id int PRIMARY KEY, v text);
    CREATE MATERIALIZED VIEW m AS SELECT v, count(*) AS n FROM t GROUP BY v;
    CREATE STREAM s (a int, b text) WITH (kafka_topic='s', value_format='json', partitions=1)`);
});
after(() => server.close());

/** A valid text with characters dropped, doubled, swapped or replaced. */
function mutants(texts: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('drop', 'double', 'swap', 'replace'),
    by: fc.constantFrom(...'"\'{}[](),:;.*-+\\/ \n\u0000é😀01e', 'null', 'select', '$1', '::'),
  });
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([text, edits]) =>
      edits.reduce((current, { at, how, by }) => {
        const place = at % (current.length + 1);
        const [before, one, rest] = [
          current.slice(0, place),
          current[place] ?? '',
          current.slice(place + 1),
        ];
        if (how === 'drop') return before + rest;
        if (how === 'double') return before + one + one + rest;
        if (how === 'swap') return before + rest.slice(0, 1) + one + rest.slice(1);
        return before + by + rest;
      }, text),
    );
}

async function expectAnswer(
  answer: Promise<{ status: number; text: string }>,
  sent: string,
): Promise<void> {
  const { status, text } = await answer;
  assert.ok(status < 500, `${status} ${text} for ${JSON.stringify(sent)}`);
  if (status >= 400)
    assert.match(text, /"error":\{"code":"[A-Z_]+","sqlstate":"\w{5}"/, JSON.stringify(sent));
}

describe('malformed input', () => {
  it('requests get an answer of the error table', async () => {
    const bodies = mutants([
      '{"sql":"select 1","params":[1,"x",null],"session":"s"}',
      '{"records":[{"key":"k","value":{"a":1},"timestamp":1,"headers":{"h":"x"}}]}',
      '[{"a":1,"b":"x"},{"a":2}]',
    ]);
    const paths = fc.constantFrom('/v1/sql', '/v1/topics/s/records', '/v1/streams/s/records');
    await fc.assert(
      fc.asyncProperty(paths, bodies, async (path, body) => {
        await expectAnswer(server.post(path, body), `${path} ${body}`);
      }),
      { numRuns: runs },
    );
    // By now code is compiled and pools and young generation have their size; from here memory stays level.
    rssBefore = settledRss();
  });

  it('polls get an answer of the error table', async () => {
    const queries = mutants([
      'v=x&n.gt=1&order=-n&limit=1',
      'wait=1ms&since=1&rows=objects',
      'v.in=a,b&offset=2',
    ]);
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        await expectAnswer(server.get(`/v1/views/m?${encodeURI(query.toWellFormed())}`), query);
      }),
      { numRuns: runs },
    );
  });

  it('statements get an answer of the error table', async () => {
    const statements = mutants([
      'SELECT v, count(*) FROM t WHERE id > 1 GROUP BY v HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 3',
      "INSERT INTO t VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v",
      "UPDATE t SET v = upper(v) || '!' WHERE id IN (SELECT n FROM m)",
      "SELECT CASE WHEN v LIKE 'a%' THEN 1.5 ELSE id / 2 END, now() - interval '1 day' FROM t a LEFT JOIN m b USING (v)",
      "EXPLAIN SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS x(i, s) WHERE s IS NOT DISTINCT FROM $1",
      'DESCRIBE m; SHOW VIEWS; SET application_name = 1',
    ]);
    await fc.assert(
      fc.asyncProperty(statements, async (sql) => {
        await expectAnswer(server.post('/v1/sql', { sql, params: [null] }), sql);
      }),
      { numRuns: runs },
    );
  });

  it('records that do not fit are counted, and the stream goes on', async () => {
    const records = mutants([
      '{"a":1,"b":"x"}',
      '{"a":9223372036854775807,"b":"\\ud83d\\ude00"}',
      '{"a":1e400,"b":[1,{"c":null}]}',
    ]);
    await fc.assert(
      fc.asyncProperty(fc.array(records, { maxLength: 5 }), async (values) => {
        const body = { records: values.map((value) => ({ value: value.toWellFormed() })) };
        await expectAnswer(server.post('/v1/topics/s/records', body), JSON.stringify(body));
      }),
      { numRuns: Math.ceil(runs / 5) },
    );
    const [result] = await server.sql('FLUSH');
    assert.equal(result?.kind, 'ok');
    const counted = await server.sql('SELECT count(*) FROM s LIMIT 1').catch(() => undefined);
    assert.ok(counted === undefined || counted[0]?.kind === 'rows');
  });

  it('leaves the server ready and its memory bounded', async () => {
    assert.equal((await server.get('/readyz')).status, 200);
    const grown = settledRss() - rssBefore;
    assert.ok(
      grown < RSS_GROWTH_BYTES_MAX,
      `memory grew by ${Math.round(grown / 1024 / 1024)} MiB`,
    );
  });
});
