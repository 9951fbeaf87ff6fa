/** The streaming statements: what they mean to the parser, and that their text comes back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FromItem, Query, Select } from '../../sql/ast.ts';
import type { Statement } from '../../sql/ast-statement.ts';
import { deparse } from '../../sql/deparse.ts';
import { parseExpression, parseStatement, parseTypeName } from '../../sql/parser.ts';
import { readCorpus } from './corpus.ts';
import { withoutPlaces } from './without-places.ts';

/** The statement without spans and the quoting of names, both of which its text does not keep. */
const tree = (sql: string): unknown => withoutPlaces(parseStatement(sql));

const parseAs = <Kind extends Statement['kind']>(
  kind: Kind,
  sql: string,
): Extract<Statement, { kind: Kind }> => {
  const statement = parseStatement(sql);
  assert.equal(statement.kind, kind);
  return statement as Extract<Statement, { kind: Kind }>;
};

const query = (sql: string): Query => parseAs('query', sql);

const select = (sql: string): Select => {
  const { body } = query(sql);
  assert.equal(body.kind, 'select');
  return body as Select;
};

const fromItem = <Kind extends FromItem['kind']>(
  kind: Kind,
  sql: string,
): Extract<FromItem, { kind: Kind }> => {
  const [item] = select(sql).from;
  assert.equal(item?.kind, kind);
  return item as Extract<FromItem, { kind: Kind }>;
};

const plain = (node: unknown): unknown => withoutPlaces(node);
const interval = (value: string): unknown => plain(parseExpression(`interval '${value}'`));

describe('round trip: parse(deparse(parse(x))) = parse(x)', () => {
  for (const file of ['streaming.sql', 'shared.sql']) {
    for (const sql of readCorpus(file)) {
      it(sql.slice(0, 100), () => {
        const text = deparse(parseStatement(sql));
        assert.deepEqual(tree(text), tree(sql), text);
        assert.equal(deparse(parseStatement(text)), text, 'the canonical text is a fixed point');
      });
    }
  }
});

describe('definitions', () => {
  it('CREATE STREAM: columns, watermark and options', () => {
    const statement = parseAs(
      'create-relation',
      `CREATE STREAM bids (id INT KEY, h BYTES HEADER('k'), ts TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL,
         cost AS id * 2, WATERMARK FOR ts AS ts - INTERVAL '5' SECONDS) WITH (KAFKA_TOPIC='bids', 'Value.Format' = 'json')`,
    );
    assert.equal(statement.relation, 'stream');
    assert.deepEqual(
      statement.columns.map(({ name, type, key, metadata }) => [
        name.name,
        type?.name,
        key,
        metadata,
      ]),
      [
        ['id', 'int4', true, undefined],
        ['h', 'bytea', false, 'header:k'],
        ['ts', 'timestamp', false, 'timestamp'],
        ['cost', undefined, false, undefined],
      ],
    );
    assert.equal(statement.columns[3]?.generated?.kind, 'binary');
    assert.equal(statement.watermark?.column.name, 'ts');
    assert.deepEqual(
      statement.options.map(({ key, value }) => [key, value.kind === 'string' && value.value]),
      [
        ['kafka_topic', 'bids'],
        ['value.format', 'json'],
      ],
    );
  });

  it('table constraints', () => {
    const { columns, constraints } = parseAs(
      'create-relation',
      'CREATE TABLE t (a INT NOT NULL, b TEXT, PRIMARY KEY (a, b) NOT ENFORCED, CHECK (a > 0))',
    );
    assert.equal(columns[0]?.notNull, true);
    assert.deepEqual(
      constraints.map(({ kind }) => kind),
      ['primary-key', 'check'],
    );
  });

  it("ksqlDB's SOURCE TABLE, and sinks from views and from queries", () => {
    const source = parseAs(
      'create-relation',
      'CREATE SOURCE TABLE t (a INT PRIMARY KEY) WITH (x = 1)',
    );
    assert.deepEqual([source.relation, source.sourceOf], ['source', 'table']);
    assert.equal(
      parseAs('create-sink', 'CREATE SINK k FROM s.v WITH (a = 1)').from?.parts.length,
      2,
    );
    assert.equal(
      parseAs('create-sink', 'CREATE SINK k AS SELECT 1 WITH (a = 1)').query?.kind,
      'query',
    );
  });

  it('a TABLE needs its columns with types, as in PostgreSQL; a STREAM may leave them out', () => {
    assert.throws(() => parseStatement('CREATE TABLE t'), {
      message: 'syntax error at end of input',
    });
    assert.throws(() => parseStatement('CREATE TABLE t (a)'), { code: 'SQL_SYNTAX' });
    assert.equal(
      parseAs('create-relation', "CREATE STREAM s WITH (kafka_topic = 'x')").columns.length,
      0,
    );
  });
});

