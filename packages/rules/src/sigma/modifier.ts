/**
 * Field items: `Field|modifier|modifier: value(s)` to a query.
 *
 * Source: Sigma modifiers appendix 2.1.0; rules specification, "Value Modifiers", "Special Field Values".
 */
import type { Position, Reporter } from "./diagnostic.ts";
import { allOf, anyOf, NEVER, not, type Query, testOf } from "./expression.ts";
import { parseNetwork } from "./ip.ts";
import type { Comparator, TextPlace } from "./matcher.ts";
import { isComparator, isTimePart, modifierProblem, takesText } from "./modifier-check.ts";
import { compileRegex, type RegexFlags } from "./regex.ts";
import { type StringModifiers, stringQuery } from "./string-value.ts";
import { TIME_PART_RANGE, type TimePart } from "./time-part.ts";
import { shownOf, type YamlScalar, type YamlTree } from "./yaml-tree.ts";

/** Values of `%name%` placeholders; each is a Sigma string, so it may hold wildcards. */
export type Placeholders = ReadonlyMap<string, readonly string[]>;

/** What a key asks for: modifiers in the order given. */
interface Item {
  readonly field: string | undefined;
  readonly modifiers: readonly string[];
  readonly at: Position;
  readonly reporter: Reporter;
  readonly placeholders: Placeholders;
}

export interface ItemInput {
  /** `Field|contains|all`, or `|all` for keywords. */
  readonly key: string;
  readonly at: Position;
  readonly value: YamlTree;
  readonly reporter: Reporter;
  readonly placeholders: Placeholders;
}

/** Reads one entry of a selection. What cannot be honoured is reported and yields a query that is never used. */
export function readItem({ key, at, value, reporter, placeholders }: ItemInput): Query {
  const [name = "", ...modifiers] = key.split("|");
  const item: Item = { field: name === "" ? undefined : name, modifiers, at, reporter, placeholders };
  const problem = modifierProblem(modifiers, { isKeyword: name === "" });
  if (problem !== undefined) {
    reporter.refuse({ at, ...problem });
    return NEVER;
  }
  const scalars = scalarsOf(value, item);
  if (scalars === undefined) return NEVER;
  if (scalars.length === 0) {
    const fix = "write null for a field without a value, or remove the field";
    reporter.warn({
      at: value.at,
      read: `an empty list for ${name || "keywords"}`,
      expected: "values; it never matches",
      fix,
    });
    return NEVER;
  }
  if (modifiers.includes("all") && scalars.length === 1) {
    const remark = { at, read: "all on a single value", expected: "several values", fix: "remove all" };
    if (value.kind === "list") reporter.warn(remark);
    else reporter.refuse(remark);
  }
  const none = scalars.find((scalar) => scalar.value === null);
  if (none !== undefined && scalars.length > 1) {
    const fix = "write a second selection for the field without a value, and 1 of both in the condition";
    reporter.warn({
      at: none.at,
      read: `null among the values of ${name}`,
      expected: "null alone, as Sigma has it",
      fix,
    });
  }
  const queries = scalars.map((scalar) => readValue(scalar, item));
  const query = modifiers.includes("all") ? allOf(queries) : anyOf(queries);
  return modifiers.includes("neq") ? different(query, item, scalars) : query;
}

/**
 * `neq`: the field is there and its value is another one. A field that is missing has no other value; a null has.
 * With `fieldref` the other field must be there too.
 */
function different(query: Query, item: Item, scalars: readonly YamlScalar[]): Query {
  if (item.field === undefined) return not(query);
  const others = item.modifiers.includes("fieldref") ? scalars.map((scalar) => scalar.source) : [];
  return allOf([...[item.field, ...others].map((field) => testOf(field, { kind: "exists" })), not(query)]);
}

