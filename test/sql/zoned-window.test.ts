/**
 * Windows by the clocks of a time zone, around every kind of change of clocks. PostgreSQL says what clocks show in each minute; the
 * windows follow from that by their definition, in the plainest way.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PGlite } from '@electric-sql/pglite';
import { type ClockWindow, ZonedWindows } from '../../sql/zoned-window.ts';
import { openPglite } from '../open-pglite.ts';

const MINUTE = 60_000_000n;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;
const DAYS_AROUND = 9n;

/** A day on which clocks change, and how. */
const changes: readonly (readonly [zone: string, day: string])[] = [
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  // Midnight is shown twice.
  ['America/Havana', '2025-11-02'],
  // Midnight is skipped.
  ['America/Sao_Paulo', '2018-11-04'],
  // Half an hour.
  ['Australia/Lord_Howe', '2026-04-05'],
  // A whole day is skipped, and one is lived twice.
  ['Pacific/Apia', '2011-12-30'],
  ['Pacific/Kwajalein', '1969-10-01'],
  // No change, but an odd offset.
  ['Asia/Kathmandu', '2026-01-01'],
];

const shapes: readonly ClockWindow[] = [
  { kind: 'tumble', sizeMicros: DAY, offsetMicros: 0n },
  { kind: 'tumble', sizeMicros: DAY, offsetMicros: 6n * HOUR },
  { kind: 'tumble', sizeMicros: HOUR, offsetMicros: 0n },
  { kind: 'tumble', sizeMicros: 20n * MINUTE, offsetMicros: 5n * MINUTE },
  { kind: 'hop', slideMicros: DAY, sizeMicros: 7n * DAY, offsetMicros: 0n },
  { kind: 'hop', slideMicros: 30n * MINUTE, sizeMicros: 3n * HOUR, offsetMicros: 0n },
  { kind: 'cumulate', stepMicros: 6n * HOUR, sizeMicros: DAY, offsetMicros: 0n },
  { kind: 'cumulate', stepMicros: 30n * MINUTE, sizeMicros: 2n * HOUR, offsetMicros: 0n },
];

let db: PGlite;
before(async () => {
  db = await openPglite();
});
after(() => db.close());

interface ClockMinute {
  readonly utc: bigint;
  readonly local: bigint;
}

async function clocks(zone: string, day: string): Promise<readonly ClockMinute[]> {
  const days = `interval '${DAYS_AROUND} days'`;
  const { rows } = await db.query<{ utc: string; local: string }>(
    `SELECT (extract(epoch FROM g) * 1000000)::bigint::text AS utc,
            (extract(epoch FROM g AT TIME ZONE $1) * 1000000)::bigint::text AS local
     FROM generate_series(timestamptz '${day} 00:00Z' - ${days}, timestamptz '${day} 00:00Z' + ${days}, interval '1 minute') AS g`,
    [zone],
  );
  return rows.map(({ utc, local }) => ({ utc: BigInt(utc), local: BigInt(local) }));
}

/** By local time of each bound, in steps from the first: the first minute at which clocks show it or more. */
function boundsOf(
  minutes: readonly ClockMinute[],
  step: bigint,
  offset: bigint,
): ReadonlyMap<bigint, bigint> {
  const bounds = new Map<bigint, bigint>();
  const [first] = minutes;
  assert.ok(first);
  let next = first.local - ((((first.local - offset) % step) + step) % step) + step;
  for (const { utc, local } of minutes) {
    for (; local >= next; next += step) bounds.set(next, utc);
  }
  return bounds;
}

function expected(
  window: ClockWindow,
  bounds: ReadonlyMap<bigint, bigint>,
  time: bigint,
): readonly (readonly [bigint, bigint])[] {
  const found = new Map<string, readonly [bigint, bigint]>();
  const size = window.sizeMicros;
  for (const [local, start] of bounds) {
    if (window.kind === 'cumulate') {
      if ((local - window.offsetMicros) % size !== 0n) continue;
      for (let past = window.stepMicros; past <= size; past += window.stepMicros) {
        const end = bounds.get(local + past);
        const isIn = end !== undefined && start <= time && time < end;
        if (isIn) found.set(`${end}`, [start, end]);
      }
      continue;
    }
    const end = bounds.get(local + size);
    // Of bounds that clocks skip the last is kept, which comes last.
    if (end !== undefined && start <= time && time < end) found.set(`${start}`, [start, end]);
  }
  return [...found.values()].sort((left, right) =>
    Number(left[0] - right[0] || left[1] - right[1]),
  );
}

for (const [zone, day] of changes) {
  test(`windows in ${zone} around ${day}`, async () => {
    const minutes = await clocks(zone, day);
    for (const shape of shapes) {
      const window = { ...shape, zone };
      const windows = new ZonedWindows(window);
      const step =
        window.kind === 'hop'
          ? window.slideMicros
          : window.kind === 'cumulate'
            ? window.stepMicros
            : window.sizeMicros;
      const bounds = boundsOf(minutes, step, window.offsetMicros);
      const [start] = minutes;
      assert.ok(start);
      const middle = start.utc + DAYS_AROUND * DAY;
      // Forwards, then in leaps: what the windows remember of the time before does not count.
      const near = minutes.filter(
        ({ utc }) => utc > middle - DAY && utc < middle + DAY && utc % (4n * MINUTE) === 0n,
      );
      const leaps = near.map(
        (_, i) => (near[(i * 997) % near.length] as ClockMinute).utc + MINUTE / 2n,
      );
      for (const time of [...near.map(({ utc }) => utc), ...leaps]) {
        const actual = windows.of(time).map(({ start: from, end }) => [from, end] as const);
        actual.sort((left, right) => Number(left[0] - right[0] || left[1] - right[1]));
        const inside = expected(window, bounds, time);
        const known = inside.length > 0 || window.sizeMicros <= DAY;
        assert.ok(known);
        assert.deepEqual(
          actual,
          inside,
          `${window.kind} ${window.sizeMicros} at ${new Date(Number(time / 1000n)).toISOString()}`,
        );
      }
    }
  });
}
