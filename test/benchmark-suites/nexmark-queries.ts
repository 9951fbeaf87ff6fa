/**
 * Nexmark's queries q0 to q22 as published for Flink (github.com/nexmark/nexmark), with PostgreSQL's functions where Flink has
 * its own (to_char for DATE_FORMAT, split_part for SPLIT_INDEX, regexp_match for REGEXP_EXTRACT). Windows are spelled as Flink spells
 * them; PostgreSQL is asked the same by date_bin, generate_series and lag. q12 and q13 use the time of the clock there, event time and
 * the table's current rows here. q6 is published as a text that no system reads; this is what it says.
 */
import type { SuiteQuery } from './suite.ts';

type Window = (relation: string) => string;

const EPOCH = `timestamp '1970-01-01'`;
const flinkTumble: Window = (relation) =>
  `TABLE(TUMBLE(TABLE ${relation}, DESCRIPTOR(date_time), INTERVAL '10' SECOND))`;
const flinkHop: Window = (relation) =>
  `TABLE(HOP(TABLE ${relation}, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))`;
const tumble: Window = (relation) =>
  `(SELECT *, date_bin('10 s', date_time, ${EPOCH}) AS window_start,
      date_bin('10 s', date_time, ${EPOCH}) + interval '10 s' AS window_end FROM ${relation})`;
const hop: Window = (relation) =>
  `(SELECT x.*, g AS window_start, g + interval '10 s' AS window_end FROM ${relation} AS x, LATERAL generate_series(
      date_bin('2 s', date_time, ${EPOCH}) - interval '8 s', date_bin('2 s', date_time, ${EPOCH}), interval '2 s') AS g)`;

const windowed = (query: (windows: Window) => string, own: Window, judged: Window): SuiteQuery => ({
  sql: query(own),
  postgres: query(judged),
});

const q5 = (windows: Window): string =>
  `SELECT ab.auction, ab.num FROM (
     SELECT auction, count(*) AS num, window_start AS starttime, window_end AS endtime
     FROM ${windows('bid')} GROUP BY auction, window_start, window_end) AS ab
   JOIN (
     SELECT max(counts.num) AS maxn, counts.starttime, counts.endtime FROM (
       SELECT count(*) AS num, window_start AS starttime, window_end AS endtime
       FROM ${windows('bid')} GROUP BY auction, window_start, window_end) AS counts
     GROUP BY counts.starttime, counts.endtime) AS mb
   ON ab.starttime = mb.starttime AND ab.endtime = mb.endtime AND ab.num >= mb.maxn`;
const q7 = (windows: Window): string =>
  `SELECT b.auction, b.bidder, b.price, b.date_time, b.extra FROM bid AS b
   JOIN (SELECT max(price) AS maxprice, window_end AS date_time FROM ${windows('bid')} GROUP BY window_start, window_end) AS b1
   ON b.price = b1.maxprice
   WHERE b.date_time BETWEEN b1.date_time - INTERVAL '10' SECOND AND b1.date_time`;
const q8 = (windows: Window): string =>
  `SELECT p.id, p.name, p.starttime FROM (
     SELECT id, name, window_start AS starttime, window_end AS endtime
     FROM ${windows('person')} GROUP BY id, name, window_start, window_end) AS p
   JOIN (
     SELECT seller, window_start AS starttime, window_end AS endtime
     FROM ${windows('auction')} GROUP BY seller, window_start, window_end) AS a
   ON p.id = a.seller AND p.starttime = a.starttime AND p.endtime = a.endtime`;
const q12 = (windows: Window): string =>
  `SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
   FROM ${windows('bid')} GROUP BY bidder, window_start, window_end`;

const q11: SuiteQuery = {
  sql: `SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
    FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
    GROUP BY bidder, window_start, window_end`,
  postgres: `SELECT bidder, count(*) AS bid_count, min(date_time) AS starttime, max(date_time) + interval '10 s' AS endtime
    FROM (SELECT *, sum(fresh) OVER (PARTITION BY bidder ORDER BY date_time) AS session
      FROM (SELECT *, CASE WHEN date_time - lag(date_time) OVER (PARTITION BY bidder ORDER BY date_time) <= interval '10 s'
          THEN 0 ELSE 1 END AS fresh FROM bid))
    GROUP BY bidder, session`,
};

const counts = (column: string, name: string): string =>
  `count(${column}) AS total_${name},
   count(${column}) FILTER (WHERE price < 10000) AS rank1_${name},
   count(${column}) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_${name},
   count(${column}) FILTER (WHERE price >= 1000000) AS rank3_${name}`;
const threeCounts = `${counts('*', 'bids')}, ${counts('DISTINCT bidder', 'bidders')}, ${counts('DISTINCT auction', 'auctions')}`;
const DAY = `to_char(date_time, 'YYYY-MM-DD')`;
const CHANNEL_ID = `(regexp_match(url, '(&|^)channel_id=([^&]*)'))[2]`;