function scalarsOf(value: YamlTree, { field, reporter }: Item): readonly YamlScalar[] | undefined {
  const items = value.kind === "list" ? value.items : [value];
  const scalars: YamlScalar[] = [];
  for (const each of items) {
    if (each.kind !== "scalar") {
      reporter.refuse({
        at: each.at,
        read: `${shownOf(each)} under ${field ?? "keywords"}`,
        expected: "a value or a list of values",
      });
      return undefined;
    }
    scalars.push(each);
  }
  return scalars;
}

function readValue(scalar: YamlScalar, item: Item): Query {
  const { modifiers } = item;
  warnOfSpelling(scalar, item);
  const part = modifiers.find(isTimePart);
  if (part !== undefined) return readTime(scalar, item, part);
  const comparator = modifiers.find(isComparator);
  if (comparator !== undefined) return readComparison(scalar, item, comparator);
  if (modifiers.includes("exists")) return readExists(scalar, item);
  if (modifiers.includes("re")) return readRegex(scalar, item);
  if (modifiers.includes("cidr")) return readNetwork(scalar, item);
  if (modifiers.includes("fieldref")) return readFieldReference(scalar, item);
  return readString(scalar, item);
}

const YAML_1_1_BOOLEAN = /^(?:y|yes|n|no|on|off)$/i;

/** Values that YAML reads as something else than they look like, here or in other tools. */
function warnOfSpelling(scalar: YamlScalar, { reporter, field }: Item): void {
  if (scalar.quoted) return;
  const { source, value, at } = scalar;
  if (/^0x/i.test(source) && (typeof value === "number" || typeof value === "bigint")) {
    const fix = `write '${source}' to match the text, ${value} to match the number`;
    reporter.warn({
      at,
      read: `${source} without quotes (${field ?? "keywords"})`,
      expected: `text or number; YAML makes it ${value}`,
      fix,
    });
  } else if (YAML_1_1_BOOLEAN.test(source) && typeof value === "string") {
    const fix = `write '${source}' for the text, true or false for the boolean`;
    reporter.warn({
      at,
      read: `${source} without quotes (${field ?? "keywords"})`,
      expected: "quotes; it is read as text here, as a boolean by YAML 1.1 tools",
      fix,
    });
  }
}

function readExists(scalar: YamlScalar, { field, reporter }: Item): Query {
  const meant =
    typeof scalar.value === "boolean"
      ? scalar.value
      : scalar.quoted
        ? undefined
        : YES_NO.get(scalar.source.toLowerCase());
  if (meant === undefined) {
    reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected: "true or false for exists" });
    return NEVER;
  }
  const test = testOf(field, { kind: "exists" });
  return meant ? test : not(test);
}
const YES_NO: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["no", false],
]);

function readRegex(scalar: YamlScalar, { field, modifiers, reporter }: Item): Query {
  if (scalar.value === null) {
    reporter.refuse({ at: scalar.at, read: "null", expected: "a regular expression" });
    return NEVER;
  }
  const flags: RegexFlags = {
    ignoreCase: modifiers.includes("i"),
    multiLine: modifiers.includes("m"),
    dotAll: modifiers.includes("s"),
  };
  // `contains` says what a search does anyway; the ends are the ends of the value, whatever `m` says.
  const pattern = modifiers.includes("startswith")
    ? `\\A(?:${scalar.source})`
    : modifiers.includes("endswith")
      ? `(?:${scalar.source})\\z`
      : scalar.source;
  const compiled = compileRegex(pattern, flags);
  if (!compiled.ok) {
    const { read, expected, fix } = compiled;
    reporter.refuse({ at: scalar.at, read, expected, ...(fix === undefined ? {} : { fix }) });
    return NEVER;
  }
  return testOf(field, { kind: "regex", pattern, flags });
}

function readNetwork(scalar: YamlScalar, { field, reporter }: Item): Query {
  const network = parseNetwork(scalar.source);
  if (network === undefined) {
    reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected: "a network such as 10.0.0.0/8 or fe80::/10" });
    return NEVER;
  }
  if (network.hadHostBits) {
    reporter.warn({ at: scalar.at, read: shownOf(scalar), expected: "a network address; the host bits are ignored" });
  }
  const { version, bits, hostBits } = network;
  return testOf(field, { kind: "network", network: { version, bits, hostBits } });
}

