/**
 * One simulated life of a database: a load, and at random moments everything that can go wrong, until in the end everything
 * is whole again and must be complete.
 */
import assert from 'node:assert/strict';
import type { StateLimits } from '../../engine/runtime/durable-state.ts';
import { StateFiles } from '../../engine/store/state-files.ts';
import type { Log } from '../../server/config.ts';
import type { Database, StatementFailure } from '../../server/database.ts';
import { openMillraceOn, systemClock } from '../../server/millrace.ts';
import { StreamError } from '../../sql/base/error.ts';
import { Checker } from './check.ts';
import { aimOf } from './crash-steps.ts';
import {
  changelogRecord,
  eventRecord,
  type RelationSpec,
  SINKS,
  type SinkSpec,
  SOURCES,
  VIEWS,
} from './job.ts';
import { Cluster } from './sim-cluster.ts';
import { DiskMedium, SimDisk } from './sim-disk.ts';
import { SimStore, StoreMedium } from './sim-store.ts';
import { Process, type World } from './world.ts';

const LIFE_MS = 4_000;
const FLUSH_MS_MAX = 300_000;
/** Steps of I/O within which a process that is to crash does so. */
const CRASH_STEPS_MAX = 350;
const DISK_FAILS_ONE_IN = 120;

/** Thrown in the driver when the process that it waits for has crashed. */
class Crashed extends Error {}