describe('windows', () => {
  it("table functions, plain and in Flink's spelling", () => {
    const plainSpelling = fromItem(
      'window-table',
      "SELECT * FROM HOP(s, ts, INTERVAL '5' MINUTE, INTERVAL '10' MINUTE) w",
    );
    const flink = fromItem(
      'window-table',
      `SELECT * FROM TABLE(HOP(DATA => TABLE s, TIMECOL => DESCRIPTOR(ts),
         SIZE => INTERVAL '10' MINUTES, SLIDE => INTERVAL '5' MINUTES)) w`,
    );
    assert.deepEqual([plainSpelling.flink, flink.flink], [false, true]);
    for (const item of [plainSpelling, flink]) {
      assert.equal(item.window, 'hop');
      assert.deepEqual(plain(item.intervals), [
        plain(parseExpression("interval '5' minute")),
        plain(parseExpression("interval '10' minute")),
      ]);
      assert.equal(item.timeColumn.parts[0]?.name, 'ts');
      assert.equal(item.alias?.name.name, 'w');
    }
  });

  it('a session window of Flink by key', () => {
    const item = fromItem(
      'window-table',
      "SELECT * FROM TABLE(SESSION(TABLE s PARTITION BY (a, b), DESCRIPTOR(ts), INTERVAL '5' MINUTE))",
    );
    assert.equal(item.partitionBy.length, 2);
  });

  it("ksqlDB's WINDOW clause", () => {
    const { streamWindow } = select(
      'SELECT a FROM s WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 10 MINUTES, RETENTION 7 DAYS, GRACE PERIOD 5 SECONDS) GROUP BY a',
    );
    assert.equal(streamWindow?.kind, 'hopping');
    assert.deepEqual(plain(streamWindow?.size), interval('1 hour'));
    assert.deepEqual(plain(streamWindow?.advance), interval('10 minutes'));
    assert.deepEqual(plain(streamWindow?.retention), interval('7 days'));
    assert.deepEqual(plain(streamWindow?.grace), interval('5 seconds'));
  });

  it("PostgreSQL's WINDOW clause is not mistaken for it", () => {
    const { windows, streamWindow } = select(
      'SELECT sum(a) OVER tumbling FROM s WINDOW tumbling AS (ORDER BY a)',
    );
    assert.equal(windows[0]?.name.name, 'tumbling');
    assert.equal(streamWindow, undefined);
  });
});

describe('joins and clauses', () => {
  it('WITHIN and GRACE PERIOD', () => {
    const join = fromItem(
      'join',
      'SELECT * FROM a LEFT JOIN b WITHIN (1 HOUR, 2 HOURS) GRACE PERIOD 1 DAY ON a.x = b.x',
    );
    assert.deepEqual(plain(join.within), {
      before: interval('1 hour'),
      after: interval('2 hours'),
      grace: interval('1 day'),
    });
  });

  it('types of joins', () => {
    const types = [
      ['SEMI JOIN', 'semi'],
      ['LEFT SEMI JOIN', 'semi'],
      ['ANTI JOIN', 'anti'],
      ['ASOF JOIN', 'asof'],
      ['ASOF LEFT JOIN', 'asof-left'],
      ['FULL OUTER JOIN', 'full'],
    ];
    for (const [words, type] of types) {
      assert.equal(fromItem('join', `SELECT * FROM a ${words} b ON a.x = b.x`).type, type);
    }
  });

  it('a table as of a time', () => {
    const join = fromItem(
      'join',
      'SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS x ON o.k = x.k',
    );
    assert.equal(join.right.kind === 'relation' && join.right.systemTime?.kind, 'column');
    assert.equal(join.right.kind === 'relation' && join.right.alias?.name.name, 'x');
  });

  it('EMIT in all modes, also before LIMIT', () => {
    const modes = [
      ['EMIT CHANGES', 'changes'],
      ['EMIT FINAL', 'final'],
      ['EMIT ON WINDOW CLOSE', 'window-close'],
      ['EMIT AFTER WATERMARK', 'after-watermark'],
      ["EMIT EVERY INTERVAL '10' SECOND AND AFTER WATERMARK", 'after-watermark'],
      ['EMIT EVERY 5 SECONDS', 'every'],
      ["EMIT EVERY INTERVAL '5' SECOND", 'every'],
    ];
    for (const [words, kind] of modes)
      assert.equal(query(`SELECT * FROM s ${words}`).emit?.kind, kind);
    const limited = query('SELECT * FROM s EMIT CHANGES LIMIT 3');
    assert.deepEqual([limited.emit?.kind, limited.limit?.kind], ['changes', 'number']);
  });

  it('the words of streaming clauses stay names where they are no clauses', () => {
    const items = select(
      'SELECT emit, within, final, qualify FROM emit, s emit, s within, s qualify, s asof, changes final',
    ).from;
    assert.deepEqual(
      items.map((item) =>
        item.kind === 'relation' ? [item.name.parts[0]?.name, item.alias?.name.name] : [],
      ),
      [
        ['emit', undefined],
        ['s', 'emit'],
        ['s', 'within'],
        ['s', 'qualify'],
        ['s', 'asof'],
        ['changes', 'final'],
      ],
    );
  });
});

