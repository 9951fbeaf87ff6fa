/**
 * Virtual time, and everything that happens in it in one order that follows from the seed: timers, turns of the event loop,
 * answers of disks and networks are events of one queue, run one after another, each until nothing is left to run. The
 * clocks and timers of the whole JavaScript process are replaced meanwhile, so a simulated second costs no time.
 */
import { NumberedRandom } from '../../connectors/generator/random.ts';

/** Events that one run may have; a run that has more is caught in a loop. */
const EVENTS_MAX = 2_000_000;
const START_MS = Date.UTC(2026, 0, 1);

/** A simulated process: what it waits for never comes once it has crashed. */
export class Process {
  readonly name: string;
  alive = true;
  /** I/O steps so far. */
  #steps = 0;
  /** It crashes at this step. */
  crashAt = Number.POSITIVE_INFINITY;
  /** It crashes at a step of this name when it has passed so many of them. */
  aim: { readonly step: string; readonly passes: number } | undefined;
  #passed = 0;
  readonly ended = Promise.withResolvers<string>();

  constructor(name: string) {
    this.name = name;
  }

  /** Counts a step of I/O. @returns whether it crashes there. */
  crashesAt(step: string): boolean {
    this.#steps++;
    if (this.#steps >= this.crashAt) return true;
    return this.aim?.step === step && this.#passed++ === this.aim.passes;
  }
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly owner: Process;
  readonly run: () => void;
  canceled: boolean;
}

interface Handle {
  ref(): Handle;
  unref(): Handle;
  hasRef(): boolean;
  refresh(): Handle;
  close(): void;
  [Symbol.toPrimitive](): number;
  event: Event;
}

const real = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  dateNow: Date.now,
  performanceNow: performance.now,
};

export class World {
  readonly seed: number;
  readonly #random = new NumberedRandom(0);
  readonly #heap: Event[] = [];
  #order = 0;
  nowMs = 0;
  /** Wall clock less the monotonic one. */
  wallOffsetMs = START_MS;
  readonly outside = new Process('outside');
  #current: Process = this.outside;
  /** Work outside of the simulation that its time waits for. */
  readonly #pending = new Set<Promise<unknown>>();
  readonly trace: string[] = [];
  /** Names of steps at which a process crashed. */
  readonly crashedAt = new Set<string>();
  events = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(seed: number) {
    this.seed = seed;
    this.#random.start(seed);
  }

  // -------------------------------------------------------------- randomness

  /** 0 to bound - 1. */
  below(bound: number): number {
    return this.#random.below(bound);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.#random.below(n) === 0;
  }

  fraction(): number {
    return this.#random.fraction();
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  // -------------------------------------------------------------------- time

  note(text: string): void {
    this.trace.push(`${(this.nowMs / 1000).toFixed(3).padStart(9)} ${text}`);
  }

  /** Ends the run: what was promised was not kept. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  schedule(delayMs: number, run: () => void, owner: Process): Event {
    const delay = Math.max(Number.isFinite(delayMs) ? delayMs : 0, 0);
    const event = { atMs: this.nowMs + delay, order: this.#order++, owner, run, canceled: false };
    push(this.#heap, event);
    return event;
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.schedule(delayMs, resolve, this.outside));
  }

  /**
   * One step of I/O of a process: takes a while, and is where it may crash. Never settles for a process that has crashed.
   * @param name  what is being done, for the trace and for counting which steps were tried.
   */
  step(process: Process, name: string, latencyMsMax = 4): Promise<void> {
    return new Promise((resolve) => {
      if (!process.alive) return;
      const latencyMs = this.oneIn(40) ? this.below(400) : this.fraction() * latencyMsMax;
      this.schedule(
        latencyMs,
        () => {
          if (process.crashesAt(name)) this.crash(process, name);
          else resolve();
        },
        process,
      );
    });
  }

  crash(process: Process, where: string): void {
    if (!process.alive) return;
    process.alive = false;
    this.crashedAt.add(where);
    process.ended.resolve(where);
  }

  /** Time stands still until this has settled: for work that real threads do. */
  async outOfTime<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }

  // -------------------------------------------------------------------- loop

  /** Runs everything until `main` has settled. */
  async run<T>(main: () => Promise<T>): Promise<T> {
    this.#install();
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    try {
      main().then(
        (value) => {
          outcome = { value };
        },
        (error: unknown) => {
          outcome = { error };
        },
      );
      for (;;) {
        await this.#quiet();
        if (this.#failure !== undefined) throw this.#failure.error;
        if (outcome !== undefined) break;
        this.#next();
      }
    } finally {
      uninstall();
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Every promise that can go on has gone on. */
  async #quiet(): Promise<void> {
    do {
      await new Promise((resolve) => real.setImmediate(resolve));
      if (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    } while (this.#pending.size > 0);
  }

  #next(): void {
    let event = pop(this.#heap);
    while (event?.canceled === true || event?.owner.alive === false) event = pop(this.#heap);
    if (event === undefined) throw new Error('everybody waits and nothing will happen any more');
    if (++this.events > EVENTS_MAX) throw new Error(`more than ${EVENTS_MAX} events`);
    this.nowMs = Math.max(this.nowMs, event.atMs);
    this.#current = event.owner;
    event.run();
  }

  #install(): void {
    const schedule = (delayMs: number, run: () => void): Handle =>
      handleOf(this, this.#current, delayMs, run);
    const globals = globalThis as unknown as Record<string, unknown>;
    globals.setImmediate = (run: (...args: unknown[]) => void, ...args: unknown[]) =>
      schedule(0, () => run(...args));
    globals.setTimeout = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      schedule(ms, () => run(...args));
    globals.setInterval = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
      const again = (): void => {
        handle.event = schedule(ms, again).event;
        run(...args);
      };
      const handle = schedule(ms, again);
      return handle;
    };
    const clear = (handle: Handle | undefined): void => {
      if (handle !== undefined && handle !== null) handle.event.canceled = true;
    };
    for (const name of ['clearImmediate', 'clearTimeout', 'clearInterval']) globals[name] = clear;
    Date.now = () => Math.floor(this.wallOffsetMs + this.nowMs);
    performance.now = () => this.nowMs;
  }
}

function handleOf(world: World, owner: Process, delayMs: number, run: () => void): Handle {
  const handle: Handle = {
    event: world.schedule(delayMs, run, owner),
    ref: () => handle,
    unref: () => handle,
    hasRef: () => true,
    refresh: () => {
      handle.event.canceled = true;
      handle.event = world.schedule(delayMs, run, owner);
      return handle;
    },
    close: () => {
      handle.event.canceled = true;
    },
    [Symbol.toPrimitive]: () => handle.event.order,
  };
  return handle;
}

function uninstall(): void {
  Object.assign(globalThis, {
    setImmediate: real.setImmediate,
    setTimeout: real.setTimeout,
    clearTimeout: real.clearTimeout,
    setInterval: real.setInterval,
    clearInterval: real.clearInterval,
    clearImmediate: realClearImmediate,
  });
  Date.now = real.dateNow;
  performance.now = real.performanceNow;
}
const realClearImmediate = globalThis.clearImmediate;

// A binary heap by time, then by order.

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Event;
    if (!isBefore(event, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event))
      child++;
    if (!isBefore(heap[child] as Event, last)) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
  return top;
}
