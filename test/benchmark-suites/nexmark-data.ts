/** Nexmark's events, as the generator of connector 'nexmark' writes them, one row each. */
import { nexmarkBatches } from '../../connectors/generator/nexmark.ts';
import {
  eventNumber,
  eventsOfKind,
  type NexmarkKind,
  nexmarkKinds,
} from '../../connectors/generator/nexmark-model.ts';
import type { Cell } from './suite.ts';

/** So few that windows of ten seconds come and go, and that no two events have one time. */
const EVENTS_PER_SECOND = 50;
/** Of the price, what numbers the bid: no two bids have one price, so that every rank has one answer. */
const PRICE_NUMBERS = 10_000;

export const NEXMARK_COLUMNS: Readonly<Record<NexmarkKind, string>> = {
  person:
    'id bigint, name text, email_address text, credit_card text, city text, state text, date_time timestamp, extra text',
  auction: `id bigint, item_name text, description text, initial_bid bigint, reserve bigint, date_time timestamp,
    expires timestamp, seller bigint, category bigint, extra text`,
  bid: 'auction bigint, bidder bigint, price bigint, channel text, url text, date_time timestamp, extra text',
};

export interface NexmarkEvent {
  readonly kind: NexmarkKind;
  /** In the order of the columns. */
  readonly row: Readonly<Record<string, Cell>>;
}

/** The first `count` events, at most as many as there are numbers for prices. */
export function nexmarkEvents(count: number, seed: number): readonly NexmarkEvent[] {
  if (count > PRICE_NUMBERS) throw new RangeError(`${count} events`);
  const numbered = nexmarkKinds.flatMap((kind) => {
    const batches = nexmarkBatches(kind, eventsOfKind(kind, count), {
      seed,
      eventsPerSecond: EVENTS_PER_SECOND,
    });
    const values = batches.flatMap(({ bytes, length, valueStarts, valueLengths }) =>
      Array.from({ length }, (_, i) => {
        const start = valueStarts[i] ?? 0;
        return bytes.toString('utf8', start, start + (valueLengths[i] ?? 0));
      }),
    );
    return values.map((text, k) => {
      const row = JSON.parse(text) as Record<string, Cell>;
      const price = Number(row.price);
      const own = kind === 'bid' ? { ...row, price: price - (price % PRICE_NUMBERS) + k } : row;
      return { kind, row: own, n: eventNumber(kind, k) };
    });
  });
  return numbered.sort((a, b) => a.n - b.n);
}
