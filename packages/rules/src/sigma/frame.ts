/**
 * One event while it is matched: each field is fetched once, and each view of its text (folded, cased, dashes alike) made
 * once, when a test first asks. One frame serves event after event; stamps tell what belongs to the current one.
 */
import type { FieldScalar, FieldSource, FieldValue } from "./field-source.ts";
import { scalarText } from "./field-source.ts";
import type { TextView } from "./matcher.ts";
import { foldText } from "./string-value.ts";

const VIEWS: readonly TextView[] = [
  { cased: false, dash: false },
  { cased: true, dash: false },
  { cased: false, dash: true },
  { cased: true, dash: true },
];

/** The view of most tests: case folded. */
export const FOLDED_VIEW = 0;

/** The number of a view, for `Frame.text`. */
export function viewNumber({ cased, dash }: TextView): number {
  return (cased ? 1 : 0) + (dash ? 2 : 0);
}

/** Text of a field: several where it holds several values, `undefined` where it is missing or null. */
export type FieldText = string | readonly string[] | undefined;

const NO_SOURCE: FieldSource = { get: () => undefined, texts: () => [] };
const STAMP_MAX = 0x3fff_ffff;

/** Gives every field a number, so that frames can keep values in arrays. */
export class FieldNumbers {
  private readonly numbers = new Map<string | undefined, number>();
  readonly fields: (string | undefined)[] = [];

  /** The number of a field; `undefined` stands for all values of the event. */
  numberOf(field: string | undefined): number {
    const held = this.numbers.get(field);
    if (held !== undefined) return held;
    const number = this.fields.length;
    this.numbers.set(field, number);
    this.fields.push(field);
    return number;
  }
}

export class Frame {
  private source: FieldSource = NO_SOURCE;
  private stamp = 0;
  private readonly fields: readonly (string | undefined)[];
  private readonly values: FieldValue[] = [];
  private readonly valueStamps: number[] = [];
  private readonly texts: FieldText[] = [];
  private readonly textStamps: number[] = [];
  /** Answers of tests that several rules share: the stamp where true, its negative where false. */
  private readonly answers: number[] = [];

  constructor(fields: readonly (string | undefined)[]) {
    this.fields = fields;
  }

  /** Turns to another event. */
  reset(source: FieldSource): void {
    this.source = source;
    this.stamp += 1;
    if (this.stamp < STAMP_MAX) return;
    this.stamp = 1;
    this.valueStamps.fill(0);
    this.textStamps.fill(0);
    this.answers.fill(0);
  }

  value(field: number): FieldValue {
    if (this.valueStamps[field] === this.stamp) return this.values[field];
    const name = this.fields[field];
    const value = name === undefined ? this.source.texts() : this.source.get(name);
    this.values[field] = value;
    this.valueStamps[field] = this.stamp;
    return value;
  }

  text(field: number, view: number): FieldText {
    const place = field * VIEWS.length + view;
    if (this.textStamps[place] === this.stamp) return this.texts[place];
    const text = textIn(this.value(field), VIEWS[view] as TextView);
    this.texts[place] = text;
    this.textStamps[place] = this.stamp;
    return text;
  }

  /** The answer of a shared test, asked once an event. */
  remember(answer: number, ask: (frame: Frame) => boolean): boolean {
    const held = this.answers[answer];
    if (held === this.stamp) return true;
    if (held === -this.stamp) return false;
    const is = ask(this);
    this.answers[answer] = is ? this.stamp : -this.stamp;
    return is;
  }
}

function textIn(value: FieldValue, view: TextView): FieldText {
  if (typeof value === "string") return foldText(value, view);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return foldText(String(value), view);
  const texts: string[] = [];
  for (const each of value) {
    const text = scalarText(each);
    if (text !== undefined) texts.push(foldText(text, view));
  }
  return texts;
}

/** Whether any value of a field passes a test. */
export function anyValue(value: FieldValue, test: (value: FieldScalar) => boolean): boolean {
  if (value === undefined) return false;
  if (typeof value !== "object" || value === null) return test(value);
  for (const each of value) if (test(each)) return true;
  return false;
}