describe('MATCH_RECOGNIZE', () => {
  it('quantifiers that the lexer reads as one operator', () => {
    const match = fromItem(
      'match-recognize',
      'SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES a.x AS x PATTERN (a+|b*?|c{2,}) DEFINE a AS a.x > 1) AS m',
    );
    assert.equal(match.alias?.name.name, 'm');
    assert.deepEqual(plain(match.pattern), {
      kind: 'alternation',
      items: [
        {
          kind: 'quantified',
          pattern: { kind: 'variable', name: { name: 'a' } },
          min: 1,
          max: undefined,
          reluctant: false,
        },
        {
          kind: 'quantified',
          pattern: { kind: 'variable', name: { name: 'b' } },
          min: 0,
          max: undefined,
          reluctant: true,
        },
        {
          kind: 'quantified',
          pattern: { kind: 'variable', name: { name: 'c' } },
          min: 2,
          max: undefined,
          reluctant: false,
        },
      ],
    });
  });

  it('what it skips to and shows', () => {
    const sql = (clauses: string): string =>
      `SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts ${clauses} PATTERN (a) DEFINE a AS true)`;
    assert.deepEqual(fromItem('match-recognize', sql('')).skip, { kind: 'past-last-row' });
    assert.equal(fromItem('match-recognize', sql('ALL ROWS PER MATCH')).rowsPerMatch, 'all');
    assert.equal(
      fromItem('match-recognize', sql('AFTER MATCH SKIP TO FIRST a')).skip.kind,
      'to-first',
    );
    assert.equal(fromItem('match-recognize', sql('AFTER MATCH SKIP TO a')).skip.kind, 'to-last');
  });
});

describe('types', () => {
  it("are normalised to the catalogue's names", () => {
    const names = [
      ['STRING', 'text'],
      ['BYTES', 'bytea'],
      ['DOUBLE', 'float8'],
      ['TIMESTAMP_LTZ(3)', 'timestamptz'],
      ['TIMESTAMP WITH LOCAL TIME ZONE', 'timestamptz'],
      ['pg_catalog.int4', 'int4'],
      ['"double"', 'double'],
      ['national character varying(3)', 'varchar'],
    ];
    for (const [text, name] of names) assert.equal(parseTypeName(text ?? '').name, name, text);
  });

  it('nest', () => {
    const type = parseTypeName('MAP<STRING, ARRAY<ROW<a INT, b ARRAY<INT>>>>');
    assert.equal(type.name, 'map');
    assert.equal(type.arguments?.[1]?.arrayDimensions, 1);
    assert.equal(type.arguments?.[1]?.fields?.[1]?.type.arrayDimensions, 1);
  });
});

describe('spans', () => {
  it('cover what was written, from the beginning of the whole text', () => {
    const sql = 'SELECT 1;  SELECT (a + b) * c AS d FROM t';
    const [item] = select(sql.slice(11)).items;
    assert.ok(item);
    const text = sql.slice(11);
    assert.equal(text.slice(item.span.start, item.span.end), '(a + b) * c AS d');
    assert.equal(text.slice(item.expression.span.start, item.expression.span.end), '(a + b) * c');
  });
});
