/**
 * Faults that a person could make in the operators, each as a change of one place of the source. Whoever changes that place
 * changes the fault with it, or finds another one: each of them must be found by the random queries.
 */
export interface PlantedFault {
  readonly operator: string;
  /** Path from the root of the project. */
  readonly file: string;
  /** What stands there, once in the file. */
  readonly from: string;
  readonly to: string;
}

type Change = readonly [file: string, from: string, to: string];

const byOperator: Readonly<Record<string, readonly Change[]>> = {
  project: [
    [
      'kernel/expression.ts',
      'if (kept.count === 0) return undefined;',
      'if (kept.count <= 1) return undefined;',
    ],
    [
      'kernel/expression.ts',
      'assemble(batch, all ? undefined : kept, outputs, [kept.columns])',
      'assemble(batch, undefined, outputs, [kept.columns])',
    ],
    [
      'operator/project.ts',
      'const image = this.#projection(batch);',
      'const image = this.#projection(batch.weights === null ? batch : { ...batch, weights: null, column: (i) => batch.column(i) });',
    ],
    [
      'operator/project.ts',
      'image.length > 0) emit(image);',
      'image.length > 0 && image.weights?.[0] !== -2) emit(image);',
    ],
    [
      'operator/project.ts',
      'if (image !== undefined',
      'if (image !== undefined && batch.length !== 3',
    ],
  ],
  'union all': [
    [
      'operator/union-all.ts',
      'new Batch(batch.length, batch.columns, batch.weights)',
      'new Batch(batch.length, batch.columns, null)',
    ],
    [
      'operator/union-all.ts',
      'push(_port: number, batch: Batch, emit: Emit): void {',
      'push(_port: number, batch: Batch, emit: Emit): void { if (_port === 2) return;',
    ],
    [
      'operator/union-all.ts',
      'emit(batch.named === null',
      'if (_port === 0 || batch.weights === null) emit(batch.named === null',
    ],
    [
      'operator/union-all.ts',
      'emit(batch.named === null',
      'if (batch.length > 1 || _port > 0) emit(batch.named === null',
    ],
    [
      'operator/union-all.ts',
      'batch.named === null ? batch :',
      'batch.weights !== null ? new Batch(batch.length, batch.columns, batch.weights.map(Math.abs)) :',
    ],
  ],
  'set operation': [
    [
      'operator/set-operation.ts',
      'intersect: (left, right) => (left > 0 && right > 0',
      'intersect: (left, right) => (left > 0 && right >= 0',
    ],
    [
      'operator/set-operation.ts',
      'left > 0 && right <= 0 ? 1 : 0',
      'left > 0 && right <= 0 ? left : 0',
    ],
    ['operator/set-operation.ts', 'left + right > 0 ? 1', 'left > 0 || right > 1 ? 1'],
    ['operator/set-operation.ts', '      this.#emitted.set(row, wanted);\n', ''],
    [
      'operator/set-operation.ts',
      'this.#counts[0].get(row) === 0 && this.#counts[1].get(row) === 0) this',
      'this.#counts[0].get(row) === 0) this',
    ],
  ],
  aggregate: [
    [
      'operator/aggregate.ts',
      'if (before !== undefined) this.#emitRows',
      'if (before !== undefined && this.#keys.length > 0) this.#emitRows',
    ],
    [
      'operator/aggregate.ts',
      'for (let i = 0; i < count; i++) if (present[i] === 0) changed[i] = 1;',
      '',
    ],
    ['operator/aggregate.ts', 'isGlobal || (rows as number) > 0', '(rows as number) > 0'],
    [
      'operator/aggregate.ts',
      '[group & SEGMENT_MASK] = present[i] as number;',
      '[group & SEGMENT_MASK] = 1;',
    ],
    [
      'operator/aggregate.ts',
      '      cells[group & SEGMENT_MASK] = 1;\n      const state',
      '      const state',
    ],
  ],
  'aggregate functions': [
    [
      'operator/group-count.ts',
      '(counts[group & SEGMENT_MASK] as number) + (weights[r] as number);',
      '(counts[group & SEGMENT_MASK] as number) + 1;',
    ],
    [
      'operator/group-count.ts',
      'every ? trues === all : trues > 0',
      'every ? trues === all : trues === all',
    ],
    ['operator/group-sum.ts', 'const change = value * weight;', 'const change = value;'],
    [
      'operator/group-distinct.ts',
      'before[touchedCount++] = count > 0 ? 1 : 0;',
      'before[touchedCount++] = 0;',
    ],
    [
      'operator/group-extreme.ts',
      'rows[i] = wantsMax ? this.#values.last(root) : this.#values.first(root);',
      'rows[i] = this.#values.last(root);',
    ],
  ],
  join: [
    ['operator/join.ts', '(weights[r] as number) * otherWeight', '(weights[r] as number)'],
    ['operator/join.ts', 'other.matches.get(row) + batch.weight(r)', 'other.matches.get(row) + 1'],
    [
      'operator/join.ts',
      'const isMatched = side.matches.get(row) !== 0;',
      'const isMatched = side.matches.get(row) > 1;',
    ],
    [
      'operator/join.ts',
      'const weights = batch.weights === null ? null : new Int32Array(count);',
      'const weights: Int32Array | null = null;',
    ],
    [
      'operator/join-side.ts',
      'if (nulls === null || this.#nullSafe[k] === true) continue;',
      'if (nulls === null) continue;',
    ],
  ],
  'threshold join': [
    [
      'operator/threshold-join.ts',
      'passes ? weights.get(row) : -weights.get(row)',
      'passes ? 1 : -1',
    ],
    [
      'operator/threshold-join.ts',
      'if (passes === this.#passesAt(row, before)) return;',
      'if (passes || !this.#passesAt(row, before)) return;',
    ],
    [
      'operator/threshold-join.ts',
      'comparePeers(before, now) < 0 ? [before, now] : [now, before]',
      '[before, now]',
    ],
    [
      'operator/threshold-join.ts',
      'if (nulls[row] !== 1) rows[count++] = row;',
      'rows[count++] = row;',
    ],
    ['operator/threshold-join.ts', '    this.#limit = now;\n', ''],
  ],
  'top-n': [
    ['operator/top-n.ts', 'return withTies || position < end;', 'return position < end;'],
    ['operator/top-n.ts', 'Math.max(position, offset)', 'Math.max(position, 0)'],
    ['operator/top-n.ts', '-(weights[i] as number)', '-1'],
    ['operator/top-n.ts', "rank === 'rank' ? position + 1 : current + 1", 'position + 1'],
    [
      'operator/top-n.ts',
      'if (count - weight < keep) break;',
      'if (count - weight < keep - 1) break;',
    ],
  ],
  window: [
    ['operator/window-ranking.ts', 'start / (stretch.length - 1)', 'start / stretch.length'],
    [
      'operator/window-ranking.ts',
      'stretch.groupStart(stretch.groupOf(index) + 1) / stretch.length',
      '(index + 1) / stretch.length',
    ],
    [
      'operator/window.ts',
      'if (this.#status.get(row) === SHOWN) this.#removed.push(row);',
      'if (this.#status.get(row) === SHOWN && changed.count > 0) this.#removed.push(row);',
    ],
    ['operator/window-ranking.ts', 'from === 0 ? 0 : Number(own(stretch.rowAt(from - 1)))', '0'],
    [
      'operator/window-value.ts',
      'reachesBack: (_, __, rows) => fixed === undefined || rows <= (fixed ?? 0)',
      'reachesBack: (_, __, rows) => fixed === undefined || rows < (fixed ?? 0)',
    ],
  ],
  'window frame': [
    [
      'operator/window-frame.ts',
      "unit === 'rows' ? index + 1 : stretch.groupStart(stretch.groupOf(index) + 1)",
      'index + 1',
    ],
    ['operator/window-frame.ts', '{ start, end: index },', '{ start, end: index + 1 },'],
    [
      'operator/window-frame.ts',
      "if (this.unit === 'rows') return rows <= count;",
      "if (this.unit === 'rows') return rows < count;",
    ],
    ['operator/window-fold.ts', '    this.#count--;\n', ''],
    [
      'operator/window-aggregate.ts',
      'else if (!isSame) value',
      'else if (cursor.end !== high || value === null) value',
    ],
  ],
  'set-returning functions': [
    [
      'operator/flat-map.ts',
      'rows.length === 0 && outer && keep === undefined',
      'rows.length === 0 && keep === undefined',
    ],
    [
      'operator/flat-map.ts',
      '(this.#sources[start + i] as number) - from] = 1',
      '(this.#sources[start + i] as number) - from] = 0',
    ],
    [
      'operator/flat-map.ts',
      'batch.weights,\n    );\n    let first',
      'null,\n    );\n    let first',
    ],
    ['operator/flat-map.ts', 'column.push(values[i] ?? null);', 'column.push(values[0] ?? null);'],
    ['operator/flat-map.ts', 'if (has === 0 && !this', 'if (has === 1 && !this'],
  ],
  recursion: [
    ['operator/first-round.ts', 'if (at < round && this', 'if (at <= round && this'],
    ['operator/rounds.ts', 'this.#changes.splice(0)) emit', 'this.#changes) emit'],
    ['operator/first-round.ts', '      this.#emitted.set(row, isThere);\n', ''],
    [
      'operator/first-round.ts',
      'this.#counts.get(entry) + batch.weight(r)',
      'this.#counts.get(entry) + 1',
    ],
    [
      'operator/rounds.ts',
      '    this.#changes.push(...changes);',
      '    if (_round < 2) this.#changes.push(...changes);',
    ],
  ],
};

export const plantedFaults: readonly PlantedFault[] = Object.entries(byOperator).flatMap(
  ([operator, changes]) =>
    changes.map(([file, from, to]) => ({ operator, file: `engine/${file}`, from, to })),
);
