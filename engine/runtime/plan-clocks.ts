/** The clocks that plans read: the watermarks of streams, and the wall clock. Between two epochs plans are told of those that have moved. */
import type { StreamMarks } from '../store/store.ts';
import { clockBatch, type PlanLeaf, type PlanTask, pushInto, WALL_CLOCK_ID } from './plan-task.ts';
import type { StreamTask } from './stream-task.ts';

/** How often plans are asked whether rows come or go by the wall clock. */
const WALL_TICK_MS = 100;

export class PlanClocks {
  readonly #tasks: ReadonlyMap<number, PlanTask>;
  readonly #streams: ReadonlyMap<number, StreamTask>;
  /** The time that each clock leaf was told last. */
  readonly #struck = new WeakMap<PlanLeaf, bigint>();
  /** What the wall clock showed when plans were told last. */
  #wallMicros: bigint | undefined;

  constructor(tasks: ReadonlyMap<number, PlanTask>, streams: ReadonlyMap<number, StreamTask>) {
    this.#tasks = tasks;
    this.#streams = streams;
  }

  /** Whether a watermark, or the wall clock, has moved that plans have not been told of. */
  areDue(nowMs: number, wallMicros: bigint): boolean {
    for (const stream of this.#streams.values()) {
      if (stream.watermark === undefined || !stream.isRead) continue;
      if (stream.watermark.isDue(nowMs)) return true;
    }
    for (const [leaf, time] of this.#leaves()) {
      const isWall = leaf.relationId === WALL_CLOCK_ID;
      if (isWall ? isDue(leaf, wallMicros) : this.#isUntold(leaf, time)) return true;
    }
    return false;
  }

  /** How long the loop may sleep without missing a tick of the wall clock. */
  get tickMs(): number {
    for (const [leaf] of this.#leaves()) if (leaf.relationId === WALL_CLOCK_ID) return WALL_TICK_MS;
    return Number.POSITIVE_INFINITY;
  }

  /** After a restart: the time that the last commit was made by. */
  restoreWall(micros: bigint | undefined): void {
    this.#wallMicros = micros;
  }

  /**
   * Ends the gathering of an epoch: the watermarks follow the rows that were read.
   * @param wallMicros  the present; undefined = the clock stays where the last commit left it.
   */
  strike(nowMs: number, wallMicros: bigint | undefined): void {
    for (const stream of this.#streams.values())
      if (stream.isRead) stream.watermark?.publish(nowMs);
    if (wallMicros !== undefined) {
      // A wall clock may be set back; time for views does not go back with it.
      if (this.#wallMicros === undefined || wallMicros > this.#wallMicros)
        this.#wallMicros = wallMicros;
    }
    this.#tellThose((leaf) => leaf.relationId !== WALL_CLOCK_ID || isDue(leaf, this.#wallMicros));
  }

  /** Tells plans of clocks as they stand. */
  tell(): void {
    this.#tellThose(() => true);
  }

  #tellThose(isWanted: (leaf: PlanLeaf) => boolean): void {
    for (const [leaf, time] of this.#leaves()) {
      if (time === undefined || !this.#isUntold(leaf, time) || !isWanted(leaf)) continue;
      this.#struck.set(leaf, time);
      pushInto(leaf, clockBatch(time));
    }
  }

  /** A clock that has moved; also one that has not, for an operator that drops state step by step as it is told the time. */
  #isUntold(leaf: PlanLeaf, time: bigint | undefined): boolean {
    if (this.#struck.get(leaf) !== time) return true;
    return time !== undefined && leaf.target.operator?.isBehind === true;
  }

  /** Each clock that is read, and its time. A plan whose rows come from behind the common cursor knows nothing of a watermark yet. */
  *#leaves(): Generator<readonly [PlanLeaf, bigint | undefined]> {
    for (const task of this.#tasks.values()) {
      for (const leaf of task.fragment?.leaves ?? []) {
        if (!leaf.isClock) continue;
        if (leaf.relationId === WALL_CLOCK_ID) yield [leaf, this.#wallMicros];
        const stream = this.#streams.get(leaf.relationId);
        if (stream !== undefined && !this.#trails(task, stream, new Set()))
          yield [leaf, stream.watermark?.published];
      }
    }
  }

  /** Whether a plan, or a view that it reads, has not got all rows that the stream's watermark speaks of. */
  #trails(task: PlanTask, stream: StreamTask, seen: Set<PlanTask>): boolean {
    if (seen.has(task)) return false;
    seen.add(task);
    if (task.state === 'failed' || stream.isPrivate(task.id)) return true;
    return task.reads.some((id) => {
      const input = this.#tasks.get(id);
      return input !== undefined && this.#trails(input, stream, seen);
    });
  }

  /** What the next commit is to hold of them. */
  marks(): readonly StreamMarks[] {
    const marks: StreamMarks[] = [];
    for (const { definition, watermark } of this.#streams.values()) {
      if (watermark !== undefined) marks.push({ relationId: definition.id, ...watermark.marks() });
    }
    if (this.#wallMicros !== undefined) {
      marks.push({ relationId: WALL_CLOCK_ID, stream: this.#wallMicros, partitions: new Map() });
    }
    return marks;
  }
}

/** Every tick that a plan is told of is an epoch, so it is told only when it has something to do then. */
function isDue({ target }: PlanLeaf, wallMicros: bigint | undefined): boolean {
  const due = target.operator?.dueMicros;
  return due !== undefined && wallMicros !== undefined && due <= wallMicros;
}
