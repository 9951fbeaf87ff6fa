/** Measures how long a record takes until it can be read: writes one, polls until the view shows it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoServer } from './server.ts';

const ARRIVAL_MS_MAX = 10_000;
const PAUSE_MS = 50;
/** About ten minutes of samples; older ones are forgotten. */
const SAMPLES_MAX = 8_000;

export class Probe {
  readonly #server: DemoServer;
  #samples: { readonly atMs: number; readonly latencyMs: number }[] = [];

  constructor(server: DemoServer) {
    this.#server = server;
  }

  async run(isOver: () => boolean): Promise<void> {
    let version = 0;
    for (let id = 1; !isOver(); id++) {
      const sentMs = performance.now();
      await this.#server.insert('probe', { id });
      for (;;) {
        const view = await this.#server.newView('probes', version);
        version = view.version;
        if (Number(view.rows[0]?.[0] ?? 0) >= id) break;
        if (isOver()) return;
        if (performance.now() - sentMs > ARRIVAL_MS_MAX) {
          throw new Error(`record ${id} cannot be read after ${ARRIVAL_MS_MAX} ms`);
        }
      }
      const atMs = performance.now();
      this.#samples.push({ atMs, latencyMs: atMs - sentMs });
      if (this.#samples.length > SAMPLES_MAX) this.#samples = this.#samples.slice(SAMPLES_MAX / 2);
      await sleep(PAUSE_MS);
    }
  }

  get count(): number {
    return this.#samples.length;
  }

  /**
   * @param q     0..1
   * @param lastMs  only samples this young.
   * @returns milliseconds, undefined while there are no samples.
   */
  quantile(q: number, lastMs = Number.POSITIVE_INFINITY): number | undefined {
    const oldestMs = performance.now() - lastMs;
    const sorted = this.#samples
      .filter(({ atMs }) => atMs >= oldestMs)
      .map(({ latencyMs }) => latencyMs)
      .sort((a, b) => a - b);
    return sorted[Math.floor(q * (sorted.length - 1))];
  }
}
