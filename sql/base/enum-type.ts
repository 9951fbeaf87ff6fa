/**
 * Enum types. A value is its place in the order of the labels, a double as in PostgreSQL's pg_enum.enumsortorder: values compare, sort and
 * hash as numbers, and a label added between two others gets a place between theirs, so that no stored value ever changes.
 *
 * The labels are the one thing in a type that changes (ALTER TYPE), and every plan sees it at once: whatever turns a value into its label
 * looks here when it does so.
 */
import { StreamError } from './error.ts';

export interface EnumLabel {
  readonly label: string;
  /** Of the value; a finite double, unique in the type. */
  readonly place: number;
}

/** PostgreSQL's NAMEDATALEN - 1, in bytes. */
const LABEL_BYTES_MAX = 63;

export class EnumType {
  /** Of the type in the catalog: never reused, so that fingerprints of plans tell types apart by it. */
  readonly id: number;
  #name: string;
  #labels: readonly EnumLabel[];
  readonly #places = new Map<string, number>();
  readonly #texts = new Map<number, string>();

  /** @param labels  in ascending order of their places. */
  constructor(id: number, name: string, labels: readonly EnumLabel[]) {
    this.id = id;
    this.#name = name;
    this.#labels = labels;
    this.replaceLabels(labels);
  }

  /** The catalog's name: bare in `public`, else `schema.name`. */
  get name(): string {
    return this.#name;
  }

  /** In their order. */
  get labels(): readonly EnumLabel[] {
    return this.#labels;
  }

  /** As PostgreSQL's format_type prints it. */
  get shownName(): string {
    return this.#name
      .split('.')
      .map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
      .join('.');
  }

  rename(name: string): void {
    this.#name = name;
  }

  replaceLabels(labels: readonly EnumLabel[]): void {
    this.#labels = labels;
    this.#places.clear();
    this.#texts.clear();
    for (const { label, place } of labels) {
      this.#places.set(label, place);
      this.#texts.set(place, label);
    }
  }

  has(label: string): boolean {
    return this.#places.has(label);
  }

  /** @throws StreamError VALUE_INVALID_TEXT for a label that the type has not. */
  placeOf(label: string): number {
    const place = this.#places.get(label);
    if (place !== undefined) return place;
    throw new StreamError(
      'VALUE_INVALID_TEXT',
      `invalid input value for enum ${this.shownName}: "${label}"`,
    );
  }

  /** @throws StreamError VALUE_INVALID_TEXT for a place that no label has: a label is never taken away. */
  labelOf(place: number): string {
    const label = this.#texts.get(place);
    if (label !== undefined) return label;
    throw new StreamError(
      'VALUE_INVALID_TEXT',
      `invalid internal value for enum ${this.shownName}: ${place}`,
    );
  }
}

/** The labels of CREATE TYPE … AS ENUM. @throws StreamError SQL_INVALID_NAME, CONSTRAINT_UNIQUE. */
export function newLabels(labels: readonly string[]): readonly EnumLabel[] {
  const seen = new Set<string>();
  return labels.map((label, index) => {
    checkLabel(label);
    if (seen.has(label)) {
      throw new StreamError(
        'CONSTRAINT_UNIQUE',
        'duplicate key value violates unique constraint "pg_enum_typid_label_index"',
        { detail: `The label "${label}" is there twice.` },
      );
    }
    seen.add(label);
    return { label, place: index + 1 };
  });
}

/**
 * The labels with one more: at the end, or next to another one.
 * @throws StreamError SQL_DUPLICATE_OBJECT, SQL_INVALID_NAME, VALUE_INVALID_PARAMETER, VALUE_PROGRAM_LIMIT.
 */
export function withLabel(
  labels: readonly EnumLabel[],
  label: string,
  neighbor: { readonly side: 'before' | 'after'; readonly label: string } | undefined,
): readonly EnumLabel[] {
  checkLabel(label);
  if (labels.some((one) => one.label === label)) throw labelExists(label);
  const found = neighbor === undefined ? labels.length - 1 : indexOf(labels, neighbor.label);
  const index = neighbor?.side === 'before' ? found : found + 1;
  const below = labels[index - 1]?.place;
  const above = labels[index]?.place;
  return labels.toSpliced(index, 0, { label, place: placeBetween(below, above) });
}

/** @throws StreamError SQL_DUPLICATE_OBJECT, VALUE_INVALID_PARAMETER. */
export function withRenamedLabel(
  labels: readonly EnumLabel[],
  from: string,
  to: string,
): readonly EnumLabel[] {
  checkLabel(to);
  const index = indexOf(labels, from);
  if (labels.some((one) => one.label === to)) throw labelExists(to);
  return labels.map((one, at) => (at === index ? { ...one, label: to } : one));
}

function indexOf(labels: readonly EnumLabel[], label: string): number {
  const index = labels.findIndex((one) => one.label === label);
  if (index >= 0) return index;
  throw new StreamError('VALUE_INVALID_PARAMETER', `"${label}" is not an existing enum label`);
}

function placeBetween(below: number | undefined, above: number | undefined): number {
  if (below === undefined) return above === undefined ? 1 : above - 1;
  if (above === undefined) return below + 1;
  const place = below + (above - below) / 2;
  if (place > below && place < above) return place;
  throw new StreamError(
    'VALUE_PROGRAM_LIMIT',
    'there is no room left between the two enum labels',
    {
      hint: 'Some fifty labels have been put into this one gap. Make a new type.',
    },
  );
}

function labelExists(label: string): StreamError {
  return new StreamError('SQL_DUPLICATE_OBJECT', `enum label "${label}" already exists`);
}

function checkLabel(label: string): void {
  if (new TextEncoder().encode(label).length <= LABEL_BYTES_MAX) return;
  throw new StreamError('SQL_INVALID_NAME', `invalid enum label "${label}"`, {
    detail: `Labels must be ${LABEL_BYTES_MAX} bytes or less.`,
  });
}
