/** Nexmark events as JSON text, written byte by byte: over a million records a second on one core. */
import { Buffer } from 'node:buffer';
import { assertNever } from '../../sql/base/assert.ts';
import { type ByteWriter, IsoTimeWriter } from './byte-writer.ts';
import type { RecordWriter } from './generated-reader.ts';
import {
  auctionLengthMs,
  auctionSeller,
  bidAuction,
  bidBidder,
  eventNumber,
  FIRST_ID,
  fillerLength,
  lastAuction,
  lastPerson,
  type NexmarkKind,
  price,
} from './nexmark-model.ts';
import { NumberedRandom } from './random.ts';

export interface NexmarkSettings {
  readonly kind: NexmarkKind;
  readonly seed: number;
  /** Events of all kinds in one second of event time; above 0. */
  readonly eventsPerSecond: number;
  /** Event time of event 0, milliseconds since 1970-01-01 UTC. */
  readonly firstEventMs: number;
}

const CHANNELS = 10_000;
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'];
const FIRST_NAMES = 'Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter'.split(',');
const LAST_NAMES = 'Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris'.split(',');
const CITIES =
  'Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne'.split(',');
const STATES = 'AZ,CA,ID,OR,WA,WY'.split(',');

/**
 * Field bytes and average record bytes of the published generator; their difference is the length of `extra`.
 * A bid's is shortened (68 for 100), so that its JSON text averages 226 bytes.
 */
const BID_BYTES = { fields: 32, record: 68 };
const AUCTION_BYTES = { fields: 72, record: 500 };
const PERSON_BYTES = { fields: 72, record: 200 };

const LETTER_A = 0x61;
const TEXT_BYTES = 1 << 17;

/** Random letters to cut strings from: drawing each letter would be most of the work. */
const letters = makeText(0);
/** The same with an underscore or a space now and then, between words. */
const urlText = makeText('_'.charCodeAt(0));
const prose = makeText(' '.charCodeAt(0));

function makeText(separator: number): Buffer {
  const random = new NumberedRandom(separator);
  random.start(0);
  const text = Buffer.allocUnsafeSlow(TEXT_BYTES + 1024);
  for (let i = 0; i < text.length; i++) {
    const isSeparator = separator !== 0 && random.below(13) === 0;
    text[i] = isSeparator ? separator : LETTER_A + random.below(26);
  }
  return text;
}

function encode(texts: readonly string[]): readonly Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

const bidKeys = encode([
  '{"auction":',
  ',"bidder":',
  ',"price":',
  ',"channel":"',
  ',"date_time":"',
  '","extra":"',
]);
const auctionKeys = encode([
  '{"id":',
  ',"item_name":"',
  '","description":"',
  '","initial_bid":',
  ',"reserve":',
  ',"date_time":"',
  '","expires":"',
  '","seller":',
  ',"category":',
  ',"extra":"',
]);
const personKeys = encode([
  '{"id":',
  ',"name":"',
  '","email_address":"',
  '","credit_card":"',
  '","city":"',
  '","state":"',
  '","date_time":"',
  '","extra":"',
]);
const recordEnd = Buffer.from('"}');
const emailEnd = Buffer.from('.com');
const firstNames = encode(FIRST_NAMES);
const lastNames = encode(LAST_NAMES);
const cities = encode(CITIES);
const states = encode(STATES);

/** Channel name, `","url":"` and url of every channel; the hot ones come first. */
const channels: readonly Buffer[] = makeChannels();

function makeChannels(): Buffer[] {
  const random = new NumberedRandom(7);
  const word = (): string => {
    const start = random.below(TEXT_BYTES);
    return urlText.toString('latin1', start, start + 3 + random.below(3));
  };
  return Array.from({ length: HOT_CHANNELS.length + CHANNELS }, (_, i) => {
    random.start(i);
    const base = `https://www.nexmark.com/${word()}/${word()}/${word()}/item.htm?query=1`;
    const number = i - HOT_CHANNELS.length;
    const name = HOT_CHANNELS[i] ?? `channel-${number}`;
    const tagged = number >= 0 && random.below(10) > 0;
    const url = tagged ? `${base}&channel_id=${Math.abs(reverseBits(number))}` : base;
    return Buffer.from(`${name}","url":"${url}"`);
  });
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed |= ((value >>> bit) & 1) << (31 - bit);
  return reversed;
}

/** Room that every event fits in. */
const EVENT_BYTES_MAX = 2048;

export class NexmarkWriter implements RecordWriter {
  readonly recordBytesMax = EVENT_BYTES_MAX;
  readonly #settings: NexmarkSettings;
  readonly #random: NumberedRandom;
  readonly #time = new IsoTimeWriter();

