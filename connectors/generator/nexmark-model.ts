/**
 * The Nexmark workload: an auction site's persons, auctions and bids as one numbered sequence of events.
 * Model and constants: Tucker, Tufte, Papadimos, Maier, "NEXMark: A Benchmark for Queries over Data Streams"
 * (2002), and the generator published with Apache Beam and nexmark/nexmark.
 */
import type { NumberedRandom } from './random.ts';

export const nexmarkKinds = ['person', 'auction', 'bid'] as const;
export type NexmarkKind = (typeof nexmarkKinds)[number];

/** Of 50 consecutive events the first is a person, the next 3 are auctions, the others bids. */
const EVENTS_PER_ROUND = 50;
const AUCTIONS_PER_ROUND = 3;

const perRound = {
  person: { first: 0, count: 1 },
  auction: { first: 1, count: AUCTIONS_PER_ROUND },
  bid: { first: 4, count: 46 },
} as const satisfies Record<NexmarkKind, { first: number; count: number }>;

export const FIRST_ID = 1000;
const ACTIVE_PEOPLE = 1000;
const IN_FLIGHT_AUCTIONS = 100;
/** Ids a little ahead of what exists, so that some references find nothing yet. */
const ID_LEAD = 10;
/** Every hundredth auction, person is a hot one, for a while. */
const HOT_STEP = 100;
const HOT_AUCTION_RATIO = 2;
const HOT_BIDDER_RATIO = 4;
const HOT_SELLER_RATIO = 4;

/** The number, among all events, of the k-th event of a kind. */
export function eventNumber(kind: NexmarkKind, k: number): number {
  const { first, count } = perRound[kind];
  const round = Math.floor(k / count);
  return round * EVENTS_PER_ROUND + first + (k - round * count);
}

/** How many of the first `events` events are of a kind. */
export function eventsOfKind(kind: NexmarkKind, events: number): number {
  if (events === Number.POSITIVE_INFINITY) return events;
  const { first, count } = perRound[kind];
  const rounds = Math.floor(events / EVENTS_PER_ROUND);
  const rest = events - rounds * EVENTS_PER_ROUND;
  return rounds * count + Math.min(Math.max(rest - first, 0), count);
}

/** The newest person when event n happens, counted from 0. */
export function lastPerson(n: number): number {
  return Math.floor(n / EVENTS_PER_ROUND);
}

/** The newest auction when event n happens, counted from 0; -1 before the first. */
export function lastAuction(n: number): number {
  const round = Math.floor(n / EVENTS_PER_ROUND);
  const place = n - round * EVENTS_PER_ROUND;
  if (place < perRound.auction.first) return round * AUCTIONS_PER_ROUND - 1;
  return round * AUCTIONS_PER_ROUND + Math.min(place - 1, AUCTIONS_PER_ROUND - 1);
}

function somePerson(n: number, random: NumberedRandom): number {
  const people = lastPerson(n) + 1;
  const active = Math.min(people, ACTIVE_PEOPLE);
  return people - active + random.below(active + ID_LEAD);
}

function someAuction(n: number, random: NumberedRandom): number {
  const last = lastAuction(n);
  const first = Math.max(last - IN_FLIGHT_AUCTIONS, 0);
  return first + random.below(Math.max(last - first, 0) + 1 + ID_LEAD);
}

function hot(last: number): number {
  return Math.floor(Math.max(last, 0) / HOT_STEP) * HOT_STEP;
}

export function bidAuction(n: number, random: NumberedRandom): number {
  const isHot = random.below(HOT_AUCTION_RATIO) > 0;
  return FIRST_ID + (isHot ? hot(lastAuction(n)) : someAuction(n, random));
}

export function bidBidder(n: number, random: NumberedRandom): number {
  const isHot = random.below(HOT_BIDDER_RATIO) > 0;
  return FIRST_ID + (isHot ? hot(lastPerson(n)) + 1 : somePerson(n, random));
}

export function auctionSeller(n: number, random: NumberedRandom): number {
  const isHot = random.below(HOT_SELLER_RATIO) > 0;
  return FIRST_ID + (isHot ? hot(lastPerson(n)) : somePerson(n, random));
}

/** Cents between 1.00 and 1,000,000.00, every order of magnitude equally likely. */
export function price(random: NumberedRandom): number {
  return Math.round(10 ** (random.fraction() * 6) * 100);
}

/** How long an auction stays open: so that about IN_FLIGHT_AUCTIONS are open at any time. */
export function auctionLengthMs(eventsPerSecond: number, random: NumberedRandom): number {
  const events = (IN_FLIGHT_AUCTIONS * EVENTS_PER_ROUND) / AUCTIONS_PER_ROUND;
  const horizonMs = Math.floor((events * 1000) / eventsPerSecond);
  return 1 + random.below(Math.max(horizonMs * 2, 1));
}

/** Length of the filler column that brings a record to its kind's average size, ±20 %. */
export function fillerLength(
  fieldBytes: number,
  recordBytes: number,
  random: NumberedRandom,
): number {
  const wanted = Math.max(recordBytes - fieldBytes, 0);
  const spread = Math.round(wanted * 0.2);
  return wanted - spread + (spread === 0 ? 0 : random.below(2 * spread));
}
