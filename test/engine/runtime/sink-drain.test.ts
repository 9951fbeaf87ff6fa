import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Delivered, SinkChunk, SinkWriter } from '../../../connectors/connector.ts';
import { GraphNode } from '../../../engine/runtime/graph.ts';
import { encodeOutbox } from '../../../engine/runtime/outbox-codec.ts';
import { PlanSet } from '../../../engine/runtime/plan-set.ts';
import { SinkDrain } from '../../../engine/runtime/sink-drain.ts';
import { openDuckdbStore } from '../../../engine/store/duckdb-store.ts';
import type { OutboxChunk, Store } from '../../../engine/store/store.ts';
import { StreamError } from '../../../sql/base/error.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 30);
const SINK = 7;
const SETTLED_MS = 20_000;
const never = new AbortController().signal;

/** What happens to one call of a destination. 'crash' ends our process, here the drain, before it hears of the outcome. */
type Fault = 'none' | 'before' | 'after' | 'crash before' | 'crash after' | 'open';

/** Something outside with transactions of its own, or without, that fails as it is told. */
class Destination {
  readonly rows: string[] = [];
  readonly #keepsPosition: boolean;
  readonly #faults: Fault[];
  #position = 0;
  onCrash: () => void = () => undefined;

  constructor(keepsPosition: boolean, faults: readonly Fault[]) {
    this.#keepsPosition = keepsPosition;
    this.#faults = [...faults];
  }

  async open(): Promise<SinkWriter> {
    if (this.#faults[0] === 'open') {
      this.#faults.shift();
      throw new StreamError('SOURCE_UNREACHABLE', 'not there');
    }
    return {
      position: this.#keepsPosition ? this.#position : undefined,
      deliver: (chunks) => this.#deliver(chunks),
      close: async () => undefined,
    };
  }

  async #deliver(chunks: readonly SinkChunk[]): Promise<Delivered> {
    const fault = this.#faults.shift() ?? 'none';
    await new Promise((resolve) => setImmediate(resolve));
    if (fault === 'before' || fault === 'crash before') this.#fail(fault);
    for (const { sequence, records } of chunks) {
      if (this.#keepsPosition && sequence <= this.#position) continue;
      this.rows.push(...records.map(({ value }) => String(value)));
      this.#position = sequence;
    }
    if (fault === 'after' || fault === 'crash after') this.#fail(fault);
    return { skipped: 0, reason: undefined };
  }

  #fail(fault: Fault): never {
    if (fault.startsWith('crash')) this.onCrash();
    throw new Error(fault);
  }
}

function chunk(sequence: number, rows: readonly string[]): OutboxChunk {
  const data = encodeOutbox(rows.map((row) => ({ key: null, value: Buffer.from(row) })));
  return { sinkId: SINK, sequence, records: rows.length, createdMs: 1000, data };
}

async function commit(store: Store, epoch: number, chunks: readonly OutboxChunk[]): Promise<void> {
  await store.commit({ epoch, views: [], positions: [], watermarks: [], outbox: chunks });
}

/** The drain of one process after the other: each begins with what the store holds. */
class Processes {
  readonly #store: Store;
  readonly #destination: Destination;
  drain: SinkDrain;
  #next: Promise<void> | undefined;