export class Scenario {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #disk: DiskMedium;
  readonly #medium = new StoreMedium();
  readonly #checker: Checker;
  readonly #limits: Partial<StateLimits>;
  #nextId = 1n;
  crashes = 0;
  commits = 0;
  /** Those of the job that this life has. */
  readonly #views: readonly RelationSpec[];
  readonly #sinks: readonly SinkSpec[];
  #commitsOfProcess = 0;
  #isOver = false;
  /** Ids that were acknowledged to the one who sent them. */
  readonly #acknowledged: bigint[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#cluster = new Cluster(world);
    this.#disk = new DiskMedium(world);
    this.#checker = new Checker(this.#cluster, this.#medium);
    this.#limits = world.oneIn(3)
      ? {}
      : {
          logBytesMin: 1 + world.below(3_000),
          logToStateRatio: 0,
          idleMs: world.below(200),
          idleLogBytesMin: 1 + world.below(800),
          idleLogToStateRatio: 0,
          copyBytesAStep: 1 + world.below(2_000),
        };
    this.#views = VIEWS.filter(({ isLeaf }) => isLeaf !== true || world.oneIn(2));
    this.#sinks = SINKS.filter(() => world.oneIn(2));
    this.#medium.onCommit = () => {
      this.commits++;
      // Most errors come with a restart, and none goes away by itself.
      if (++this.#commitsOfProcess > 3 && !world.oneIn(4)) return;
      try {
        this.#checker.commit();
        this.#checker.sinks();
      } catch (error) {
        world.fail(error);
      }
    };
  }

  async run(): Promise<void> {
    const world = this.#world;
    this.#cluster.create('a', 2);
    this.#cluster.create('d', 1);
    this.#cluster.create('out-a', 2);
    this.#feed();
    this.#trouble();
    const endMs = LIFE_MS * (0.3 + world.fraction());
    while (world.nowMs < endMs) await this.#live(endMs);
    this.#isOver = true;
    this.#cluster.isDown = false;
    this.#cluster.isLossy = false;
    for (const partitions of this.#cluster.topics.values()) {
      for (const partition of partitions) partition.hasLeader = true;
    }
    world.note('everything is whole');
    await this.#finish();
  }

  // -------------------------------------------------------------- the outside

  /** Producers that write to the cluster, whatever becomes of the database. */
  #feed(): void {
    const { topics } = this.#cluster;
    const world = this.#world;
    if (this.#isOver) return;
    if (!this.#cluster.isDown) {
      const count = 1 + world.below(8);
      if (world.oneIn(4)) {
        const records = Array.from({ length: count }, () => changelogRecord(world));
        this.#cluster.append('d', records);
      } else {
        const records = Array.from({ length: count }, () => {
          const partition = world.below(topics.get('a')?.length ?? 1);
          return { key: null, value: eventRecord(world, this.#nextId++), partition };
        });
        this.#cluster.append('a', records);
      }
    }
    world.schedule(world.fraction() * 400, () => this.#feed(), world.outside);
  }

  /** What brokers, networks and clocks do. */
  #trouble(): void {
    const world = this.#world;
    if (this.#isOver) return;
    const cluster = this.#cluster;
    const topic = world.pick(['a', 'd', 'out-a']);
    const partition = world.pick(cluster.topics.get(topic) ?? []);
    const troubles: readonly (readonly [string, () => void, (() => void) | undefined])[] = [
      ['the cluster is gone', () => (cluster.isDown = true), () => (cluster.isDown = false)],
      ['the network loses', () => (cluster.isLossy = true), () => (cluster.isLossy = false)],
      [
        `a partition of ${topic} is taken away`,
        () => (partition.hasLeader = false),
        () => (partition.hasLeader = true),
      ],
      [
        `${topic} gets a partition`,
        () => {
          if (topic !== 'd' && (cluster.topics.get(topic)?.length ?? 0) < 4) {
            cluster.addPartition(topic);
          }
        },
        undefined,
      ],
      [
        'the clock jumps',
        () => (world.wallOffsetMs += (world.below(3) - 1) * 3_600_000),
        undefined,
      ],
    ];
    const [what, begin, end] = world.pick(troubles);
    world.note(what);
    begin();
    if (end !== undefined) world.schedule(world.below(3_000), end, world.outside);
    world.schedule(500 + world.below(3_000), () => this.#trouble(), world.outside);
  }

  // -------------------------------------------------------------- a process

  /** From one start to the next crash or stop. */
  async #live(endMs: number): Promise<void> {
    const world = this.#world;
    const process = new Process(`process ${this.crashes + 1}`);
    if (!world.oneIn(5)) process.crashAt = 1 + world.below(CRASH_STEPS_MAX);
    if (this.crashes % 2 === 0) process.aim = aimOf(world.seed);
    // A rare step takes long to come.
    if (process.aim !== undefined) process.crashAt = Number.POSITIVE_INFINITY;
    try {
      const db = await this.#open(process, true);
      await this.#setUp(process, db);
      while (world.nowMs < endMs) {
        await this.#act(process, db);
        await this.#within(process, world.sleep(world.fraction() * 300));
        const isStopped = this.#hasStopped(db);
        if (!isStopped) this.#checkHealth(db);
        if (isStopped) await this.#within(process, world.sleep(world.below(2_000)));
        if (isStopped || world.oneIn(40)) {
          world.note('stops');
          await this.#enter(process, () => db.close());
          return;
        }
      }
      world.crash(process, 'at the end');
      throw new Crashed();
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
      const isPower = world.oneIn(2);
      const where = await process.ended.promise;
      world.note(`${isPower ? 'the power is cut' : 'is killed'} at "${where}"`);
      this.crashes++;
      this.#disk.crash(isPower);
    }
    await world.sleep(world.below(500));
  }

  /** @param isFaulty  disk and store fail now and then. */
  async #open(process: Process, isFaulty: boolean): Promise<Database> {
    const world = this.#world;
    for (;;) {
      const disk = new SimDisk(world, process, this.#disk);
      const store = new SimStore(world, process, this.#medium);
      try {
        const db = await this.#enter(process, () =>
          openMillraceOn(
            {
              store,
              directory: undefined,
              stateFiles: new StateFiles('/data', disk),
              connect: () => this.#cluster.connect(process),
              random: () => world.fraction(),
              // The simulated world stands behind the functions of the process.
              clock: systemClock,
            },
            { log: this.#log(process), stateLimits: this.#limits },
          ),
        );
        if (isFaulty && world.oneIn(2)) this.#makeFaulty(process, disk);
        store.isFaulty = isFaulty && world.oneIn(2);
        return db;
      } catch (error) {
        // A cluster that cannot be asked keeps a server from starting, which is then started again.
        if (!(error instanceof StreamError) || error.code !== 'SOURCE_UNREACHABLE') throw error;
        world.note(`does not start: ${error.message}`);
        await this.#within(process, world.sleep(300));
      }
    }
  }

  /** Now and then a write fails, or all of them for a while. */
  #makeFaulty(process: Process, disk: SimDisk): void {
    const world = this.#world;
    disk.failsOneIn = DISK_FAILS_ONE_IN;
    if (!world.oneIn(4)) return;
    const full = (): void => {
      world.note('the disk is full');
      disk.failsOneIn = 1;
      const rest = (): void => {
        disk.failsOneIn = DISK_FAILS_ONE_IN;
      };
      world.schedule(world.below(3_000), rest, process);
    };
    world.schedule(world.below(4_000), full, process);
  }

  #log(process: Process): Log {
    const world = this.#world;
    const say = (level: string) => (detail: object, message?: string) => {
      if (!process.alive) return;
      const { detail: cause } = detail as { detail?: unknown };
      const text = cause instanceof Error ? `: ${cause.message}` : '';
      world.note(`${level}: ${message}${text}`);
      if (message === 'the engine stopped' && text.includes('simulated')) return;
      if (level === 'error' || message?.includes('is damaged') === true) {
        world.fail(
          new Error(`${message}${text}`, { cause: (detail as { err?: unknown }).err ?? cause }),
        );
      }
    };
    return { debug: () => {}, info: say('info'), warn: say('warn'), error: say('error') };
  }

  /** The disk was full for longer than commits are tried again: somebody starts the process anew. */
  #hasStopped(db: Database): boolean {
    const { ready, reason } = db.status();
    return !ready && reason?.includes('simulated') === true;
  }

  #checkHealth(db: Database): void {
    const { ready, reason, views } = db.status();
    assert.ok(ready || reason === 'rebuilding state', reason);
    for (const view of views) {
      assert.notEqual(view.state, 'failed', `${view.name}: ${view.reason}`);
    }
  }

  /** Creates what is missing; a crash may have come between. */
  async #setUp(process: Process, db: Database): Promise<void> {
    const medium = this.#medium;
    for (const sql of SOURCES.split(';').filter((text) => text.trim() !== '')) {
      const name = /(?:STREAM|TABLE) (\w+)/.exec(sql)?.[1] ?? '';
      if (medium.entry(name) === undefined) await this.#sql(process, db, sql);
    }
    for (const { name, sql, isLeaf } of this.#views) {
      if (medium.entry(name) !== undefined || (isLeaf === true && this.#world.oneIn(2))) continue;
      await this.#sql(process, db, `CREATE MATERIALIZED VIEW ${name} AS ${sql}`);
    }
    for (const { name, sql } of this.#sinks) {
      if (medium.entry(name) === undefined) await this.#sql(process, db, sql);
    }
  }

  async #act(process: Process, db: Database): Promise<void> {
    const world = this.#world;
    const leaf = world.pick(VIEWS.filter(({ isLeaf }) => isLeaf === true));
    const sink = world.pick(SINKS).name;
    const isThere = this.#medium.entry(leaf.name) !== undefined;
    switch (world.below(12)) {
      case 0:
        if (isThere) await this.#sql(process, db, `DROP MATERIALIZED VIEW ${leaf.name}`);
        return;
      case 1:
      case 2:
        if (isThere) return;
        return this.#sql(process, db, `CREATE MATERIALIZED VIEW ${leaf.name} AS ${leaf.sql}`);
      case 3:
        if (isThere) await this.#sql(process, db, `PAUSE ${leaf.name}`);
        return;
      case 4:
        if (isThere) await this.#sql(process, db, `RESUME ${leaf.name}`);
        return;
      case 5:
        return this.#sql(process, db, `PAUSE ${sink}`);
      case 6:
        return this.#sql(process, db, `RESUME ${sink}`);
      case 7:
        return this.#trim(db);
      default:
        return this.#ingest(process, db);
    }
  }

  /** Somebody who sends records over HTTP; what is answered must be there for good. */
  async #ingest(process: Process, db: Database): Promise<void> {
    const ids = Array.from({ length: 1 + this.#world.below(5) }, () => this.#nextId++);
    const records = ids.map((id) => ({ value: eventRecord(this.#world, id) }));
    try {
      await this.#enter(process, () => db.ingest('e', records));
      this.#acknowledged.push(...ids);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#world.note(`records refused: ${error.message}`);
    }
  }

  /** Records that every plan has consumed, and whose effects are saved, expire. */
  #trim(db: Database): void {
    if (db.status().operatorState?.unsavedPlans !== 0 || !this.#checker.areLevel()) return;
    const { progress } = this.#medium;
    for (const topic of ['a', 'd', 'out-a']) {
      const entry = this.#medium.entry(topic === 'out-a' ? 'back' : topic);
      const id = topic === 'd' ? -(entry?.id ?? 0) : entry?.id;
      for (const { relationId, partition, offset } of progress.positions) {
        if (relationId === id) this.#cluster.trim(topic, partition, offset);
      }
    }
    this.#world.note('records expire');
  }

  async #finish(): Promise<void> {
    const world = this.#world;
    const process = new Process('the last process');
    const db = await this.#open(process, false);
    await this.#setUp(process, db);
    for (const { name } of this.#sinks) await this.#sql(process, db, `RESUME ${name}`);
    for (const { name } of this.#views) {
      if (this.#medium.entry(name) !== undefined) await this.#sql(process, db, `RESUME ${name}`);
    }
    const startMs = world.nowMs;
    // A sink whose destination failed a moment ago is not waited for, so it takes more than one.
    for (;;) {
      await this.#sql(process, db, 'FLUSH');
      const { sinks } = db.status();
      if (sinks.every(({ lagRows, fault }) => lagRows === 0 && fault === undefined)) break;
      assert.ok(world.nowMs - startMs < FLUSH_MS_MAX, `sinks are done: ${JSON.stringify(sinks)}`);
      await world.sleep(500);
    }
    await this.#sql(process, db, 'FLUSH');
    // That views are level becomes durable behind their rows.
    await world.sleep(2_000);
    this.#checkHealth(db);
    const names = this.#views.map(({ name }) => name);
    const there = names.filter((name) => this.#medium.entry(name) !== undefined);
    this.#checker.end(['d', ...there]);
    this.#checker.acknowledged(this.#acknowledged);
    await this.#enter(process, () => db.close());
  }

  // ---------------------------------------------------------------- plumbing

  /** Runs statements; failures that a user may meet are noted, as the fault may be injected. */
  async #sql(process: Process, db: Database, sql: string): Promise<void> {
    const world = this.#world;
    world.note(sql.trim());
    try {
      await this.#enter(process, async () => {
        const signal = new AbortController().signal;
        for await (const _ of db.session(undefined).execute(sql, [], signal));
      });
    } catch (error) {
      const { error: failure } = error as Partial<StatementFailure>;
      if (failure === undefined || failure.code === 'INTERNAL') throw error;
      world.note(`failed: ${failure.message}`);
    }
  }

  /** Runs code as the process does, and gives up when it crashes. */
  #enter<T>(process: Process, code: () => Promise<T>): Promise<T> {
    const entered = new Promise<T>((resolve, reject) => {
      this.#world.schedule(0, () => void code().then(resolve, reject), process);
    });
    return this.#within(process, entered);
  }

  #within<T>(process: Process, work: Promise<T>): Promise<T> {
    const crashed = process.ended.promise.then((): never => {
      throw new Crashed();
    });
    return Promise.race([work, crashed]);
  }
}
