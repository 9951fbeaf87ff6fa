import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFailure } from '../../../server/http/failure.ts';
import { parseSqlBody } from '../../../server/http/sql-body.ts';
import { parseTopicBody } from '../../../server/http/topic-body.ts';
import { recordText } from '../../../server/http/topic-text.ts';
import { parseMessage } from '../../../server/ws/messages.ts';
import { StreamError } from '../../../sql/base/error.ts';

const limits = { recordsPerRequestMax: 100, jsonDepthMax: 64 };
const hasCode = (code: string) => (error: unknown) =>
  error instanceof StreamError && error.code === code;

describe('body of POST /v1/sql', () => {
  const parse = (text: string) => parseSqlBody(Buffer.from(text), 64);

  it('reads statements, parameters, session and format', () => {
    assert.deepEqual(parse('{"sql":"select 1"}'), {
      sql: 'select 1',
      params: [],
      session: undefined,
      format: 'json',
    });
    const request = parse('{"sql":"s","params":null,"session":"a","format":"text"}');
    assert.deepEqual(request, { sql: 's', params: [], session: 'a', format: 'text' });
  });

  it('keeps the digits of parameters', () => {
    const { params } = parse(
      '{"sql":"","params":[1,-7,9007199254740993,1.5,1.50,0.1234567890123456789,1e3,"x",null,true,{"a": 1.0},[1,"b"]]}',
    );
    assert.deepEqual(params, [
      1,
      -7,
      9007199254740993n,
      1.5,
      '1.50',
      '0.1234567890123456789',
      '1e3',
      'x',
      null,
      true,
      '{"a": 1.0}',
      [1, 'b'],
    ]);
  });

  it('refuses everything else', () => {
    const bad = [
      '',
      '[]',
      '"x"',
      '{}',
      '{"sql":1}',
      '{"sql":"x","params":{}}',
      '{"sql":"x","session":1}',
    ];
    const worse = [
      '{"sql":"x","session":""}',
      '{"sql":"x","format":"xml"}',
      '{"sql":"x","parms":[]}',
      '{"sql":"x"',
    ];
    for (const text of [...bad, ...worse])
      assert.throws(() => parse(text), hasCode('REQUEST_INVALID'), text);
  });
});

