/** A database in a simulated world, for lives that are told step by step. */
import { StateFiles } from '../../engine/store/state-files.ts';
import type { Database } from '../../server/database.ts';
import { openMillraceOn, systemClock } from '../../server/millrace.ts';
import { Checker } from './check.ts';
import { Cluster } from './sim-cluster.ts';
import { DiskMedium, SimDisk } from './sim-disk.ts';
import { SimStore, StoreMedium } from './sim-store.ts';
import { Process, World } from './world.ts';

export class Stage {
  readonly world: World;
  readonly cluster: Cluster;
  readonly medium = new StoreMedium();
  readonly disk: DiskMedium;
  readonly checker: Checker;
  process = new Process('first');
  store: SimStore;
  simDisk: SimDisk;

  constructor(seed = 1) {
    this.world = new World(seed);
    this.cluster = new Cluster(this.world);
    this.disk = new DiskMedium(this.world);
    this.checker = new Checker(this.cluster, this.medium);
    this.store = new SimStore(this.world, this.process, this.medium);
    this.simDisk = new SimDisk(this.world, this.process, this.disk);
    this.cluster.create('a', 1);
    this.cluster.create('d', 1);
    this.cluster.create('out-a', 1);
    this.medium.onCommit = () => {
      try {
        this.checker.commit();
      } catch (error) {
        this.world.fail(error);
      }
    };
  }

  /** A new process on what the last one left. */
  open(): Promise<Database> {
    this.process = new Process('next');
    this.store = new SimStore(this.world, this.process, this.medium);
    this.simDisk = new SimDisk(this.world, this.process, this.disk);
    const ground = {
      store: this.store,
      directory: undefined,
      stateFiles: new StateFiles('/data', this.simDisk),
      connect: () => this.cluster.connect(this.process),
      random: () => this.world.fraction(),
      clock: systemClock,
    };
    return this.as(() => openMillraceOn(ground, {}));
  }

  crash(): void {
    this.world.crash(this.process, 'told to');
    this.disk.crash(false);
  }

  as<T>(code: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.world.schedule(0, () => void code().then(resolve, reject), this.process);
    });
  }

  sql(db: Database, sql: string): Promise<void> {
    return this.as(async () => {
      const signal = new AbortController().signal;
      for await (const _ of db.session(undefined).execute(sql, [], signal));
    });
  }
}
