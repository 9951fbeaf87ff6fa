-- An auction house: people, auctions and bids from the Nexmark generator, and what its owners watch.
CREATE STREAM person  WITH (connector = 'nexmark', "nexmark.table" = 'person',  "events.per.second" = 'RATE_PER_SECOND');
CREATE STREAM auction WITH (connector = 'nexmark', "nexmark.table" = 'auction', "events.per.second" = 'RATE_PER_SECOND');
CREATE STREAM bid     WITH (connector = 'nexmark', "nexmark.table" = 'bid',     "events.per.second" = 'RATE_PER_SECOND');
-- The views below begin together, with the first event.
PAUSE ALL;

-- The five auctions with the most bids.
CREATE MATERIALIZED VIEW hot_auctions AS
SELECT auction, count(*) AS bids, max(price) AS highest
FROM bid GROUP BY auction ORDER BY bids DESC, auction LIMIT 5;

-- Where bids come from.
CREATE MATERIALIZED VIEW channels AS
SELECT channel, count(*) AS bids, avg(price)::numeric(20, 2) AS average_price
FROM bid WHERE channel IN ('Google', 'Facebook', 'Baidu', 'Apple') GROUP BY channel;

-- The average closing price per category: a join, a maximum per auction, an average of those.
CREATE MATERIALIZED VIEW closing_prices AS
SELECT category, avg(final)::numeric(20, 2) AS average_price, count(*) AS auctions
FROM (
  SELECT a.id, a.category, max(b.price) AS final
  FROM auction a JOIN bid b ON a.id = b.auction
  WHERE b.date_time BETWEEN a.date_time AND a.expires
  GROUP BY a.id, a.category
) winners
GROUP BY category;

-- Bids per ten seconds of event time, the latest three windows.
CREATE MATERIALIZED VIEW windows AS
SELECT window_start, count(*) AS bids, max(price) AS highest
FROM TUMBLE(bid, date_time, INTERVAL '10' SECOND)
GROUP BY window_start ORDER BY window_start DESC LIMIT 3;

-- A stream that the demo writes to itself, to measure how long a record takes until it can be read.
CREATE STREAM probe (id bigint);
CREATE MATERIALIZED VIEW probes AS SELECT max(id) AS last FROM probe;

RESUME ALL;
