/** Nexmark's queries as they are written here; q0 to q2 go to a blackhole, the others to a committed view. */
export interface NexmarkQuery {
  readonly name: string;
  readonly reads: readonly ('person' | 'auction' | 'bid')[];
  readonly into: 'blackhole' | 'view';
  readonly sql: string;
  /** CPU seconds per million events that the project asks of itself, and Flink 2.3 SQL's, warm, all its CPU counted. */
  readonly target: number | undefined;
  readonly flink: number | undefined;
}

export const STREAMS: Readonly<Record<'person' | 'auction' | 'bid', string>> = {
  person: `id bigint, name text, email_address text, credit_card text, city text, state text,
           date_time timestamp, extra text`,
  auction: `id bigint, item_name text, description text, initial_bid bigint, reserve bigint,
            date_time timestamp, expires timestamp, seller bigint, category bigint, extra text`,
  bid: `auction bigint, bidder bigint, price bigint, channel text, url text, date_time timestamp,
        extra text`,
};

export const QUERIES: readonly NexmarkQuery[] = [
  {
    name: 'q0',
    reads: ['bid'],
    into: 'blackhole',
    sql: 'SELECT auction, bidder, price, date_time, extra FROM bid',
    target: 0.4,
    flink: 2.7,
  },
  {
    name: 'q1',
    reads: ['bid'],
    into: 'blackhole',
    sql: 'SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid',
    target: 0.4,
    flink: 2.7,
  },
  {
    name: 'q2',
    reads: ['bid'],
    into: 'blackhole',
    sql: 'SELECT auction, price FROM bid WHERE mod(auction, 123) = 0',
    target: 0.15,
    flink: 2.6,
  },
  {
    name: 'q3',
    reads: ['person', 'auction'],
    into: 'view',
    sql: `SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id
          WHERE a.category = 10 AND (p.state = 'OR' OR p.state = 'ID' OR p.state = 'CA')`,
    target: undefined,
    flink: undefined,
  },
  {
    name: 'q4',
    reads: ['auction', 'bid'],
    into: 'view',
    sql: `SELECT q.category, avg(q.final) AS average FROM (
            SELECT max(b.price) AS final, a.category FROM auction a, bid b
            WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
            GROUP BY a.id, a.category) q
          GROUP BY q.category`,
    target: 0.6,
    flink: 8.5,
  },
  {
    name: 'q5',
    reads: ['bid'],
    into: 'view',
    sql: `SELECT ab.auction, ab.num FROM (
            SELECT auction, count(*) AS num, window_start, window_end
            FROM HOP(bid, date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
            GROUP BY auction, window_start, window_end) ab
          JOIN (
            SELECT max(num) AS maxn, window_start, window_end FROM (
              SELECT count(*) AS num, window_start, window_end
              FROM HOP(bid, date_time, INTERVAL '2' SECOND, INTERVAL '10' SECOND)
              GROUP BY auction, window_start, window_end) counts
            GROUP BY window_start, window_end) mb
          ON ab.window_start = mb.window_start AND ab.window_end = mb.window_end AND ab.num >= mb.maxn`,
    target: 0.4,
    flink: 4.2,
  },
  {
    name: 'q7',
    reads: ['bid'],
    into: 'view',
    sql: `SELECT b.auction, b.price, b.bidder, b.date_time, b.extra FROM bid b
          JOIN (SELECT max(price) AS maxprice, window_end AS date_time
                FROM TUMBLE(bid, date_time, INTERVAL '10' SECOND)
                GROUP BY window_start, window_end) m
          ON b.price = m.maxprice
          WHERE b.date_time BETWEEN m.date_time - INTERVAL '10' SECOND AND m.date_time`,
    target: 0.6,
    flink: 10.1,
  },
  {
    name: 'q8',
    reads: ['person', 'auction'],
    into: 'view',
    sql: `SELECT p.id, p.name, p.window_start FROM (
            SELECT id, name, window_start, window_end
            FROM TUMBLE(person, date_time, INTERVAL '10' SECOND)
            GROUP BY id, name, window_start, window_end) p
          JOIN (
            SELECT seller, window_start, window_end
            FROM TUMBLE(auction, date_time, INTERVAL '10' SECOND)
            GROUP BY seller, window_start, window_end) a
          ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end`,
    target: undefined,
    flink: undefined,
  },
];
