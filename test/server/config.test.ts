import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatEndpoint, parseEndpoint, readConfig } from '../../server/config.ts';
import { ConfigError } from '../../server/config-error.ts';
import { defaultLimits, variableOf } from '../../server/limits.ts';

describe('configuration', () => {
  it('has the defaults of the contract', () => {
    const config = readConfig({}, {});
    assert.deepEqual(config.http, { host: '127.0.0.1', port: 8088 });
    assert.deepEqual(config.pg, { host: '127.0.0.1', port: 5488 });
    assert.equal(config.data, './millrace-data');
    assert.deepEqual(config.kafka, []);
    assert.deepEqual(config.limits, defaultLimits);
  });

  it('lets options win over the environment, and takes an empty variable as unset', () => {
    const environment = {
      MILLRACE_HTTP: '0.0.0.0:1000',
      MILLRACE_PG: '',
      MILLRACE_DATA: '/data',
      MILLRACE_KAFKA: 'a:9092, b:9093',
      MILLRACE_BODY_BYTES_MAX: '1000',
    };
    const config = readConfig({ http: 'localhost:0' }, environment);
    assert.deepEqual(config.http, { host: 'localhost', port: 0 });
    assert.equal(config.pg.port, 5488);
    assert.equal(config.data, '/data');
    assert.deepEqual(config.kafka, ['a:9092', 'b:9093']);
    assert.equal(config.limits.bodyBytesMax, 1000);
  });

  it('reads addresses in every common form', () => {
    assert.deepEqual(parseEndpoint('--http', '[::1]:80'), { host: '::1', port: 80 });
    assert.deepEqual(parseEndpoint('--http', ':80'), { host: '0.0.0.0', port: 80 });
    assert.deepEqual(parseEndpoint('--http', '80'), { host: '127.0.0.1', port: 80 });
    assert.equal(formatEndpoint({ host: '::1', port: 80 }), '[::1]:80');
    for (const bad of [
      '',
      'host',
      'host:',
      'host:x',
      'host:70000',
      'a:b:1',
      'http://h:1',
      'h:1/x',
    ]) {
      assert.throws(() => parseEndpoint('--http', bad), ConfigError, bad);
    }
  });

  it('refuses what it cannot use', () => {
    assert.throws(() => readConfig({ data: '' }, {}), ConfigError);
    assert.throws(() => readConfig({ kafka: 'broker' }, {}), ConfigError);
    assert.throws(() => readConfig({ kafka: '9092' }, {}), ConfigError);
    assert.throws(() => readConfig({ logLevel: 'loud' }, {}), ConfigError);
    assert.throws(() => readConfig({}, { MILLRACE_WAIT_MS_MAX: '-1' }), ConfigError);
    assert.throws(() => readConfig({}, { MILLRACE_WAIT_MS_MAX: '1.5' }), ConfigError);
  });

  it('names the variable of every limit', () => {
    assert.equal(variableOf('bodyBytesMax'), 'MILLRACE_BODY_BYTES_MAX');
  });
});
