/** Which partition a record goes to, exactly as Kafka's default partitioner decides it. */

const MULTIPLIER = 0x5bd1e995;
const SEED = 0x9747b28c;
const SHIFT = 24;
const POSITIVE_MASK = 0x7fffffff;
/** Records without a key stay in one partition for this many bytes (Kafka's batch.size). */
const STICKY_BYTES = 16_384;

/**
 * MurmurHash2, 32 bits, with the seed that Kafka uses (org.apache.kafka.common.utils.Utils.murmur2).
 * Source of the algorithm: Austin Appleby, MurmurHash2 (public domain).
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const wordsEnd = length & ~3;
  for (let i = 0; i < wordsEnd; i += 4) {
    let word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> SHIFT;
    word = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = length & 3;
  if (rest === 3) hash ^= (bytes[wordsEnd + 2] as number) << 16;
  if (rest >= 2) hash ^= (bytes[wordsEnd + 1] as number) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[wordsEnd] as number), MULTIPLIER);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** The partition of a key: the same key always gives the same one while the count is the same. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & POSITIVE_MASK) % partitions;
}

/** Spreads records without a key: runs of STICKY_BYTES per partition, so that batches stay large. */
export class StickyPartitioner {
  #partition: number;
  #bytes = 0;

  constructor(first = 0) {
    this.#partition = first;
  }

  next(recordBytes: number, partitions: number): number {
    if (this.#bytes >= STICKY_BYTES) {
      this.#partition++;
      this.#bytes = 0;
    }
    this.#bytes += recordBytes;
    this.#partition %= partitions;
    return this.#partition;
  }
}
