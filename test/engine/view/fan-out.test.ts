import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FanOut } from '../../../engine/view/fan-out.ts';

const READERS = 60;
const WORK_MS = 1;

function work(): void {
  const untilMs = performance.now() + WORK_MS;
  while (performance.now() < untilMs);
}

test('readers that all wake at once go on in their order, and others have the loop in between', async () => {
  const fanOut = new FanOut();
  const order: number[] = [];
  let ticks = 0;
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => {
    ticks++;
    timer = setTimeout(tick, 1);
  };
  tick();
  const hurried = await Promise.all(
    Array.from({ length: READERS }, async (_, reader) => {
      const isHurried = await fanOut.turn();
      order.push(reader);
      work();
      return isHurried;
    }),
  );
  clearTimeout(timer);
  assert.deepEqual(
    order,
    Array.from({ length: READERS }, (_, reader) => reader),
  );
  // 3 ms of work at a time: 60 ms of it are at least 20 slices.
  assert.ok(ticks >= 10, `${ticks} other turns`);
  assert.equal(hurried.at(-1), false, 'nobody waits behind the last');
  assert.ok(hurried.filter(Boolean).length > READERS / 2);
});

test('a single reader does not wait', async () => {
  const fanOut = new FanOut();
  for (let round = 0; round < 20; round++) {
    assert.equal(await fanOut.turn(), false);
    work();
  }
});
