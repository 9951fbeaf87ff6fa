import type { RecordBatch } from '../../connectors/connector.ts';
import type { JsonField } from './json-field.ts';
import {
  compileTemplate,
  learnTemplate,
  sameTemplate,
  type Template,
  type TemplateScan,
} from './json-template.ts';
import type { JsonWalker } from './json-walker.ts';

/** Templates that are learnt in the life of a scanner; topics of more shapes stay on the second tier. */
const TEMPLATES_MAX = 8;
/** Second templates are given up when less than half of so many tries found the record's one. */
const TRIES_BEFORE_GIVING_UP = 512;

interface Known {
  readonly template: Template;
  readonly scan: TemplateScan;
  /** Records of the last batch that it took, when it was not the first to be tried. */
  hits: number;
}

/**
 * The shapes that records of one topic come in: producers leave members out, and versions of them write side by
 * side. The most frequent one runs over the batch; a record that it does not know is tried with the others.
 */
export class TemplateSet {
  readonly #fields: readonly JsonField[];
  readonly #walker: JsonWalker;
  readonly #known: Known[] = [];
  #learnt = 0;
  #tries = 0;
  #found = 0;
  #trying = true;

  constructor(fields: readonly JsonField[], walker: JsonWalker) {
    this.#fields = fields;
    this.#walker = walker;
  }

  get isEmpty(): boolean {
    return this.#known.length === 0;
  }

  get mayLearn(): boolean {
    return this.#learnt < TEMPLATES_MAX;
  }

  /** @param fieldStarts  where the second tier found each field in the good record [start, end). */
  learn(start: number, end: number, fieldStarts: Int32Array): void {
    this.#learnt++;
    const template = learnTemplate(this.#walker, start, end, fieldStarts);
    if (template === undefined) return;
    if (this.#known.some((known) => sameTemplate(known.template, template))) return;
    const scan = compileTemplate(template, this.#fields, this.#walker);
    if (scan !== undefined) this.#known.push({ template, scan, hits: 0 });
  }

  /** Scans records [from, to) as a template's own scan does; at least one template is known. */
  scan(
    records: RecordBatch,
    from: number,
    to: number,
    firstRow: number,
    recordOf: Int32Array,
    slow: (record: number, row: number) => boolean,
  ): number {
    const known = this.#known;
    const [first] = known;
    if (first === undefined) return firstRow;
    let missed = 0;
    for (const one of known) one.hits = 0;
    const missing = (record: number, row: number): boolean => {
      missed++;
      return this.#tryOthers(records, record, row, recordOf) || slow(record, row);
    };
    const rows = this.#run(first, records, from, to, firstRow, recordOf, missing);
    first.hits = to - from - missed;
    this.#order();
    return rows;
  }

  #run(
    known: Known,
    records: RecordBatch,
    from: number,
    to: number,
    row: number,
    recordOf: Int32Array,
    missing: (record: number, row: number) => boolean,
  ): number {
    const { bytes, valueStarts, valueLengths } = records;
    const { view } = this.#walker;
    return known.scan(bytes, view, valueStarts, valueLengths, from, to, row, recordOf, missing);
  }

  #tryOthers(records: RecordBatch, record: number, row: number, recordOf: Int32Array): boolean {
    if (!this.#trying || this.#known.length === 1) return false;
    this.#tries++;
    for (let i = 1; i < this.#known.length; i++) {
      const known = this.#known[i] as Known;
      // The template before may have written a part of the row.
      for (const { fill } of this.#fields) fill.clear(row);
      if (this.#run(known, records, record, record + 1, row, recordOf, refuse) === row + 1) {
        known.hits++;
        this.#found++;
        return true;
      }
    }
    return false;
  }

  /** The template that took most records goes first. */
  #order(): void {
    const known = this.#known;
    if (known.length > 1) known.sort((a, b) => b.hits - a.hits);
    if (this.#tries < TRIES_BEFORE_GIVING_UP) return;
    // While more shapes may be learnt a low rate says nothing yet.
    if (this.#found * 2 < this.#tries && !this.mayLearn) this.#trying = false;
    this.#tries = 0;
    this.#found = 0;
  }
}

function refuse(): boolean {
  return false;
}
