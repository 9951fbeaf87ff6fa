import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseKafkaOptions } from '../../../connectors/kafka/options.ts';

function parse(options: Record<string, string>): ReturnType<typeof parseKafkaOptions> {
  return parseKafkaOptions(
    new Map(Object.entries({ 'bootstrap.servers': 'localhost:9092', ...options })),
  );
}

describe('kafka options', () => {
  it('reads brokers with and without ports', () => {
    assert.deepEqual(parse({ 'bootstrap.servers': 'a:1, b ,[::1]:3' }).bootstrap, [
      { host: 'a', port: 1 },
      { host: 'b', port: 9092 },
      { host: '::1', port: 3 },
    ]);
  });

  it('reads security', () => {
    const plain = parse({});
    assert.equal(plain.sasl, undefined);
    assert.equal(plain.tls, undefined);
    const secure = parse({
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.username': 'bob',
      'sasl.password': 'secret',
      'ssl.ca': 'PEM',
    });
    assert.deepEqual(secure.sasl, {
      mechanism: 'SCRAM-SHA-256',
      username: 'bob',
      password: 'secret',
    });
    assert.deepEqual(secure.tls, { ca: 'PEM' });
  });

  it('names a wrong option', () => {
    const wrong: [string, string][] = [
      ['bootstrap.servers', 'a:b'],
      ['bootstrap.servers', ''],
      ['security.protocol', 'tls'],
      ['compression.type', 'rar'],
      ['isolation.level', 'serializable'],
      ['default.api.timeout.ms', '0'],
    ];
    for (const [name, value] of wrong) {
      assert.throws(() => parse({ [name]: value }), new RegExp(name));
    }
    assert.throws(() => parse({ 'security.protocol': 'sasl_ssl' }), /sasl.mechanism/);
    assert.throws(
      () => parse({ 'security.protocol': 'sasl_ssl', 'sasl.mechanism': 'plain' }),
      /sasl.username/,
    );
  });
});
