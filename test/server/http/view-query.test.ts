import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { negotiate } from '../../../server/http/accept.ts';
import { checkOrigin } from '../../../server/http/origin.ts';
import { parseViewQuery, splitList } from '../../../server/http/view-query.ts';
import { StreamError } from '../../../sql/base/error.ts';

const parse = (text: string) => parseViewQuery(new URLSearchParams(text), 60_000);
const fails = (text: string): void => {
  assert.throws(
    () => parse(text),
    (error) => error instanceof StreamError && error.code === 'REQUEST_INVALID',
    text,
  );
};

describe('query string of a view poll', () => {
  it('reads conditions', () => {
    assert.deepEqual(parse('a=5&a.gt=1&b.in=x,y\\,z&c.is-null&a.b=1&limit.eq=3').request.where, [
      { column: 'a', operator: 'eq', values: ['5'] },
      { column: 'a', operator: 'gt', values: ['1'] },
      { column: 'b', operator: 'in', values: ['x', 'y,z'] },
      { column: 'c', operator: 'is-null', values: [] },
      { column: 'a.b', operator: 'eq', values: ['1'] },
      { column: 'limit', operator: 'eq', values: ['3'] },
    ]);
  });

  it('reads order, limit, offset, wait and since', () => {
    const { request, waitMs, since } = parse('order=a,-b&limit=10&offset=20&wait=1.5s&since=7');
    assert.deepEqual(request.order, [
      { column: 'a', descending: false },
      { column: 'b', descending: true },
    ]);
    assert.deepEqual([request.limit, request.offset, waitMs, since], [10, 20, 1500, 7]);
    assert.equal(parse('wait=500ms').waitMs, 500);
    assert.equal(parse('wait=2').waitMs, 2000);
    assert.equal(parse('wait=1m').waitMs, 60_000);
    assert.equal(parse('').waitMs, 0);
  });

  it('refuses what it cannot read', () => {
    for (const bad of [
      'limit=x',
      'limit=-1',
      'offset=1.5',
      'wait=5h',
      'wait=2m',
      'since=',
      'order=a,',
      'order=-',
    ]) {
      fails(bad);
    }
    for (const bad of ['limit=1&limit=2', 'rows=maps', 'a.is-null=5', 'limit=99999999999999999'])
      fails(bad);
  });

  it('splits lists at commas that are not escaped', () => {
    assert.deepEqual(splitList('a,b'), ['a', 'b']);
    assert.deepEqual(splitList(''), ['']);
    assert.deepEqual(splitList('a\\,b,\\\\'), ['a,b', '\\']);
  });
});

describe('content negotiation', () => {
  const offers = ['application/json', 'application/x-ndjson', 'text/csv'] as const;

  it('takes the best quality, the most specific range, then the first offer', () => {
    assert.equal(negotiate(undefined, offers), 'application/json');
    assert.equal(negotiate('*/*', offers), 'application/json');
    assert.equal(negotiate('text/*', offers), 'text/csv');
    assert.equal(negotiate('application/json;q=0.1, TEXT/CSV', offers), 'text/csv');
    assert.equal(negotiate('*/*;q=0.5, application/json;q=0', offers), 'application/x-ndjson');
  });

  it('names what is offered when nothing fits', () => {
    assert.throws(
      () => negotiate('application/vnd.apache.arrow.stream', offers),
      (error) =>
        error instanceof StreamError &&
        error.facts.http === 406 &&
        /text\/csv/.test(error.hint ?? ''),
    );
  });
});

describe('origin of a web page', () => {
  const allows = (
    origin: string | undefined,
    host: string,
    allowed: readonly string[] = [],
  ): boolean => {
    try {
      checkOrigin(origin, host, allowed);
      return true;
    } catch (error) {
      assert.ok(error instanceof StreamError && error.facts.http === 403);
      return false;
    }
  };

  it('must be the own host, unless the operator names it', () => {
    assert.equal(allows(undefined, 'db:8088'), true);
    assert.equal(allows('http://localhost:3000', 'localhost:8088'), true);
    assert.equal(allows('http://[::1]:3000', '[::1]:8088'), true);
    assert.equal(allows('https://evil.example', 'localhost:8088'), false);
    assert.equal(allows('null', 'localhost:8088'), false);
    assert.equal(allows('https://app.example', 'db:8088', ['https://app.example']), true);
    assert.equal(allows('https://evil.example', 'db:8088', ['*']), true);
  });
});