export const NEXMARK_QUERIES: Readonly<Record<string, string | SuiteQuery>> = {
  q0: 'SELECT auction, bidder, price, date_time, extra FROM bid',
  q1: 'SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid',
  q2: 'SELECT auction, price FROM bid WHERE mod(auction, 123) = 0',
  q3: `SELECT p.name, p.city, p.state, a.id FROM auction AS a INNER JOIN person AS p ON a.seller = p.id
    WHERE a.category = 10 AND (p.state = 'OR' OR p.state = 'ID' OR p.state = 'CA')`,
  q4: `SELECT q.category, avg(q.final) FROM (
      SELECT max(b.price) AS final, a.category FROM auction a, bid b
      WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
      GROUP BY a.id, a.category) q
    GROUP BY q.category`,
  q5: windowed(q5, flinkHop, hop),
  q6: `SELECT q.seller, avg(q.price) OVER (PARTITION BY q.seller ORDER BY q.date_time ROWS BETWEEN 10 PRECEDING AND CURRENT ROW)
    FROM (SELECT * FROM (
      SELECT a.id, a.seller, b.price, b.date_time,
        row_number() OVER (PARTITION BY a.id, a.seller ORDER BY b.price DESC) AS rownum
      FROM auction AS a, bid AS b
      WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires)
    WHERE rownum <= 1) AS q`,
  q7: windowed(q7, flinkTumble, tumble),
  q8: windowed(q8, flinkTumble, tumble),
  q9: `SELECT id, item_name, description, initial_bid, reserve, date_time, expires, seller, category, extra,
      auction, bidder, price, bid_date_time, bid_extra
    FROM (SELECT a.*, b.auction, b.bidder, b.price, b.date_time AS bid_date_time, b.extra AS bid_extra,
        row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.date_time ASC) AS rownum
      FROM auction a, bid b
      WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires)
    WHERE rownum <= 1`,
  q10: `SELECT auction, bidder, price, date_time, extra, ${DAY} AS dt, to_char(date_time, 'HH24:MI') AS hm FROM bid`,
  q11,
  q12: windowed(q12, flinkTumble, tumble),
  q13: `SELECT b.auction, b.bidder, b.price, b.date_time, s.value
    FROM bid AS b JOIN side_input AS s ON mod(b.auction, 10000) = s.key`,
  q14: `SELECT auction, bidder, 0.908 * price AS price,
      CASE WHEN extract(hour FROM date_time) >= 8 AND extract(hour FROM date_time) <= 18 THEN 'dayTime'
        WHEN extract(hour FROM date_time) <= 6 OR extract(hour FROM date_time) >= 20 THEN 'nightTime'
        ELSE 'otherTime' END AS bid_time_type,
      date_time, extra, length(extra) - length(replace(extra, 'c', '')) AS c_counts
    FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000`,
  q15: `SELECT ${DAY} AS day, ${threeCounts} FROM bid GROUP BY ${DAY}`,
  q16: `SELECT channel, ${DAY} AS day, max(to_char(date_time, 'HH24:MI')) AS minute, ${threeCounts}
    FROM bid GROUP BY channel, ${DAY}`,
  q17: `SELECT auction, ${DAY} AS day, ${counts('*', 'bids')},
      min(price) AS min_price, max(price) AS max_price, avg(price) AS avg_price, sum(price) AS sum_price
    FROM bid GROUP BY auction, ${DAY}`,
  q18: `SELECT auction, bidder, price, channel, url, date_time, extra
    FROM (SELECT *, row_number() OVER (PARTITION BY bidder, auction ORDER BY date_time DESC) AS rank_number FROM bid)
    WHERE rank_number <= 1`,
  q19: `SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number FROM bid)
    WHERE rank_number <= 10`,
  q20: `SELECT auction, bidder, price, channel, url, b.date_time AS bid_date_time, b.extra AS bid_extra, item_name, description,
      initial_bid, reserve, a.date_time AS auction_date_time, expires, seller, category, a.extra AS auction_extra
    FROM bid AS b INNER JOIN auction AS a ON b.auction = a.id WHERE a.category = 10`,
  q21: `SELECT auction, bidder, price, channel,
      CASE WHEN lower(channel) = 'apple' THEN '0' WHEN lower(channel) = 'google' THEN '1'
        WHEN lower(channel) = 'facebook' THEN '2' WHEN lower(channel) = 'baidu' THEN '3'
        ELSE ${CHANNEL_ID} END AS channel_id
    FROM bid WHERE ${CHANNEL_ID} IS NOT NULL OR lower(channel) IN ('apple', 'google', 'facebook', 'baidu')`,
  q22: `SELECT auction, bidder, price, channel,
      split_part(url, '/', 4) AS dir1, split_part(url, '/', 5) AS dir2, split_part(url, '/', 6) AS dir3 FROM bid`,
};