  constructor(store: Store, destination: Destination) {
    this.#store = store;
    this.#destination = destination;
    this.drain = this.#start(0);
    destination.onCrash = () => {
      const { drain } = this;
      void drain.close();
      this.#next = (async () => {
        const sizes = await store.outboxSizes();
        const { epoch } = await store.status();
        this.drain = this.#start(epoch * 1_000_000);
        this.drain.restored(sizes.get(SINK) ?? { records: 0, bytes: 0 });
        this.drain.start();
      })();
    };
  }

  #start(committed: number): SinkDrain {
    return new SinkDrain({
      store: this.#store,
      sinkId: SINK,
      committed,
      delivery: {
        guarantee: 'exactly once',
        outboxBytesMax: 1000,
        open: () => this.#destination.open(),
      },
      random: () => 0,
      wallMs: () => 5000,
      onDelivered: () => undefined,
    });
  }

  async settled(): Promise<void> {
    for (const deadline = Date.now() + SETTLED_MS; ; ) {
      assert.ok(Date.now() < deadline, `settled in ${SETTLED_MS} ms`);
      await this.#next;
      const { lagRows, fault } = this.drain.status;
      if (lagRows === 0 && fault === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

const fault = fc.constantFrom<Fault>(
  'none',
  'none',
  'before',
  'after',
  'crash before',
  'crash after',
  'open',
);

for (const keepsPosition of [true, false]) {
  const what = keepsPosition ? 'once and in order' : 'at least once and in order';
  test(`rows arrive ${what}, whatever fails before or after the destination's commit`, async () => {
    const property = fc.asyncProperty(
      fc.array(fc.array(fc.nat({ max: 3 }), { maxLength: 3 }), { minLength: 1, maxLength: 8 }),
      fc.array(fault, { maxLength: 10, size: 'max' }),
      async (epochs, faults) => {
        const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
        const destination = new Destination(keepsPosition, faults);
        const processes = new Processes(store, destination);
        processes.drain.start();
        const expected: string[] = [];
        for (const [i, sizes] of epochs.entries()) {
          const chunks = sizes.map((size, n) => {
            const rows = Array.from({ length: size + 1 }, (_, r) => `${i}.${n}.${r}`);
            expected.push(...rows);
            return chunk((i + 1) * 1_000_000 + n - sizes.length, rows);
          });
          await processes.settled();
          await commit(store, i + 1, chunks);
          processes.drain.committed(chunks);
          if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        await processes.settled();
        const { lagRows, lagBytes, lagMs } = processes.drain.status;
        await processes.drain.close();
        await store.close();
        assert.deepEqual({ lagRows, lagBytes, lagMs }, { lagRows: 0, lagBytes: 0, lagMs: 0 });
        const found = keepsPosition ? destination.rows : [...new Set(destination.rows)];
        assert.deepEqual(found, expected);
      },
    );
    await fc.assert(property, { numRuns: runs });
  });
}

async function drainOf(store: Store, open: () => Promise<SinkWriter>, committed = 0) {
  return new SinkDrain({
    store,
    sinkId: SINK,
    committed,
    delivery: { guarantee: 'exactly once', outboxBytesMax: 100, open },
    random: () => 0,
    wallMs: () => 5000,
    onDelivered: () => undefined,
  });
}

const idle: SinkWriter = {
  position: 0,
  deliver: async () => ({ skipped: 0, reason: undefined }),
  close: async () => undefined,
};

test('a sink that was taken over stops, keeps its rows, and goes on when it is resumed', async () => {
  const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
  let isFenced = true;
  const deliver = async (): Promise<Delivered> => {
    if (isFenced) throw new StreamError('SINK_FENCED', 'taken over');
    return { skipped: 2, reason: new StreamError('SINK_REFUSED', 'no') };
  };
  let opened = 0;
  const drain = await drainOf(store, async () => {
    opened++;
    return { ...idle, deliver };
  });
  drain.start();
  const chunks = [
    chunk(
      1,
      Array.from({ length: 10 }, () => 'a row of the test'),
    ),
  ];
  await commit(store, 1, chunks);
  drain.committed(chunks);
  while (!drain.status.isStopped) await new Promise((resolve) => setTimeout(resolve, 1));
  await drain.delivered(never);
  const stopped = drain.status;
  assert.deepEqual(
    [stopped.lagRows, stopped.lagMs, stopped.isFull, stopped.fault?.code, stopped.faultSinceMs],
    [10, 4000, true, 'SINK_FENCED', 5000],
  );
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(opened, 1, 'it does not try again by itself');
  isFenced = false;
  assert.equal(await drain.resume(), true);
  await drain.delivered(never);
  const { lagRows, isFull, fault: left, skipped, refusal } = drain.status;
  assert.deepEqual(
    [lagRows, isFull, left, skipped, refusal?.message],
    [0, false, undefined, 2, 'no'],
  );
  assert.equal(opened, 2);
  await drain.close();
  await store.close();
});

test('a destination that is ahead of the data directory gets nothing', async () => {
  const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
  const drain = await drainOf(store, async () => ({ ...idle, position: 11 }), 10);
  drain.start();
  while (!drain.status.isStopped) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.match(
    drain.status.fault?.message ?? '',
    /rows up to 11, this data directory only up to 10/,
  );
  await drain.close();
  await store.close();
});

test('a paused sink delivers nothing, one that catches up neither', async () => {
  const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
  let delivered = 0;
  const drain = await drainOf(store, async () => ({
    ...idle,
    deliver: async (chunks) => {
      delivered += chunks.length;
      return { skipped: 0, reason: undefined };
    },
  }));
  const send = async (epoch: number): Promise<void> => {
    const chunks = [
      chunk(
        epoch,
        Array.from({ length: 20 }, () => 'a row of the test'),
      ),
    ];
    await commit(store, epoch, chunks);
    drain.committed(chunks);
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await send(1);
  assert.equal(delivered, 0);
  assert.equal(drain.isFull, false, 'its budget does not count before it is level');
  drain.start();
  await drain.delivered(never);
  assert.equal(delivered, 1);
  assert.equal(drain.pause(), true);
  await send(2);
  assert.deepEqual([delivered, drain.status.isPaused, drain.isFull], [1, true, true]);
  assert.equal(await drain.resume(), true);
  await drain.delivered(never);
  assert.deepEqual([delivered, drain.status.isPaused, drain.isFull], [2, false, false]);
  await drain.close();
  await store.close();
});

test('a sink that is paused while its outbox is read delivers nothing of it', async () => {
  const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
  const delivered: number[] = [];
  let pausing = true;
  const pausesOnce: Store = Object.assign(Object.create(store) as Store, {
    outbox: async (...asked: Parameters<Store['outbox']>) => {
      const found = await store.outbox(...asked);
      if (pausing) drain.pause();
      pausing = false;
      return found;
    },
    acknowledge: (sinkId: number, sequence: number) => store.acknowledge(sinkId, sequence),
  });
  const drain = await drainOf(pausesOnce, async () => ({
    ...idle,
    deliver: async (chunks) => {
      delivered.push(...chunks.map(({ sequence }) => sequence));
      return { skipped: 0, reason: undefined };
    },
  }));
  const chunks = [chunk(1, ['a'])];
  await commit(store, 1, chunks);
  drain.committed(chunks);
  drain.start();
  while (pausing) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(delivered, []);
  assert.equal(await drain.resume(), true);
  await drain.delivered(never);
  assert.deepEqual(delivered, [1]);
  await drain.close();
  await store.close();
});

test('a sink waits until it is level, and one that was not when the process ended begins anew', async () => {
  const store = await openDuckdbStore({ path: ':memory:', readers: 1 });
  const delivered: number[] = [];
  const writer: SinkWriter = {
    ...idle,
    deliver: async (chunks) => {
      delivered.push(...chunks.map(({ sequence }) => sequence));
      return { skipped: 0, reason: undefined };
    },
  };
  const addTo = (plans: PlanSet, state: 'running' | 'catching-up') => {
    const root = new GraphNode('sink', 'sink', undefined, []);
    const fragment = { nodes: [root], root, leaves: [], stateless: true };
    const delivery = {
      guarantee: 'exactly once',
      outboxBytesMax: 100,
      encode: () => [],
      open: async () => writer,
    } as const;
    const failures = { tableId: undefined, report: () => {} };
    const task = plans.addSink({ id: SINK, name: 'sink', fragment, failures, delivery }, 1);
    task.state = state;
    return task;
  };
  const newPlans = () =>
    new PlanSet(
      store,
      () => 0,
      () => 5000,
      () => undefined,
    );
  const first = addTo(newPlans(), 'catching-up');
  const chunks = [chunk(1_000_001, ['a'])];
  await commit(store, 2, chunks);
  first.drain?.committed(chunks);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(delivered, []);
  await first.drain?.close();

  const second = newPlans();
  const { drain } = addTo(second, 'catching-up');
  await second.restoreSinks();
  assert.equal((await store.outbox(SINK, 0, 10)).length, 0, 'what it had gathered will come again');
  await drain?.close();

  await commit(store, 3, [chunk(2_000_001, ['b'])]);
  const third = newPlans();
  const level = addTo(third, 'running');
  await third.restoreSinks();
  assert.equal(level.drain?.status.lagRows, 1);
  while (level.drain.status.lagRows > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(delivered, [2_000_001]);
  await third.close();
  await store.close();
});
