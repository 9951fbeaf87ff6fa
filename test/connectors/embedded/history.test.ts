/** Random histories of writes, reads, failures and restarts: readers see exactly what was acknowledged, in order, once. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { SourceReader } from '../../../connectors/connector.ts';
import { EmbeddedLog } from '../../../connectors/embedded/embedded-log.ts';
import { storedRecord } from '../../../connectors/record-batch.ts';
import { StreamError } from '../../../sql/base/error.ts';
import { MemoryLogStorage } from '../memory-log-storage.ts';
import { earliest, record } from '../topic-log-contract.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100);
const PARTITIONS = 2;

type Step =
  | { readonly kind: 'produce'; readonly calls: readonly (readonly number[])[] }
  | { readonly kind: 'fail'; readonly calls: readonly (readonly number[])[] }
  | { readonly kind: 'poll'; readonly bytesMax: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'trim' };

/** A call is the value lengths of its records; even ones go to partition 0. */
const calls = fc.array(fc.array(fc.nat(3000), { minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 5,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: calls.map((c): Step => ({ kind: 'produce', calls: c })) },
  { weight: 1, arbitrary: calls.map((c): Step => ({ kind: 'fail', calls: c })) },
  { weight: 5, arbitrary: fc.nat(20_000).map((n): Step => ({ kind: 'poll', bytesMax: n + 1 })) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'trim' }) },
);

class History {
  readonly #storage = new MemoryLogStorage();
  readonly #tailBytesMax: number;
  /** Acknowledged values of each partition, by offset. */
  readonly #written: string[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #positions = new Map<number, number>();
  #log: EmbeddedLog | undefined;
  #reader: SourceReader | undefined;
  #serial = 0;

  constructor(tailBytesMax: number) {
    this.#tailBytesMax = tailBytesMax;
  }

  async start(): Promise<void> {
    this.#log = await EmbeddedLog.open(this.#storage, { tailBytesMax: this.#tailBytesMax });
    if ((await this.#log.describe('t')) === undefined) {
      await this.#log.create('t', PARTITIONS, new Map([['retention.bytes', '40000']]));
    }
    this.#reader = await this.#log.open('t', { ...earliest, offsets: this.#positions });
  }

  async run(one: Step): Promise<void> {
    switch (one.kind) {
      case 'produce':
        return this.#produce(one.calls);
      case 'fail':
        this.#storage.failure = new Error('no space');
        await this.#produce(one.calls);
        this.#storage.failure = undefined;
        return;
      case 'poll':
        return this.#poll(one.bytesMax);
      case 'restart':
        await this.#log?.close();
        return this.start();
      case 'trim':
        await this.#drain();
        return this.#log?.enforceRetention();
    }
  }

  /** Reads what is left and compares all with what a fresh reader of raw records sees. */
  async finish(): Promise<void> {
    await this.#drain();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const written = this.#written[partition] ?? [];
      const bounds = (await this.#log?.bounds('t'))?.get(partition);
      assert.equal(bounds?.end, written.length);
      assert.equal(this.#positions.get(partition) ?? 0, written.length);
      const raw = await this.#log?.read('t', partition, 0, 100_000);
      assert.deepEqual(
        raw?.map((one) => one.value?.toString()),
        written.slice(bounds?.earliest),
      );
    }
    await this.#log?.close();
  }

  async #produce(all: readonly (readonly number[])[]): Promise<void> {
    const attempts = all.map(async (lengths) => {
      const records = lengths.map((length) => {
        const value = `${this.#serial++}:${'v'.repeat(length)}`;
        return record(value, { partition: length % PARTITIONS });
      });
      try {
        const places = await this.#log?.produce('t', records);
        for (const [i, { partition, offset }] of (places ?? []).entries()) {
          const written = this.#written[partition] ?? [];
          assert.equal(written[offset], undefined, 'an offset is given once');
          written[offset] = records[i]?.value?.toString() ?? '';
        }
      } catch (error) {
        assert.ok(error instanceof StreamError && error.code === 'STORE_FAILED', String(error));
      }
    });
    await Promise.all(attempts);
  }

  async #poll(bytesMax: number): Promise<void> {
    for (const batch of this.#reader?.poll(bytesMax) ?? []) {
      for (let r = 0; r < batch.length; r++) {
        const { partition, offset, value } = storedRecord(batch, r);
        assert.equal(offset, this.#positions.get(partition) ?? 0, 'no gap, nothing twice');
        assert.equal(value?.toString(), this.#written[partition]?.[offset]);
        this.#positions.set(partition, offset + 1);
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #drain(): Promise<void> {
    const behind = (): boolean =>
      this.#written.some((written, p) => (this.#positions.get(p) ?? 0) < written.length);
    for (let i = 0; behind(); i++) {
      assert.ok(i < 10_000, 'the reader comes to the end');
      await this.#poll(1_000_000);
    }
  }
}

it('readers see what was acknowledged, in order, once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30, size: 'max' }),
      fc.constantFrom(0, 5000, 1_000_000),
      async (steps, tailBytesMax) => {
        const history = new History(tailBytesMax);
        await history.start();
        for (const one of steps) await history.run(one);
        await history.finish();
      },
    ),
    { numRuns: runs },
  );
});
