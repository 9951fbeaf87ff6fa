/**
 * The peer of the bench: what a team writes by hand, JSON.parse into objects and a Map, for the same query over the same
 * bytes in the same run. It has no retractions, no commits and no crash safety; it is the floor of convenience.
 */
import type { RecordBatch } from '../../connectors/connector.ts';

type Batches = Readonly<Record<'person' | 'auction' | 'bid', readonly RecordBatch[]>>;

interface Bid {
  auction: number;
  bidder: number;
  price: number;
  date_time: string;
  extra: string;
}

interface Auction {
  id: number;
  category: number;
  date_time: string;
  expires: string;
}

function each<T>(batches: readonly RecordBatch[], take: (value: T) => void): void {
  for (const { bytes, valueStarts, valueLengths, length } of batches) {
    for (let i = 0; i < length; i++) {
      const start = valueStarts[i] as number;
      take(JSON.parse(bytes.toString('utf8', start, start + (valueLengths[i] as number))) as T);
    }
  }
}

/** By query name; gives something derived from the result, so that no work can be left out. */
export const PEERS: Readonly<Record<string, (batches: Batches) => number>> = {
  q0: ({ bid }) => {
    let sum = 0;
    each<Bid>(bid, (b) => {
      sum += [b.auction, b.bidder, b.price, b.date_time, b.extra].length;
    });
    return sum;
  },
  q1: ({ bid }) => {
    let sum = 0;
    each<Bid>(bid, (b) => {
      sum += [b.auction, b.bidder, 0.908 * b.price, b.date_time, b.extra].length;
    });
    return sum;
  },
  q2: ({ bid }) => {
    let found = 0;
    each<Bid>(bid, (b) => {
      if (b.auction % 123 === 0) found++;
    });
    return found;
  },
  q4: ({ auction, bid }) => {
    const auctions = new Map<number, { category: number; from: number; to: number; max: number }>();
    each<Auction>(auction, (a) =>
      auctions.set(a.id, {
        category: a.category,
        from: Date.parse(a.date_time),
        to: Date.parse(a.expires),
        max: -1,
      }),
    );
    each<Bid>(bid, (b) => {
      const found = auctions.get(b.auction);
      const at = Date.parse(b.date_time);
      if (found !== undefined && at >= found.from && at <= found.to) {
        found.max = Math.max(found.max, b.price);
      }
    });
    const sums = new Map<number, { sum: number; count: number }>();
    for (const { category, max } of auctions.values()) {
      if (max < 0) continue;
      const own = sums.get(category) ?? { sum: 0, count: 0 };
      sums.set(category, { sum: own.sum + max, count: own.count + 1 });
    }
    return sums.size;
  },
  q5: ({ bid }) => {
    const counts = new Map<string, number>();
    each<Bid>(bid, (b) => {
      const at = Date.parse(b.date_time);
      for (let w = at - (at % 2000); w > at - 10_000; w -= 2000) {
        const key = `${b.auction}|${w}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    });
    return counts.size;
  },
  q7: ({ bid }) => {
    const best = new Map<number, { price: number; bids: Bid[] }>();
    each<Bid>(bid, (b) => {
      const at = Date.parse(b.date_time);
      const w = at - (at % 10_000);
      const own = best.get(w);
      if (own === undefined || b.price > own.price) best.set(w, { price: b.price, bids: [b] });
      else if (b.price === own.price) own.bids.push(b);
    });
    return best.size;
  },
};
