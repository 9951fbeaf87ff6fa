import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BlackholeWriter } from '../../connectors/blackhole/blackhole.ts';
import { EmbeddedLog } from '../../connectors/embedded/embedded-log.ts';
import { ConnectorRegistry } from '../../connectors/registry.ts';
import { MemoryLogStorage } from './memory-log-storage.ts';
import { values } from './reading.ts';
import { record, rejectsWith } from './topic-log-contract.ts';

async function registry(): Promise<{ connectors: ConnectorRegistry; log: EmbeddedLog }> {
  const log = await EmbeddedLog.open(new MemoryLogStorage());
  const logs = new Map([[log.type, log]] as const);
  return { connectors: new ConnectorRegistry({ logs, now: () => performance.now() }), log };
}

describe('registry', () => {
  it('knows what there is, and says so for what there is not', async () => {
    const { connectors, log } = await registry();
    assert.deepEqual(connectors.sourceTypes(), ['embedded', 'nexmark', 'datagen']);
    assert.deepEqual(connectors.sinkTypes(), ['blackhole', 'postgres', 'embedded']);
    assert.equal(connectors.log('embedded'), log);
    assert.equal(connectors.source('nexmark')?.type, 'nexmark');
    assert.equal(connectors.source('embedded'), undefined);
    assert.throws(() => connectors.sink('nowhere'), /unknown connector "nowhere"/);
    assert.throws(
      () => connectors.sink('kafka'),
      (error: { hint?: string }) => error.hint?.includes('--kafka') === true,
    );
    await log.close();
  });
});

describe('topic sink', () => {
  it('creates its topic and delivers in order', async () => {
    const { connectors, log } = await registry();
    const sink = connectors.sink('embedded');
    const options = new Map([
      ['topic', 'out'],
      ['partitions', '2'],
    ]);
    sink.validate(options, [], [], true);
    const writer = await sink.open(options, [], [], { id: 1, name: 'one' });
    const rows = Array.from({ length: 25_000 }, (_, i) => record(`${i}`, { partition: 1 }));
    await writer.deliver([
      { sequence: 7, records: rows.slice(0, 9_999) },
      { sequence: 8, records: rows.slice(9_999) },
    ]);
    await writer.close();
    assert.equal((await log.describe('out'))?.partitions, 2);
    const read = await log.read('out', 1, 0, 30_000);
    assert.deepEqual(
      values(read),
      rows.map((row) => row.value?.toString()),
    );
    await log.close();
  });

  it('needs a topic', async () => {
    const { connectors, log } = await registry();
    const check = async (): Promise<void> =>
      connectors.sink('embedded').validate(new Map(), [], [], true);
    await rejectsWith('SQL_INVALID_OPTION', check());
    await log.close();
  });
});

describe('blackhole', () => {
  it('counts', async () => {
    const writer = new BlackholeWriter();
    await writer.deliver([
      { sequence: 1, records: [record('a'), record('b')] },
      { sequence: 2, records: [record('c')] },
    ]);
    assert.equal(writer.records, 3);
  });
});
