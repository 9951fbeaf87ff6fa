import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViewCache } from '../../../server/http/view-cache.ts';

const answer = (version: number, bytes: number) => ({
  version,
  contentType: 'application/json',
  body: Buffer.alloc(bytes),
});

describe('view cache', () => {
  it('answers for the version it has and forgets an older one', () => {
    const cache = new ViewCache(100_000);
    cache.put('a', answer(1, 10));
    assert.equal(cache.get('a', 1)?.version, 1);
    assert.equal(cache.get('a', 2), undefined);
    assert.equal(cache.bytes, 0);
  });

  it('stays within its bytes, dropping what was not used for longest', () => {
    const cache = new ViewCache(10_000);
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      cache.put(key, answer(1, 1000));
      cache.get('a', 1);
    }
    assert.ok(cache.bytes <= 10_000);
    assert.notEqual(cache.get('a', 1), undefined);
    assert.equal(cache.get('b', 1), undefined);
    cache.put('huge', answer(1, 5000));
    assert.equal(cache.get('huge', 1), undefined);
  });

  it('lets those who ask meanwhile wait for one rendering', async () => {
    const cache = new ViewCache(10_000);
    const settle = cache.announce('a');
    const waiting = cache.pending('a');
    settle(answer(3, 1));
    assert.equal((await waiting)?.version, 3);
    assert.equal(cache.pending('a'), undefined);
  });
});