describe('records of topics', () => {
  const parse = (text: string) => parseTopicBody(Buffer.from(text), limits);

  it('writes raw text, JSON with its digits, tombstones and bytes', () => {
    const records = parse(
      '{"records":[{"key":"k","value":"raw \\u00e9"},{"value":{"a": 1.50, "b":[1, 2]}},{"key":7,"value":null},{"valueBase64":"//4=","keyBase64":"AA=="},{}]}',
    );
    assert.deepEqual(
      records.map(({ key, value }) => [
        key?.toString('latin1') ?? null,
        value?.toString('latin1') ?? null,
      ]),
      [
        ['k', Buffer.from('raw é').toString('latin1')],
        [null, '{"a":1.50,"b":[1,2]}'],
        ['7', null],
        ['\0', '\xff\xfe'],
        [null, null],
      ],
    );
  });

  it('reads timestamps, partitions and headers', () => {
    const [first, second] = parse(
      '{"records":[{"value":1,"timestamp":5,"partition":2,"headers":{"a":"x","b":["y",null],"c":{"base64":"/w=="}}},{"timestamp":"2024-01-01T00:00:00Z"}]}',
    );
    assert.equal(first?.timestampMs, 5);
    assert.equal(first?.partition, 2);
    assert.deepEqual(first?.headers, [
      { key: 'a', value: Buffer.from('x') },
      { key: 'b', value: Buffer.from('y') },
      { key: 'b', value: null },
      { key: 'c', value: Buffer.from([255]) },
    ]);
    assert.equal(second?.timestampMs, 1704067200000);
  });

  it('names the record that is wrong', () => {
    const bad = [
      '1',
      '{"value":1,"valueBase64":"AA=="}',
      '{"valueBase64":"!"}',
      '{"timestamp":"noon"}',
      '{"timestamp":-1}',
    ];
    const worse = [
      '{"partition":-1}',
      '{"partition":"0"}',
      '{"headers":[]}',
      '{"headers":{"a":1}}',
      '{"val":1}',
    ];
    for (const record of [...bad, ...worse]) {
      assert.throws(
        () => parse(`{"records":[{},${record}]}`),
        (error) => hasCode('RECORD_MALFORMED')(error) && /record 1/.test(String(error)),
        record,
      );
    }
    assert.throws(() => parse('{}'), hasCode('REQUEST_INVALID'));
    assert.throws(
      () => parse(`{"records":[${Array(101).fill('{}').join(',')}]}`),
      hasCode('REQUEST_TOO_LARGE'),
    );
  });

  it('reads documents parsed, text as strings, bytes as base64', () => {
    const text = (key: string | null, value: Buffer | null): string =>
      recordText(
        {
          partition: 1,
          offset: 2,
          timestampMs: 3,
          key: key === null ? null : Buffer.from(key),
          value,
          headers: [
            { key: 'h', value: Buffer.from('x') },
            { key: 'h', value: null },
          ],
        },
        64,
      );
    const head = '{"partition":1,"offset":2,"timestamp":3,';
    const tail = '"headers":{"h":["x",null]}}';
    assert.equal(
      text('k', Buffer.from(' {"a": 1.50}')),
      `${head}"key":"k","value":{"a":1.50},${tail}`,
    );
    assert.equal(
      text(null, Buffer.from('not json')),
      `${head}"key":null,"value":"not json",${tail}`,
    );
    assert.equal(text(null, null), `${head}"key":null,"value":null,${tail}`);
    const bytes = `"value":"//4=","valueBase64":"//4="`;
    assert.equal(text('1', Buffer.from([255, 254])), `${head}"key":1,${bytes},${tail}`);
  });
});

describe('messages of the WebSocket', () => {
  const parse = (text: string) => parseMessage(Buffer.from(text), 64);

  it('reads operations', () => {
    assert.deepEqual(parse('{"op":"subscribe","id":1,"view":"v","since":3,"snapshot":false}'), {
      op: 'subscribe',
      id: 1,
      view: 'v',
      since: 3,
      snapshot: false,
    });
    const sql = parse('{"op":"subscribe","id":"a","sql":"SUBSCRIBE v","params":[1.50]}');
    assert.equal(sql.op, 'subscribe-sql');
    assert.ok(sql.op === 'subscribe-sql');
    assert.deepEqual(sql.request.params, ['1.50']);
    assert.deepEqual(parse('{"op":"ping"}'), { op: 'ping', id: null });
  });

  it('refuses the rest with the id when there is one', () => {
    for (const bad of [
      'x',
      '{}',
      '{"op":"subscribe","id":1}',
      '{"op":"fly","id":1}',
      '{"op":"sql","id":{},"sql":""}',
    ]) {
      assert.throws(() => parse(bad), { name: 'Error' }, bad);
    }
    assert.throws(() => parse('{"op":"fly","id":"z"}'), { id: 'z' });
  });
});

describe('failures', () => {
  it('counts positions in characters, as PostgreSQL does', () => {
    const sql = "select '😀é', nope";
    const error = new StreamError('SQL_UNKNOWN_COLUMN', 'x', {
      at: { start: sql.indexOf('nope'), end: sql.length },
    });
    assert.equal(describeFailure(error, sql).body.position, 14);
    assert.equal(describeFailure(error, sql).status, 400);
  });

  it('marks our own faults', () => {
    const failure = describeFailure(new TypeError('boom'));
    assert.deepEqual(
      [failure.status, failure.internal, failure.body.sqlstate],
      [500, true, 'XX000'],
    );
  });
});
