import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordBatch } from '../../../connectors/connector.ts';
import {
  nexmarkBatches,
  nexmarkConnector,
  nexmarkSchema,
  nexmarkWorkload,
} from '../../../connectors/generator/nexmark.ts';
import {
  eventNumber,
  eventsOfKind,
  type NexmarkKind,
  nexmarkKinds,
} from '../../../connectors/generator/nexmark-model.ts';
import { readRecords } from '../reading.ts';
import { earliest, rejectsWith } from '../topic-log-contract.ts';

function texts(batches: readonly RecordBatch[]): string[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.length }, (_, r) => {
      const start = batch.valueStarts[r] ?? 0;
      return batch.bytes.toString('utf8', start, start + (batch.valueLengths[r] ?? 0));
    }),
  );
}

function parsed(kind: NexmarkKind, records: number): Record<string, string | number>[] {
  return texts(nexmarkBatches(kind, records)).map((text) => JSON.parse(text));
}

describe('nexmark', () => {
  it('numbers events in rounds of 1 person, 3 auctions and 46 bids', () => {
    const seen = new Set<number>();
    for (const kind of nexmarkKinds) {
      for (let k = 0; k < eventsOfKind(kind, 500); k++) seen.add(eventNumber(kind, k));
    }
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      Array.from({ length: 500 }, (_, n) => n),
    );
    for (let events = 0; events < 120; events++) {
      const sum = nexmarkKinds.reduce((total, kind) => total + eventsOfKind(kind, events), 0);
      assert.equal(sum, events);
    }
  });

  it('gives the same record for the same offset, however it is read', () => {
    for (const kind of nexmarkKinds) {
      const whole = texts(nexmarkBatches(kind, 3000));
      const again = texts(nexmarkBatches(kind, 3000, { batchBytes: 777 }));
      const resumed = texts(nexmarkBatches(kind, 100, { from: 1234 }));
      assert.deepEqual(again, whole);
      assert.deepEqual(resumed, whole.slice(1234, 1334));
      assert.notDeepEqual(texts(nexmarkBatches(kind, 3000, { seed: 1 })), whole);
    }
  });

  it('writes the columns of its schema, in order', () => {
    for (const kind of nexmarkKinds) {
      const names = nexmarkSchema(kind).map((column) => column.name);
      for (const row of parsed(kind, 500)) assert.deepEqual(Object.keys(row), names);
    }
  });

  it('counts ids from 1000 and refers to persons and auctions that exist or soon will', () => {
    const persons = parsed('person', 100).map((row) => row.id);
    assert.deepEqual(
      persons,
      Array.from({ length: 100 }, (_, i) => 1000 + i),
    );
    const auctions = parsed('auction', 300);
    assert.deepEqual(
      auctions.map((row) => row.id),
      Array.from({ length: 300 }, (_, i) => 1000 + i),
    );
    for (const [k, row] of parsed('bid', 4600).entries()) {
      const round = Math.floor(k / 46);
      const auction = Number(row.auction);
      assert.ok(auction >= 1000 && auction <= 1000 + round * 3 + 2 + 11, `${k}: ${auction}`);
      const bidder = Number(row.bidder);
      assert.ok(bidder >= 1000 && bidder <= 1000 + round + 11, `${k}: ${bidder}`);
      assert.ok(Number(row.price) >= 100 && Number(row.price) <= 100_000_000);
    }
  });

  it('has hot auctions and bidders, and bids of about 226 bytes', () => {
    const bids = parsed('bid', 46_000);
    const hot = bids.filter((row) => Number(row.auction) % 100 === 0).length / bids.length;
    assert.ok(hot > 0.48 && hot < 0.54, `${hot} hot auctions`);
    const hotBidders = bids.filter((row) => Number(row.bidder) % 100 === 1).length / bids.length;
    assert.ok(hotBidders > 0.73 && hotBidders < 0.79, `${hotBidders} hot bidders`);
    const bytes = texts(nexmarkBatches('bid', 46_000)).join('').length / 46_000;
    assert.ok(bytes > 215 && bytes < 237, `${bytes} bytes`);
  });

  it('lets event time advance by the rate', () => {
    const workload = nexmarkWorkload(1000, { eventsPerSecond: 100, firstEventMs: 5000 });
    const bids = texts(workload.bid).map((text) => JSON.parse(text));
    assert.equal(bids.length, 920);
    assert.equal(bids[0]?.date_time, '1970-01-01T00:00:05.040Z');
    assert.equal(bids.at(-1)?.date_time, '1970-01-01T00:00:14.990Z');
    assert.equal(workload.bid[0]?.timestampsMs[0], 5040);
    for (const text of texts(workload.auction)) {
      const auction = JSON.parse(text);
      assert.ok(auction.expires > auction.date_time);
      assert.ok(auction.reserve > auction.initial_bid);
    }
  });
});

describe('nexmark connector', () => {
  const connector = nexmarkConnector(() => performance.now());

  it('reads a bounded table and resumes inside it', async () => {
    const options = new Map([
      ['table', 'BID'],
      ['events', '1000'],
    ]);
    const schema = nexmarkSchema('bid');
    const reader = await connector.open(options, schema, earliest);
    assert.deepEqual([...(await reader.endOffsets())], [[0, 920]]);
    const all = await readRecords(reader, 920, 5000, 10_000);
    assert.deepEqual(reader.poll(1000), []);
    await reader.close();
    const resumed = await connector.open(options, schema, {
      offsets: new Map([[0, 900]]),
      otherwise: 'earliest',
    });
    assert.deepEqual(await readRecords(resumed, 20), all.slice(900));
    await resumed.close();
  });

  it('keeps its pace', async () => {
    let nowMs = 0;
    const paced = nexmarkConnector(() => nowMs);
    const options = new Map([
      ['nexmark.table', 'auction'],
      ['events.per.second', '1000'],
    ]);
    const reader = await paced.open(options, nexmarkSchema('auction'), earliest);
    assert.deepEqual(reader.poll(1e6), []);
    nowMs = 500;
    assert.equal(reader.poll(1e6)[0]?.length, 30);
    nowMs = 1000;
    assert.equal(reader.poll(1e6)[0]?.length, 30);
    assert.equal((await reader.endOffsets()).get(0), Number.POSITIVE_INFINITY);
    await reader.close();
  });

  it('names a wrong option', async () => {
    const check = async (options: [string, string][]): Promise<void> =>
      connector.validate(new Map(options), []);
    await rejectsWith('SQL_INVALID_OPTION', check([]));
    await rejectsWith('SQL_INVALID_OPTION', check([['table', 'bids']]));
    for (const [name, value] of [
      ['events.per.second', '-1'],
      ['events', '1.5'],
      ['rows', ''],
      ['seed', 'x'],
      ['first.event.time', 'yesterday'],
    ] as const) {
      await assert.rejects(
        check([
          ['table', 'bid'],
          [name, value],
        ]),
        new RegExp(name),
      );
    }
  });
});