  constructor(settings: NexmarkSettings) {
    this.#settings = settings;
    this.#random = new NumberedRandom(settings.seed);
  }

  /** Writes the k-th event of the kind and gives its event time in milliseconds. */
  write(k: number, out: ByteWriter): number {
    const { kind, eventsPerSecond, firstEventMs } = this.#settings;
    const n = eventNumber(kind, k);
    const timeMs = firstEventMs + Math.floor((n * 1000) / eventsPerSecond);
    this.#random.start(n);
    switch (kind) {
      case 'bid':
        this.#bid(n, timeMs, out);
        break;
      case 'auction':
        this.#auction(n, timeMs, out);
        break;
      case 'person':
        this.#person(n, timeMs, out);
        break;
      default:
        assertNever(kind);
    }
    return timeMs;
  }

  #bid(n: number, timeMs: number, out: ByteWriter): void {
    const random = this.#random;
    out.fragment(bidKeys[0] as Buffer);
    out.integer(bidAuction(n, random));
    out.fragment(bidKeys[1] as Buffer);
    out.integer(bidBidder(n, random));
    out.fragment(bidKeys[2] as Buffer);
    out.integer(price(random));
    out.fragment(bidKeys[3] as Buffer);
    const isHot = random.below(2) > 0;
    const channel = isHot
      ? random.below(HOT_CHANNELS.length)
      : HOT_CHANNELS.length + random.below(CHANNELS);
    out.fragment(channels[channel] as Buffer);
    out.fragment(bidKeys[4] as Buffer);
    this.#time.write(timeMs, out);
    this.#extra(bidKeys[5] as Buffer, BID_BYTES, out);
  }

  #auction(n: number, timeMs: number, out: ByteWriter): void {
    const random = this.#random;
    const keys = auctionKeys;
    out.fragment(keys[0] as Buffer);
    out.integer(FIRST_ID + lastAuction(n));
    out.fragment(keys[1] as Buffer);
    this.#cut(prose, 3 + random.below(17), out);
    out.fragment(keys[2] as Buffer);
    this.#cut(prose, 3 + random.below(97), out);
    const initialBid = price(random);
    out.fragment(keys[3] as Buffer);
    out.integer(initialBid);
    out.fragment(keys[4] as Buffer);
    out.integer(initialBid + price(random));
    out.fragment(keys[5] as Buffer);
    this.#time.write(timeMs, out);
    out.fragment(keys[6] as Buffer);
    this.#time.write(timeMs + auctionLengthMs(this.#settings.eventsPerSecond, random), out);
    out.fragment(keys[7] as Buffer);
    out.integer(auctionSeller(n, random));
    out.fragment(keys[8] as Buffer);
    out.integer(10 + random.below(5));
    this.#extra(keys[9] as Buffer, AUCTION_BYTES, out);
  }

  #person(n: number, timeMs: number, out: ByteWriter): void {
    const random = this.#random;
    const keys = personKeys;
    out.fragment(keys[0] as Buffer);
    out.integer(FIRST_ID + lastPerson(n));
    out.fragment(keys[1] as Buffer);
    this.#pick(firstNames, out);
    out.byte(0x20);
    this.#pick(lastNames, out);
    out.fragment(keys[2] as Buffer);
    this.#cut(letters, 3 + random.below(5), out);
    out.byte(0x40);
    this.#cut(letters, 3 + random.below(3), out);
    out.fragment(emailEnd);
    out.fragment(keys[3] as Buffer);
    for (let group = 0; group < 4; group++) {
      if (group > 0) out.byte(0x20);
      const digits = 10_000 + random.below(10_000);
      out.integer(digits);
      // The leading 1 only keeps the zeros: shift the four digits over it.
      out.bytes.copyWithin(out.at - 5, out.at - 4, out.at);
      out.at--;
    }
    out.fragment(keys[4] as Buffer);
    this.#pick(cities, out);
    out.fragment(keys[5] as Buffer);
    this.#pick(states, out);
    out.fragment(keys[6] as Buffer);
    this.#time.write(timeMs, out);
    this.#extra(keys[7] as Buffer, PERSON_BYTES, out);
  }

  #extra(key: Buffer, size: { fields: number; record: number }, out: ByteWriter): void {
    out.fragment(key);
    this.#cut(letters, fillerLength(size.fields, size.record, this.#random), out);
    out.fragment(recordEnd);
  }

  #cut(text: Buffer, length: number, out: ByteWriter): void {
    out.range(text, this.#random.below(TEXT_BYTES), length);
  }

  #pick(texts: readonly Buffer[], out: ByteWriter): void {
    out.fragment(texts[this.#random.below(texts.length)] as Buffer);
  }
}