function readFieldReference(scalar: YamlScalar, { field, modifiers, reporter }: Item): Query {
  if (typeof scalar.value !== "string" || scalar.value === "" || /[*?]/.test(scalar.value)) {
    reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected: "the name of a field" });
    return NEVER;
  }
  const view = { cased: modifiers.includes("cased"), dash: false };
  return testOf(field, { kind: "field", other: scalar.value, place: placeOf(modifiers), view });
}

function placeOf(modifiers: readonly string[]): TextPlace {
  const starts = modifiers.includes("startswith");
  const ends = modifiers.includes("endswith");
  if (modifiers.includes("contains") || (starts && ends)) return "contains";
  return starts ? "prefix" : ends ? "suffix" : "equals";
}

const NUMBER_TEXT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;

function numberOf(scalar: YamlScalar, { reporter }: Item, expected: string): number | bigint | undefined {
  const { value, source } = scalar;
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) return value;
  if (typeof value === "string" && NUMBER_TEXT.test(source)) {
    reporter.warn({
      at: scalar.at,
      read: `${shownOf(scalar)} in quotes`,
      expected: "a number",
      fix: "remove the quotes",
    });
    return Number(source);
  }
  reporter.refuse({ at: scalar.at, read: shownOf(scalar), expected });
  return undefined;
}

function readComparison(scalar: YamlScalar, item: Item, compare: Comparator): Query {
  const value = numberOf(scalar, item, `a number for ${compare}`);
  return value === undefined ? NEVER : testOf(item.field, { kind: "number", compare, value });
}

function readTime(scalar: YamlScalar, item: Item, part: TimePart): Query {
  const value = numberOf(scalar, item, `a number for ${part}`);
  if (value === undefined) return NEVER;
  const compare = item.modifiers.find(isComparator) ?? "eq";
  const [least, greatest] = TIME_PART_RANGE[part];
  if (compare === "eq" && (value < least || value > greatest || !Number.isInteger(Number(value)))) {
    item.reporter.warn({
      at: scalar.at,
      read: shownOf(scalar),
      expected: `${least} to ${greatest} for ${part}; it never matches`,
    });
  }
  return testOf(item.field, { kind: "time", part, compare, value: Number(value) });
}

function readString(scalar: YamlScalar, item: Item): Query {
  const { field, modifiers, reporter, placeholders } = item;
  if (scalar.value === null) {
    const foreign = modifiers.find((modifier) => !["all", "neq", "cased"].includes(modifier));
    if (foreign === undefined && field !== undefined) return testOf(field, { kind: "null" });
    reporter.refuse({
      at: scalar.at,
      read: `null ${foreign === undefined ? "as a keyword" : `with ${foreign}`}`,
      expected: "a text",
    });
    return NEVER;
  }
  if (field === undefined && scalar.source === "") {
    reporter.refuse({ at: scalar.at, read: "an empty keyword", expected: "a text to look for" });
    return NEVER;
  }
  const strings: StringModifiers = { field, modifiers, placeholders };
  const result = stringQuery(textsOf(scalar, modifiers), strings);
  if (result.ok) return result.query;
  reporter.refuse({ at: scalar.at, ...result.problem });
  return NEVER;
}

/**
 * The texts a value stands for. A number is its decimal text, and the text as written where that is decimal too (`1.0`);
 * beyond 2^53 also the text of the nearest double, which is what a JSON reader makes of it.
 */
function textsOf({ value, source, quoted }: YamlScalar, modifiers: readonly string[]): readonly string[] {
  if (typeof value === "string" || quoted) return [source];
  if (modifiers.some(takesText)) return [source];
  const texts = new Set([String(value)]);
  if (typeof value === "number" && /^[\d.]+$/.test(source)) texts.add(source);
  if (typeof value === "bigint") texts.add(String(Number(value)));
  return [...texts];
}
