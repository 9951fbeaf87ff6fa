import { StreamError } from '../../sql/base/error.ts';

/**
 * The offered media type that an `Accept` header likes best; the first offer when the header is missing or
 * likes several equally.
 * @throws StreamError REQUEST_NOT_ACCEPTABLE naming what is offered.
 */
export function negotiate<Offer extends string>(
  header: string | undefined,
  offers: readonly [Offer, ...Offer[]],
): Offer {
  if (header === undefined || header.trim() === '') return offers[0];
  const ranges = header.split(',').map(parseRange);
  let best: Offer | undefined;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality > bestQuality) {
      best = offer;
      bestQuality = quality;
    }
  }
  if (best !== undefined) return best;
  throw new StreamError('REQUEST_NOT_ACCEPTABLE', `nothing here answers Accept: ${header}`, {
    hint: `Offered are ${offers.join(', ')}.`,
  });
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = q === undefined ? 1 : Number(q.slice(2));
  return { type, quality: Number.isFinite(quality) ? quality : 0 };
}

/** The most specific range that covers the offer decides (RFC 9110, 12.5.1). */
function qualityOf(offer: string, ranges: readonly Range[]): number {
  const family = `${offer.split('/', 1)[0]}/*`;
  for (const candidate of [offer, family, '*/*']) {
    const range = ranges.find(({ type }) => type === candidate);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
